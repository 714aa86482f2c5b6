"""The yardstick of webhook_ack: pgbench sending the statement of the inbox, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from talkingphoto.events import inbox
from talkingphoto.foundation.database import SERVER_OPTIONS
from talkingphoto.integrations import postgres_programs

_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_FAILED = re.compile(r"number of failed transactions: ([1-9]\d*)")
_LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Pgbench:
    """pgbench against one database, with a script of its own and the values that stay the same."""

    programs: postgres_programs.Programs
    url: URL
    script: Path
    values: Mapping[str, str]

    def write_script(self) -> None:
        """The script is the very statement the product runs, with ids that are new each time."""
        statement = inbox.STORE.text
        # No colon may stand in a literal: pgbench would take what follows for a variable.
        for name, expression in (
            (":id", "('evt_pgbench_' || :number)"),
            (":lock", "('customer' || chr(58) || 'cus_pgbench_' || :number)"),
        ):
            statement = re.sub(rf"(?<!:){name}\b", expression, statement)
        statement = " ".join(statement.split())
        self.script.write_text(f"\\set number random(1, 9223372036854775806)\n{statement};\n")

    def rate(self, transactions: int, *, connections: int) -> float:
        """Transactions a second when that many connections do so many of them."""
        each = transactions // connections
        command = [
            *(str(self.programs.folder / "pgbench"), "-n", "-M", "prepared"),
            *("-c", str(connections), "-j", "2", "-t", str(each), "-f", str(self.script)),
            *("-h", str(self.url.query["host"]), "-p", str(self.url.query["port"])),
            *("-U", str(self.url.username), str(self.url.database)),
        ]
        for name, value in self.values.items():
            command += ["-D", f"{name}={value}"]
        done = subprocess.run(
            command,
            env={**os.environ, "PGOPTIONS": SERVER_OPTIONS},
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
        found = _RATE.search(done.stdout)
        if done.returncode != 0 or found is None or _FAILED.search(done.stdout):
            raise AssertionError(f"pgbench failed: {done.stderr[-500:]}{done.stdout[-300:]}")
        return float(found.group(1))
