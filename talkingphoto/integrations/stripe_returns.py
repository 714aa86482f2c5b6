"""Money that goes back by itself."""

from __future__ import annotations

from talkingphoto.foundation import errors
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, translated


class ReturnCalls(StripeCalls):
    """Payments that should not have been made."""

    def return_payment(self, payment_intent_id: str, *, idempotency_key: str) -> bool:
        """All of the payment goes back to its payer; False when it had gone back before."""
        try:
            with translated():
                self._v1.refunds.create(
                    {"payment_intent": safe(payment_intent_id), "reason": "duplicate"},
                    {"idempotency_key": idempotency_key},
                )
        except errors.InvalidRequest:
            return False
        return True
