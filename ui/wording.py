"""How amounts, counts and dates read; what mails say too is in talkingphoto/foundation/wording."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from talkingphoto.foundation import wording
from talkingphoto.foundation.money import Money

MINUS = wording.MINUS
amount = wording.amount
videos = wording.videos
are = wording.are
day = wording.day


def each(value: Money, count: int) -> str:
    """What one of so many costs, rounded to the nearest minor unit."""
    share = (Decimal(value.minor) / count).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return amount(Money(int(share), value.currency))


def price(value: Money, interval: str) -> str:
    """A recurring price: $19.99 a month."""
    return f"{amount(value)} a {interval}"


def days(count: int) -> str:
    """A number of days: 1 day, 90 days."""
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def change(count: int) -> str:
    """A movement with its sign: +30, or a true minus."""
    return f"+{count:,}" if count > 0 else f"{MINUS}{abs(count):,}" if count < 0 else "0"


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
