"""The verbs the world may ask for. Importing this package makes the database ready."""

from __future__ import annotations

import sys

from talkingphoto import runtime
from talkingphoto.foundation import errors, settings

_SETTINGS_STATUS = 2
# gunicorn starts a worker that left with any other status again and again; this one ends it all.
_GUNICORN_STATUS = 3


def _make_ready() -> None:
    """The database answers and is migrated; otherwise the process ends saying what to do."""
    try:
        runtime.ready()
    except settings.SettingsFault as fault:
        within_gunicorn = "gunicorn.arbiter" in sys.modules
        _leave(*fault.faults, status=_GUNICORN_STATUS if within_gunicorn else _SETTINGS_STATUS)
    except errors.AppError as fault:
        _leave(fault.message, status=1)


def _leave(*lines: str, status: int) -> None:
    sys.stderr.write("".join(f"talkingphoto: {line}\n" for line in lines))
    sys.exit(status)


_make_ready()
