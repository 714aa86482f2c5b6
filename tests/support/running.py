"""A command of ours in a process of its own, and what it has said so far."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.foundation import settings

_PATIENCE_SECONDS = 90
_END_SECONDS = 60


@dataclass(frozen=True)
class Running:
    """The process, the file it speaks into, and its data folder."""

    process: subprocess.Popen[str]
    said: Path
    data: Path

    @property
    def text(self) -> str:
        """All it has said."""
        return self.said.read_text()

    def wait_for(self, pattern: str) -> None:
        """It has said something like that."""
        wait_until(lambda: re.search(pattern, self.text) is not None, why=lambda: self.text)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """It has ended after the signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=_END_SECONDS)


def spawn(command: list[str], *, data: Path, said: Path, environment: Mapping[str, str]) -> Running:
    """The command runs with no settings but these."""
    kept = {"PATH": os.environ["PATH"], "TALKINGPHOTO_DATA": str(data)}
    with said.open("w") as output:
        process = subprocess.Popen(
            command,
            env={**kept, **environment, "TALKINGPHOTO_ENV_FILE": str(data / "no.env")},
            cwd=settings.PROJECT_ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Running(process=process, said=said, data=data)


def wait_until(true: Callable[[], bool], *, why: Callable[[], str] = str) -> None:
    """It has become true; `why` explains what was there instead."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process has that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
