"""A subscription's price, pause, trial and discount in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from talkingphoto.billing import reductions
from talkingphoto.billing.codes import Promotion
from talkingphoto.billing.reductions import Coupon
from talkingphoto.billing.standing import Standing
from talkingphoto.foundation.money import Money

PAUSES_AT = "pauses_at"


def standing(found: Any) -> Standing:
    """How a subscription stands; its discount is known when `discounts.source.coupon` is
    expanded."""
    pause = getattr(found, "pause_collection", None)
    price = found["items"].data[0].price if found["items"].data else None
    discount, discount_ends_at = _discount(found)
    return Standing(
        price_id=price.id if price else None,
        price=_money(price),
        is_paused=pause is not None,
        pauses_at=_pauses_at(found) if pause else None,
        resumes_at=_moment(pause.resumes_at) if pause else None,
        trial_ends_at=_moment(found.trial_end) if found.status == "trialing" else None,
        discount=discount,
        discount_ends_at=discount_ends_at,
    )


def coupon(found: Any) -> Coupon:
    """A coupon; the sums of other currencies and the products are there when expanded."""
    sums = {found.currency: found.amount_off} if found.amount_off is not None else {}
    for currency, option in _mapping(getattr(found, "currency_options", None)).items():
        sums[currency] = option["amount_off"]
    applies = getattr(found, "applies_to", None)
    percent = found.percent_off
    return Coupon(
        id=found.id,
        percent=None if percent is None else Decimal(str(percent)),
        sums=tuple(Money(minor, currency) for currency, minor in sums.items()),
        duration=found.duration,
        months=found.duration_in_months,
        products=tuple(applies.products) if applies else (),
        is_valid=bool(found.valid),
    )


def promotion(found: Any) -> Promotion:
    """A promotion code whose coupon is expanded."""
    inside = found.promotion.coupon
    rules = found.restrictions
    least: dict[str, int] = {}
    if rules.minimum_amount is not None:
        least[rules.minimum_amount_currency] = rules.minimum_amount
    for currency, option in _mapping(getattr(rules, "currency_options", None)).items():
        least[currency] = option["minimum_amount"]
    return Promotion(
        id=found.id,
        code=found.code,
        is_active=bool(found.active),
        expires_at=_moment(found.expires_at),
        is_used_up=_is_used_up(found) or _is_used_up(inside),
        customer_id=_id(found.customer),
        first_time_only=bool(rules.first_time_transaction),
        minimums=tuple(Money(minor, currency) for currency, minor in least.items()),
        coupon=coupon(inside),
    )


def _is_used_up(found: Any) -> bool:
    most = found.max_redemptions
    return most is not None and found.times_redeemed >= most


def _id(found: Any) -> str | None:
    return found if found is None or isinstance(found, str) else str(found.id)


def _money(price: Any) -> Money | None:
    if price is None or price.unit_amount is None:
        return None  # tiers, or parts of a cent: no price of ours
    return Money(price.unit_amount, price.currency)


def _pauses_at(found: Any) -> datetime | None:
    metadata = getattr(found, "metadata", None)
    said = dict(metadata.to_dict()).get(PAUSES_AT, "") if metadata else ""
    return _moment(int(said)) if said.isascii() and said.isdigit() and len(said) <= 11 else None


def _discount(found: Any) -> tuple[str, datetime | None]:
    for one in getattr(found, "discounts", None) or []:
        source = getattr(one, "source", None)  # an id, when it was not expanded
        inside = getattr(source, "coupon", None) if source else None
        if inside is not None and not isinstance(inside, str):
            ends_at = _moment(one.end)
            return reductions.running_words(coupon(inside), found.currency, ends_at), ends_at
    return "", None


def _mapping(found: Any) -> dict[str, Any]:
    return dict(found.to_dict()) if found else {}


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
