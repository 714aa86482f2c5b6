"""What goes back, and what runs, for an account that is over."""

from __future__ import annotations

from talkingphoto.billing.refunds import RefundFacts
from talkingphoto.integrations import stripe_reading, stripe_reading_refunds
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated

_MOST_PLANS = 100


class ClosingCalls(StripeCalls):
    """Payments given back whole, and the plans of a customer."""

    def give_back(self, payment_intent_id: str, *, key: str) -> RefundFacts:
        """All that is left of the payment is on its way back, by this refund."""
        with translated():
            made = self._v1.refunds.create(
                {"payment_intent": safe(payment_intent_id)}, {"idempotency_key": key}
            )
            return stripe_reading_refunds.refund(made)

    def is_given_back(self, payment_intent_id: str) -> bool:
        """Whether nothing is left of the payment."""
        asked = {"expand": ["latest_charge"]}
        found = seen(
            lambda: self._v1.payment_intents.retrieve(safe(payment_intent_id), asked),
            lambda intent: intent.latest_charge,
        )
        return bool(found and found.refunded)

    def running_plans(self, customer_id: str) -> tuple[str, ...]:
        """The subscriptions of a customer that are not over."""
        asked = {"customer": safe(customer_id), "limit": _MOST_PLANS}
        found = seen(lambda: self._v1.subscriptions.list(asked), lambda page: page.data) or ()
        return tuple(str(stripe_reading.id_of(plan)) for plan in found)
