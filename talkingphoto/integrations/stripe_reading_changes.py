"""What a plan change reads at Stripe: where a subscription stands, and what a preview says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from talkingphoto.billing.changes import PreviewLine, Standing
from talkingphoto.foundation.money import Money
from talkingphoto.integrations import stripe_reading


def standing(found: Any) -> Standing:
    """A subscription as a change of it begins."""
    items = found["items"].data
    first = items[0]
    paused = getattr(found, "pause_collection", None) is not None
    return Standing(
        subscription_id=found.id,
        line_id=first.id,
        price_id=first.price.id,
        is_simple=len(items) == 1 and first.quantity == 1,
        status="paused" if paused and found.status == "active" else found.status,
        period_start=_moment(first.current_period_start),
        period_end=_moment(first.current_period_end),
        is_ending=bool(found.cancel_at_period_end or found.cancel_at),
        schedule_id=stripe_reading.id_of(getattr(found, "schedule", None)),
        waiting_until=_waiting_until(found),
        latest_invoice_id=stripe_reading.id_of(found.latest_invoice),
        discount_ids=tuple(_id_of(one) for one in getattr(found, "discounts", None) or ()),
    )


def due(found: Any) -> Money:
    """What an invoice asks for, the customer's balance taken into account."""
    return Money(found.amount_due, found.currency)


def line(found: Any) -> PreviewLine:
    """One line of a preview in Stripe's own words, before taxes on top."""
    return PreviewLine(
        description=found.description or "Change of your plan",
        amount=Money(found.amount, found.currency),
    )


def _waiting_until(found: Any) -> datetime | None:
    pending = getattr(found, "pending_update", None)
    return _moment(pending.expires_at) if pending else None


def _id_of(discount: Any) -> str:
    return discount if isinstance(discount, str) else str(discount.id)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
