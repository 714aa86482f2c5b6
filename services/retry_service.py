"""What to do about a payment that failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from talkingphoto.billing import declines
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

_AWAY = ("billing.unavailable", "The payment cannot be looked up just now.")


@dataclass(frozen=True)
class PastDue:
    """A payment that did not go through, and what comes next."""

    amount: Money
    words: str
    card: str
    next_try_at: datetime | None
    pay_url: str
    needs_bank: bool


class RetryService:
    """Reads a decline for the customer and for the records."""

    def past_due(self, user_id: str) -> PastDue | None:
        """What is due, if anything is."""
        raise errors.Unavailable(*_AWAY)

    def retry_now(self, *, user_id: str) -> bool:
        """The payment was tried once more; whether it went through."""
        raise errors.Unavailable(*_AWAY)

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
