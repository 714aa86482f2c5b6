"""The process that looks at photos and texts before anything is paid."""

from __future__ import annotations

import base64
import dataclasses
import tempfile
import threading
import time
from pathlib import Path

from talkingphoto.integrations.video import children
from talkingphoto.integrations.video.engine import messages
from talkingphoto.integrations.video.port import (
    Checked,
    EngineFailure,
    EngineFault,
    PhotoFinding,
)
from talkingphoto.integrations.video.renders import Limits

# A check takes 0.1 s on an idle machine; a photo that takes so long was made to.
_PROCESSOR_SECONDS = 20
_CHECKS_EACH = 500
_FAILED = EngineFailure(
    "engine_unavailable", "transient", "The photo could not be looked at just now. Try again."
)


class Checks:
    """One check after the other, from whatever thread; the photo passes through `folder`."""

    def __init__(self, *, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._one = threading.Lock()
        self._child: children.Child | None = None
        self._count = 0

    @property
    def process_id(self) -> int | None:
        """The check process, when there is one."""
        child = self._child
        return child.process_id if child and child.alive else None

    def checked(self, *, photo: bytes | None, text: str | None, voice: str) -> Checked:
        """What the process found; EngineFault when it ended over it or took too long."""
        if not self._one.acquire(timeout=self._limits.check_seconds):
            raise EngineFault(_FAILED)
        try:
            with tempfile.TemporaryDirectory(dir=self._folder) as room:
                given = Path(room, "photo") if photo is not None else None
                if given is not None:
                    given.write_bytes(photo or b"")
                clean = Path(room, "clean.jpg")
                said = self._answered(
                    messages.Check(0, given, clean, text, voice, _PROCESSOR_SECONDS)
                )
                return Checked(said.failures, _finding(said, clean))
        except (children.Gone, children.Silent):
            self._end()
            raise EngineFault(_FAILED) from None
        finally:
            self._one.release()

    def close(self) -> None:
        """The process has ended."""
        with self._one:
            self._end()

    def _answered(self, check: messages.Check) -> messages.Examined:
        try:
            return self._asked(check)
        except children.Gone:
            # It may have died long before; only a photo that ends two processes is to blame.
            self._end()
            return self._asked(check)

    def _asked(self, check: messages.Check) -> messages.Examined:
        child = self._living()
        self._count += 1
        child.tell(dataclasses.replace(check, id=self._count))
        until = time.monotonic() + self._limits.check_seconds
        while (left := until - time.monotonic()) > 0:
            heard = child.hear(timeout_seconds=left)
            if isinstance(heard, messages.Failed):
                self._end()
                raise EngineFault(heard.failure or _FAILED)
            if isinstance(heard, messages.Examined) and heard.id == self._count:
                return heard
        raise children.Silent

    def _living(self) -> children.Child:
        """A process that has loaded everything; a fresh one after so many checks."""
        if self._child is not None and self._child.alive and self._count < _CHECKS_EACH:
            return self._child
        self._end()
        self._count = 0
        self._child = children.Child(
            "check",
            log_file=self._folder / "check.log",
            memory_megabytes=self._limits.memory,
        )
        heard = self._child.hear(timeout_seconds=self._limits.start_seconds)
        assert isinstance(heard, messages.Ready), "the process says first that it is ready"
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


def _finding(said: messages.Examined, clean: Path) -> PhotoFinding | None:
    if said.preview is None:
        return None
    return PhotoFinding(base64.b64decode(said.preview), clean.read_bytes(), said.tiers)
