"""How amounts, counts and dates read; formatting of money happens here and nowhere else."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from talkingphoto.foundation import money
from talkingphoto.foundation.money import Money

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹"}
MINUS = "\N{MINUS SIGN}"


def amount(value: Money) -> str:
    """The amount as a person reads it: $1,999.90."""
    sign = MINUS if value.minor < 0 else ""
    digits = f"{abs(value.decimal()):,.{money.exponent(value.currency)}f}"
    symbol = _SIGNS.get(value.currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{value.currency.upper()} {digits}"


def each(value: Money, count: int) -> str:
    """What one of so many costs, rounded to the nearest minor unit."""
    share = (Decimal(value.minor) / count).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return amount(Money(int(share), value.currency))


def price(value: Money, interval: str) -> str:
    """A recurring price: $19.99 a month."""
    return f"{amount(value)} a {interval}"


def videos(count: int) -> str:
    """A number of videos: 1 video, 30 videos."""
    return f"{count:,} video" if count == 1 else f"{count:,} videos"


def days(count: int) -> str:
    """A number of days: 1 day, 90 days."""
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def change(count: int) -> str:
    """A movement with its sign: +30, or a true minus."""
    return f"+{count:,}" if count > 0 else f"{MINUS}{abs(count):,}" if count < 0 else "0"


def are(count: int) -> str:
    """The verb that goes with so many."""
    return "is" if count == 1 else "are"


def day(at: datetime, zone: tzinfo) -> str:
    """The day in the reader's zone: 14 Dec 2026."""
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def moment(at: datetime, zone: tzinfo) -> str:
    """The day and the minute in the reader's zone: 14 Dec 2026, 09:05."""
    local = at.astimezone(zone)
    return f"{day(at, zone)}, {local:%H:%M}"


def clock(seconds: float) -> str:
    """A length as a player shows it: 0:09, 1:05."""
    whole = max(1, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def about(seconds: float) -> str:
    """A length as a person says it: about 9 seconds, about 2 minutes."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"about {whole} second{'' if whole == 1 else 's'}"
    return f"about {round(whole / 60)} minutes"
