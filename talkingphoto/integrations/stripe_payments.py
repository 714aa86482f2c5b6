"""Payments at Stripe."""

from __future__ import annotations

from dataclasses import dataclass

from talkingphoto.integrations import stripe_reading
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen


@dataclass(frozen=True)
class PaymentIntentFacts:
    """What Stripe says of one payment."""

    id: str
    customer_id: str | None
    failure_code: str | None


class PaymentCalls(StripeCalls):
    """PaymentIntents."""

    def fetch_payment(self, payment_intent_id: str) -> PaymentIntentFacts | None:
        """One payment as it is now."""
        return seen(
            lambda: self._v1.payment_intents.retrieve(safe(payment_intent_id)),
            lambda found: PaymentIntentFacts(
                id=found.id,
                customer_id=stripe_reading.id_of(found.customer),
                failure_code=stripe_reading.failure(found),
            ),
        )

    def paid_with(self, payment_intent_id: str) -> str | None:
        """The card of that payment, by its brand and last digits."""
        params = {"expand": ["latest_charge"]}
        return seen(
            lambda: self._v1.payment_intents.retrieve(safe(payment_intent_id), params),
            lambda found: stripe_reading.card_words(found.latest_charge),
        )
