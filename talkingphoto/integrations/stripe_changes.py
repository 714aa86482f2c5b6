"""Changes of a subscription at Stripe: previews, updates that wait for their payment, schedules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talkingphoto.billing.changes import PreviewFacts, Standing
from talkingphoto.foundation import errors
from talkingphoto.integrations import stripe_reading, stripe_reading_changes
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated


@dataclass(frozen=True)
class ChangeOrder:
    """Which subscription is to sell what: the item keeps its id, its price is another."""

    subscription_id: str
    line_id: str
    price_id: str
    at: datetime


@dataclass(frozen=True)
class ScheduleOrder:
    """A subscription that is to sell another price from the end of its period."""

    idempotency_key: str
    standing: Standing
    price_id: str
    interval: str


class ChangeCalls(StripeCalls):
    """Plan changes."""

    def fetch_standing(self, subscription_id: str) -> Standing | None:
        """What a change of the subscription starts from."""
        return seen(
            lambda: self._v1.subscriptions.retrieve(safe(subscription_id)),
            stripe_reading_changes.standing,
        )

    def preview_change(self, order: ChangeOrder) -> PreviewFacts:
        """The invoice that the change would bring if it was made as `change_now` makes it."""
        details = {
            "items": _items(order),
            "proration_behavior": "always_invoice",
            "proration_date": int(order.at.timestamp()),
        }
        return self._preview(order, details)

    def preview_next(self, order: ChangeOrder) -> PreviewFacts:
        """The first whole invoice after the change."""
        return self._preview(order, {"items": _items(order), "proration_behavior": "none"})

    def change_now(self, order: ChangeOrder, *, idempotency_key: str) -> None:
        """The plan is changed if its invoice is paid at once, and waits for that if not."""
        # Metadata, discounts and ends are refused by Stripe together with pending_if_incomplete.
        params = {
            "items": _items(order),
            "payment_behavior": "pending_if_incomplete",
            "proration_behavior": "always_invoice",
            "proration_date": int(order.at.timestamp()),
        }
        with translated():
            self._v1.subscriptions.update(
                safe(order.subscription_id), params, {"idempotency_key": idempotency_key}
            )

    def schedule_change(self, order: ScheduleOrder) -> str:
        """The subscription sells the price from the end of its period; the schedule's id."""
        key, standing = order.idempotency_key, order.standing
        with translated():
            made = self._v1.subscription_schedules.create(
                {"from_subscription": standing.subscription_id},
                {"idempotency_key": f"{key}:schedule"},
            )
            self._v1.subscription_schedules.update(
                made.id,
                {
                    "end_behavior": "release",
                    "proration_behavior": "none",
                    "phases": _phases(order),
                },
                {"idempotency_key": f"{key}:phases"},
            )
            return str(made.id)

    def release_schedule(self, schedule_id: str) -> None:
        """The subscription goes on as it is now, whatever the schedule had in mind."""
        try:
            with translated():
                self._v1.subscription_schedules.release(safe(schedule_id))
        except (errors.InvalidRequest, errors.NotFound):
            return  # released, canceled or completed: it moves nothing any more

    def _preview(self, order: ChangeOrder, details: dict[str, Any]) -> PreviewFacts:
        params = {"subscription": safe(order.subscription_id), "subscription_details": details}
        with translated():
            found = self._v1.invoices.create_preview(params)
            lines = found.lines.data
            if found.lines.has_more:
                raise errors.Unavailable(
                    "change.too_long", "This change has too many parts. Write to us to make it."
                )
            return PreviewFacts(
                invoice=stripe_reading.invoice(found),
                charge=stripe_reading_changes.due(found),
                lines=tuple(stripe_reading_changes.line(line) for line in lines),
            )


def _items(order: ChangeOrder) -> list[dict[str, Any]]:
    return [{"id": order.line_id, "price": order.price_id}]


def _phases(order: ScheduleOrder) -> list[dict[str, Any]]:
    standing = order.standing
    # Named in each phase: without them Stripe takes the customer's discounts in their place.
    discounts: Any = [{"discount": one} for one in standing.discount_ids] or ""
    return [
        {
            "items": [{"price": standing.price_id, "quantity": 1}],
            "start_date": int(standing.period_start.timestamp()),
            "end_date": int(standing.period_end.timestamp()),
            "discounts": discounts,
            "proration_behavior": "none",
        },
        {
            "items": [{"price": order.price_id, "quantity": 1}],
            "duration": {"interval": order.interval, "interval_count": 1},
            "discounts": discounts,
            "proration_behavior": "none",
        },
    ]
