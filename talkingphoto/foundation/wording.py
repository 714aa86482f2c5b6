"""How sums, counts and dates read, on pages and in mails alike."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from talkingphoto.foundation import money
from talkingphoto.foundation.money import Money

MINUS = "\N{MINUS SIGN}"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹"}


def amount(value: Money) -> str:
    """The amount as a person reads it: $1,999.90."""
    sign = MINUS if value.minor < 0 else ""
    digits = f"{abs(value.decimal()):,.{money.exponent(value.currency)}f}"
    symbol = _SIGNS.get(value.currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{value.currency.upper()} {digits}"


def videos(count: int) -> str:
    """A number of videos: 1 video, 30 videos."""
    return f"{count:,} video" if count == 1 else f"{count:,} videos"


def are(count: int) -> str:
    """The verb that goes with so many."""
    return "is" if count == 1 else "are"


def day(at: datetime, zone: tzinfo = UTC) -> str:
    """The day in the reader's zone, or in UTC: 14 Dec 2026."""
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
