"""Times and lengths of time as they are typed and as they are shown."""

import argparse
import re
from datetime import UTC, datetime

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_LENGTH = re.compile(r"(\d{1,9})([smhdw]?)\Z")


def length(text: str) -> int:
    """The seconds of ``30d``, ``12h``, ``90m``, ``2w`` or ``3600``."""
    match = _LENGTH.match(text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no length of time: write 3600, 90m, 12h, 30d or 2w"
        )
    return int(match.group(1)) * _SECONDS[match.group(2)]


def moment(text: str) -> int:
    """The unix seconds of a day or time in UTC, or of unix seconds."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment: write 2027-01-31, 2027-01-31T12:00 or unix seconds"
        ) from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def shown(seconds: float) -> str:
    """The moment in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
