"""What to do about a payment that failed."""

from __future__ import annotations

from talkingphoto.billing import declines


class RetryService:
    """Reads a decline for the customer and for the records."""

    def explain(
        self,
        decline_code: str | None,
        *,
        advice_code: str | None = None,
        network_advice_code: str | None = None,
    ) -> declines.DeclineAdvice:
        """What the decline means, in a sentence for the customer and in facts for us."""
        return declines.explain(
            decline_code, advice_code=advice_code, network_advice_code=network_advice_code
        )


retry_service = RetryService()
