"""What of the machine matters to a figure: how long its disk takes to make a write lasting."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from talkingphoto.integrations import postgres_programs

_FDATASYNC = re.compile(r"fdatasync\s+[\d.]+ ops/sec\s+(\d+) usecs/op")


def fdatasync_us(programs: postgres_programs.Programs, folder: Path) -> int:
    """Microseconds of one lasting 8 kB write in that folder, by PostgreSQL's own pg_test_fsync."""
    file = folder / "pg_test_fsync.tmp"
    command = [str(programs.folder / "pg_test_fsync"), "-s", "1", "-f", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                found = _FDATASYNC.search(line)
                if found:
                    return int(found.group(1))
        finally:
            # The other fourteen methods are of no interest, and take a second each.
            process.terminate()
            file.unlink(missing_ok=True)
    raise AssertionError("pg_test_fsync names no fdatasync here")
