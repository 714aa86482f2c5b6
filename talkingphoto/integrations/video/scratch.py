"""A folder for photos and videos on their way, which no process that has died leaves full."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

_LOCK = "lock"


class Scratch:
    """A folder of this process's own below `folder`, gone with `close` or with the next one made.

    Who holds the lock of a folder is alive; what nobody holds was left by the dead.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / _LOCK).open("wb") as gate:
            # Between making a folder and holding it nobody else may look.
            fcntl.flock(gate, fcntl.LOCK_EX)
            _clear(folder)
            self.folder = Path(tempfile.mkdtemp(dir=folder))
            self._held = os.open(self.folder / _LOCK, os.O_CREAT | os.O_WRONLY, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)

    def room(self, name: str) -> Path:
        """The folder for that job, whatever characters its name has."""
        room = self.folder / hashlib.sha256(name.encode()).hexdigest()[:32]
        room.mkdir(exist_ok=True, mode=0o700)
        return room

    def empty(self, name: str) -> None:
        """Nothing of that job is left."""
        shutil.rmtree(self.room(name), ignore_errors=True)

    def close(self) -> None:
        """The folder and all in it are gone."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._held)


def _clear(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir() and not _is_held(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
