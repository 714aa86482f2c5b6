"""A process of the engine, seen from outside: started, told, heard and ended."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal

import structlog

from talkingphoto.foundation import settings
from talkingphoto.integrations.video.engine import messages

log = structlog.get_logger()

MODULE = "talkingphoto.integrations.video.engine.process"
# Nothing of our surroundings: no key, no password, no address of a database.
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "HF_HUB_OFFLINE": "1",  # Voices come with the wheel; none is ever fetched.
    "PYTHONDONTWRITEBYTECODE": "1",
    "MALLOC_ARENA_MAX": "2",  # glibc would keep a heap for each of a dozen threads.
    # Two threads of BLAS wait for each other longer than our small products take: a render
    # computes 1.47 s a second of 720p with them, 0.82 s without.
    "OPENBLAS_NUM_THREADS": "1",
}
_END_SECONDS = 5
_LAST_WORDS_BYTES = 500

Role = Literal["check", "render"]


class Gone(Exception):
    """The process has ended without an answer."""


class Silent(Exception):
    """The process has not said a word for too long."""


class Child:
    """One process; it ends when ours does, however ours ends."""

    def __init__(self, role: Role, *, log_file: Path, memory_megabytes: int) -> None:
        self._role = role
        self._log_file = log_file
        self._memory_megabytes = memory_megabytes
        self._heard: queue.Queue[messages.Answer | None] = queue.Queue()
        self._writing = threading.Lock()
        self._started = threading.Event()
        self._over = threading.Event()
        self._ending = False
        self._process: subprocess.Popen[bytes] | None = None
        # Linux ends a child with the thread that made it, so that thread lives as long as it.
        self._keeper = threading.Thread(target=self._keep, name=f"engine-{role}", daemon=True)
        self._keeper.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs, as far as can be seen."""
        self._started.wait()
        # Not Popen.poll: it says nothing while the keeper waits for the process to be over.
        return self._process is not None and not self._over.is_set()

    @property
    def process_id(self) -> int:
        """The number the system knows it by."""
        self._started.wait()
        assert self._process is not None, "the process could not be started"
        return self._process.pid

    def tell(self, command: messages.Command) -> None:
        """The command is on its way; that nobody reads it any more is found by `hear`."""
        self._started.wait()
        if self._process is None or self._process.stdin is None:
            return
        line = messages.command_line(command)
        with self._writing, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def hear(self, *, timeout_seconds: float) -> messages.Answer:
        """The next thing it says; Gone when it has ended, Silent when it says nothing."""
        try:
            answer = self._heard.get(timeout=timeout_seconds)
        except queue.Empty:
            raise Silent from None
        if answer is None:
            self._heard.put(None)
            raise Gone
        return answer

    def end(self) -> None:
        """There is no such process any more."""
        self._started.wait()
        self._ending = True
        if self._process is not None:
            self._process.kill()
        self._keeper.join(_END_SECONDS)

    def _keep(self) -> None:
        try:
            self._process = self._launched()
        except OSError as fault:
            log.error("engine.not_started", role=self._role, error=type(fault).__name__)
            self._heard.put(None)
            return
        finally:
            self._started.set()
        assert self._process.stdout is not None, "its output is a pipe"
        with contextlib.suppress(ValueError):
            while line := self._process.stdout.readline(messages.LONGEST_LINE):
                self._heard.put(messages.answer(line))
        self._over.set()
        # Also when what it said was no answer: then it is not to be trusted with another job.
        self._process.kill()
        code = self._process.wait()
        if not self._ending:
            log.warning("engine.ended", role=self._role, code=code, said=self._last_words())
        self._heard.put(None)

    def _launched(self) -> subprocess.Popen[bytes]:
        with self._log_file.open("wb") as said:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", MODULE),
                    *(self._role, str(os.getpid()), str(self._memory_megabytes)),
                ],
                env=_ENVIRONMENT,
                cwd=settings.PROJECT_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                # Ctrl-C in a terminal is for us, who let a job end or give it back.
                start_new_session=True,
            )

    def _last_words(self) -> str:
        with contextlib.suppress(OSError), self._log_file.open("rb") as said:
            said.seek(max(0, self._log_file.stat().st_size - _LAST_WORDS_BYTES))
            return said.read().decode(errors="replace").strip().rpartition("\n")[2]
        return ""
