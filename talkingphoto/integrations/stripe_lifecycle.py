"""How a plan ends, goes on, rests and comes back, at Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talkingphoto.billing.endings import Why
from talkingphoto.integrations import stripe_reading
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated
from talkingphoto.integrations.stripe_reading_standing import PAUSES_AT

_MOST_OPEN = 20


@dataclass(frozen=True)
class Rest:
    """A pause to set: the first period that is not charged, and when charging begins again."""

    subscription_id: str
    begins_at: datetime
    until: datetime | None


@dataclass(frozen=True)
class CardFacts:
    """The card that a plan would be charged to; its print is the same wherever it is used."""

    has_card: bool
    fingerprint: str | None


class LifecycleCalls(StripeCalls):
    """Cancelling, resuming, pausing and trials."""

    def card_of_plan(self, subscription_id: str) -> CardFacts:
        """The card that the plan's next invoice would be charged to."""
        of_customer = "customer.invoice_settings.default_payment_method"
        asked = {"expand": ["default_payment_method", of_customer]}
        with translated():
            found = self._v1.subscriptions.retrieve(safe(subscription_id), asked)
        customer = found.customer
        settings = None if isinstance(customer, str) else customer.invoice_settings
        method = found.default_payment_method or (
            settings.default_payment_method if settings else None
        )
        card = getattr(method, "card", None)
        return CardFacts(method is not None, getattr(card, "fingerprint", None) if card else None)

    def end_at_period_end(self, subscription_id: str, *, why: Why, key: str) -> None:
        """The plan ends with its period; a change that was planned for then will not come."""
        with translated():
            found = self._v1.subscriptions.retrieve(safe(subscription_id))
            if found.schedule:
                # Stripe refuses an end beside a schedule; released, the plan goes on as it is now.
                self._v1.subscription_schedules.release(
                    str(found.schedule), {}, {"idempotency_key": f"release:{key}"}
                )
            self._v1.subscriptions.update(
                subscription_id,
                {"cancel_at_period_end": True, **_details(why)},
                {"idempotency_key": key},
            )

    def go_on(self, subscription_id: str, *, key: str) -> None:
        """The plan renews again."""
        with translated():
            self._v1.subscriptions.update(
                safe(subscription_id), {"cancel_at_period_end": False}, {"idempotency_key": key}
            )

    def end_now(self, subscription_id: str, *, why: Why, key: str) -> None:
        """The plan is over, and so are its open invoices: nobody tries to collect them."""
        with translated():
            found = self._v1.subscriptions.retrieve(safe(subscription_id))
            if found.status not in {"canceled", "incomplete_expired"}:
                self._v1.subscriptions.cancel(
                    subscription_id, _details(why), {"idempotency_key": key}
                )
            asked = {"subscription": subscription_id, "status": "open", "limit": _MOST_OPEN}
            for invoice in self._v1.invoices.list(asked).data:
                self._v1.invoices.void_invoice(
                    invoice.id, {}, {"idempotency_key": f"void:{invoice.id}"}
                )

    def pause(self, rest: Rest, *, key: str) -> None:
        """Invoices of the plan are void until the day on which charging begins again."""
        collection: dict[str, Any] = {"behavior": "void"}
        if rest.until is not None:
            collection["resumes_at"] = int(rest.until.timestamp())
        begins = str(int(rest.begins_at.timestamp()))
        with translated():
            self._v1.subscriptions.update(
                safe(rest.subscription_id),
                {"pause_collection": collection, "metadata": {PAUSES_AT: begins}},
                {"idempotency_key": key},
            )

    def unpause(self, subscription_id: str, *, key: str) -> None:
        """The plan is charged again from its next invoice on."""
        with translated():
            self._v1.subscriptions.update(
                safe(subscription_id), {"pause_collection": ""}, {"idempotency_key": key}
            )

    def unpause_with_new_period(self, subscription_id: str, *, key: str) -> str | None:
        """A period begins now and was paid in full: the id of its invoice. PaymentDeclined when
        the bank refuses, and then nothing has changed."""
        with translated():
            changed = self._v1.subscriptions.update(
                safe(subscription_id),
                {
                    "pause_collection": "",
                    "billing_cycle_anchor": {"type": "now"},
                    # What is left of a period that was not paid for is worth nothing.
                    "proration_behavior": "none",
                    "payment_behavior": "error_if_incomplete",
                },
                {"idempotency_key": key},
            )
            return stripe_reading.id_of(changed.latest_invoice)

    def move_price(
        self, subscription_id: str, *, from_price_id: str, to_price_id: str, key: str
    ) -> None:
        """The plan costs the other price from its next invoice on, and nothing is charged now. A
        plan that is elsewhere by now, or that is going elsewhere, stays as it is."""
        with translated():
            found = self._v1.subscriptions.retrieve(safe(subscription_id))
            mine = [one for one in found["items"].data if one.price.id == from_price_id]
            if not mine or found.schedule or found.cancel_at_period_end:
                return
            self._v1.subscriptions.update(
                subscription_id,
                {
                    "items": [{"id": mine[0].id, "price": to_price_id}],
                    "proration_behavior": "none",
                },
                {"idempotency_key": key},
            )

    def waits_for_invoice(self, subscription_id: str) -> bool:
        """Whether an invoice of the plan is still a draft, so that its fate is not decided."""
        asked = {"subscription": safe(subscription_id), "status": "draft", "limit": 1}
        found = seen(lambda: self._v1.invoices.list(asked), lambda page: page)
        return bool(found and found.data)


def _details(why: Why) -> dict[str, Any]:
    said = {"feedback": why.reason, "comment": why.comment}
    given = {name: words for name, words in said.items() if words}
    return {"cancellation_details": given} if given else {}
