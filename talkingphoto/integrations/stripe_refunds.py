"""Money that goes back at Stripe: refunds, disputes, and warnings of fraud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from talkingphoto.billing.disputes import DisputeFacts
from talkingphoto.billing.refunds import RefundFacts
from talkingphoto.billing.warnings import WarningFacts
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from talkingphoto.integrations import stripe_reading_refunds
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated


@dataclass(frozen=True)
class RefundOrder:
    """How much of which payment goes back, under our id."""

    refund_id: str
    idempotency_key: str
    payment_intent_id: str
    amount: Money
    fraudulent: bool = False


class RefundCalls(StripeCalls):
    """Refunds, disputes and warnings."""

    def make_refund(self, order: RefundOrder) -> RefundFacts:
        """The refund is made at Stripe, once, also when the first try was days ago."""
        intent = safe(order.payment_intent_id)
        params: dict[str, Any] = {
            "payment_intent": intent,
            "amount": order.amount.minor,
            "reason": "fraudulent" if order.fraudulent else "requested_by_customer",
            "metadata": {"refund_id": order.refund_id},
        }
        with translated():
            # Stripe forgets an idempotency key after a day; the metadata never.
            for found in self._v1.refunds.list({"payment_intent": intent, "limit": 100}).data:
                facts = stripe_reading_refunds.refund(found)
                if facts.refund_id == order.refund_id:
                    return facts
            made = self._v1.refunds.create(params, {"idempotency_key": order.idempotency_key})
            return stripe_reading_refunds.refund(made)

    def fetch_refund(self, refund_id: str) -> RefundFacts | None:
        """The refund as it is now."""
        return seen(
            lambda: self._v1.refunds.retrieve(safe(refund_id)), stripe_reading_refunds.refund
        )

    def fetch_refunds(self, charge_id: str) -> tuple[RefundFacts, ...]:
        """The refunds of a charge as they are now, the oldest first."""
        found = seen(
            lambda: self._v1.refunds.list({"charge": safe(charge_id), "limit": 100}),
            lambda page: tuple(stripe_reading_refunds.refund(one) for one in page.data),
        )
        return tuple(reversed(found or ()))

    def fetch_dispute(self, dispute_id: str) -> DisputeFacts | None:
        """The dispute as it is now."""
        return seen(
            lambda: self._v1.disputes.retrieve(safe(dispute_id)), stripe_reading_refunds.dispute
        )

    def fetch_warning(self, warning_id: str) -> WarningFacts | None:
        """The early fraud warning as it is now, with its card's print."""
        params = {"expand": ["charge"]}
        return seen(
            lambda: self._v1.radar.early_fraud_warnings.retrieve(safe(warning_id), params),
            stripe_reading_refunds.warning,
        )

    def card_of_charge(self, charge_id: str) -> str | None:
        """The print of the card that paid; None when no card did."""
        return seen(
            lambda: self._v1.charges.retrieve(safe(charge_id)), stripe_reading_refunds.fingerprint
        )

    def end_plan_now(self, subscription_id: str) -> None:
        """The subscription is over; nothing is counted for what is left of its period."""
        try:
            with translated():
                self._v1.subscriptions.cancel(
                    safe(subscription_id), {"prorate": False, "invoice_now": False}
                )
        except (errors.InvalidRequest, errors.NotFound):
            return  # it was over before
