"""The verbs the world may ask for. Importing this package makes the database ready."""

from __future__ import annotations

import sys

from talkingphoto import runtime
from talkingphoto.foundation import errors, settings


def _make_ready() -> None:
    """The database answers and is migrated; otherwise the process ends saying what to do."""
    try:
        runtime.ready()
    except settings.SettingsFault as fault:
        _leave(*fault.faults, status=2)
    except errors.AppError as fault:
        _leave(fault.message, status=1)


def _leave(*lines: str, status: int) -> None:
    sys.stderr.write("".join(f"talkingphoto: {line}\n" for line in lines))
    sys.exit(status)


_make_ready()
