"""What a coupon takes off a price, exactly as Stripe does, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from talkingphoto.billing.catalog import Interval
from talkingphoto.foundation import wording
from talkingphoto.foundation.money import Money


@dataclass(frozen=True)
class Coupon:
    """A part or a sum off: always, once, or for so many months; in some products only."""

    id: str
    percent: Decimal | None
    sums: tuple[Money, ...]
    duration: Literal["forever", "once", "repeating"]
    months: int | None
    products: tuple[str, ...]
    is_valid: bool


def after(coupon: Coupon, price: Money) -> Money:
    """What is left to pay of that price; the price itself when the coupon has no such currency."""
    if coupon.percent is not None:
        return price - price.percent(coupon.percent)
    for off in coupon.sums:
        if off.currency == price.currency:
            return Money(max(price.minor - off.minor, 0), price.currency)
    return price


def off_words(coupon: Coupon, currency: str) -> str:
    """How much it takes off, as in "20 % off"."""
    if coupon.percent is not None:
        return f"{_plain(coupon.percent)} % off"
    found = [off for off in coupon.sums if off.currency == currency]
    return f"{wording.amount(found[0])} off" if found else "nothing off"


def offer_words(coupon: Coupon, price: Money, interval: Interval | None) -> str:
    """What the coupon means for somebody who buys at that price, in one sentence's words."""
    off = off_words(coupon, price.currency)
    if interval is None:
        return off
    each = f"{wording.amount(price)} a {interval}"
    if coupon.duration == "forever":
        return f"{off} for as long as you keep the plan"
    if coupon.duration == "once":
        return f"{off} the first {interval}, then {each}"
    months = coupon.months or 1
    span = "1 month" if months == 1 else f"{months} months"
    return f"{off} for {span}, then {each}"


def running_words(coupon: Coupon, currency: str, ends_at: datetime | None) -> str:
    """What a discount on a running plan is, with its last day."""
    off = off_words(coupon, currency)
    if ends_at is not None:
        return f"{off} until {wording.day(ends_at)}"
    return f"{off} once" if coupon.duration == "once" else off


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
