"""One part of the product as a process of ours: launched, looked at, started again, ended."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from talkingphoto import stack
from talkingphoto.foundation import errors, settings

_START_SECONDS = 90  # A part that has not answered by then will not.
_SETTLED_SECONDS = 60  # After so long in health, an earlier failure no longer counts.
_FIRST_TRIES = 3
_LONGEST_PAUSE_SECONDS = 30
# A part without an address that does not say it has started counts as started by then.
_SILENT_START_SECONDS = 10
_LAST_WORDS_BYTES = 8000

# Linux can end a process when its parent dies; elsewhere a part outlives a supervisor that is
# killed, and the next start names its port as taken.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


class Child:
    """One part as a process of ours, in a process group of its own so that Ctrl-C spares it."""

    def __init__(self, part: stack.Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.failures = 0
        self.ever_healthy = False
        self._process: subprocess.Popen[bytes] | None = None
        self._changed_at = 0.0
        self._pause_seconds = 0.0
        self._healthy = False
        self._log_begins_at = 0

    def launch(self) -> None:
        """The process exists; whether it answers is found by `tend`."""
        with self.log.open("ab") as output:
            self._log_begins_at = output.tell()
            self._process = subprocess.Popen(
                self.part.command,
                env=self.part.environment,
                cwd=settings.PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_us if _LIBC else None,
            )
        self._changed_at = time.monotonic()
        self._healthy = False

    @property
    def healthy(self) -> bool:
        """Whether it answered when last looked at."""
        return self._healthy

    def tend(self) -> None:
        """A dead part is started again after a pause that doubles; a new one is asked for news."""
        age = time.monotonic() - self._changed_at
        if self._process is None:
            if age >= self._pause_seconds:
                self.launch()
        elif (code := self._process.poll()) is not None:
            self._require_hope(code)
            self._mourn(_ending(code))
        elif self._healthy:
            self.failures = self.failures if age < _SETTLED_SECONDS else 0
        elif self._has_started(age):
            self._become_healthy()
        elif age > _START_SECONDS:
            self._mourn(f"did not answer within {_START_SECONDS} seconds")

    def last_words(self, count: int = 5) -> list[str]:
        """The end of its log, no further back than its last launch."""
        with self.log.open("rb") as log:
            log.seek(max(self._log_begins_at, self.log.stat().st_size - _LAST_WORDS_BYTES))
            return log.read().decode(errors="replace").splitlines()[-count:]

    @property
    def alive(self) -> bool:
        """Whether its process has not ended yet."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How its process ended, when it has."""
        return self._process.poll() if self._process is not None else None

    def ask_to_end(self) -> None:
        """The part has been told to end; it knows best in which order its own processes do."""
        if self._process is not None:
            self._process.terminate()

    def finish(self) -> None:
        """No process of the part is left, be it asked or not."""
        if self._process is not None:
            # Also when it ended by itself: what it started must not outlive it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _require_hope(self, code: int) -> None:
        """The part may do better next time; else its own last words end the whole."""
        if code == self.part.refusal_status:
            raise errors.Unavailable("up.part_refused", " ".join(self.last_words(1)))

    def _mourn(self, ending: str) -> None:
        self.finish()
        self.failures += 1
        self._pause_seconds = min(0.5 * 2.0 ** (self.failures - 1), _LONGEST_PAUSE_SECONDS)
        self._changed_at = time.monotonic()
        self._healthy = False
        if not self.ever_healthy and self.failures >= _FIRST_TRIES:
            raise errors.Unavailable(
                "up.part_failed",
                f"{self.part.name} could not be started: it {ending}, {self.failures} times;"
                f" {self.log} ends with: {' '.join(self.last_words(1))}",
            )
        say("✗", self.part.name, f"{ending}; starting it again in {self._pause_seconds:g} s")
        for line in self.last_words():
            print(f"    {line}")

    def _has_started(self, age: float) -> bool:
        if self.part.health is not None:
            return answers(self.part)
        with self.log.open("rb") as log:
            log.seek(self._log_begins_at)
            return self.part.started_mark in log.read() or age > _SILENT_START_SECONDS

    def _become_healthy(self) -> None:
        where = self.part.address if self.part.health else "running"
        say("✓", self.part.name, where if not self.failures else f"{where} again")
        self._healthy = self.ever_healthy = True
        self._changed_at = time.monotonic()


def _end_with_us() -> None:
    """The process about to run will be told to end when the supervisor is killed."""
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def say(mark: str, name: str, text: str) -> None:
    """One line for the person at the terminal."""
    print(f"  {mark} {name:<10} {text}", flush=True)


def answers(part: stack.Part) -> bool:
    """Whether the part says at its health address that it is well."""
    assert part.port is not None and part.health is not None, "the part has no address"
    connection = http.client.HTTPConnection("localhost", part.port, timeout=2)
    try:
        connection.request("GET", part.health)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
