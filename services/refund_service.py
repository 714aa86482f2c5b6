"""Money that goes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

_AWAY = ("billing.unavailable", "Refunds cannot be shown just now.")


@dataclass(frozen=True)
class RefundOffer:
    """What could go back of a payment."""

    payment_id: str
    description: str
    paid: Money
    refundable: Money
    credits: int
    unused: int
    words: str
    until: datetime | None
    allowed: bool
    why: str


@dataclass(frozen=True)
class RefundView:
    """Money that goes back, and how far it is."""

    id: str
    payment_id: str
    amount: Money
    state: Literal["asked", "pending", "succeeded", "failed"]
    at: datetime
    words: str


@dataclass(frozen=True)
class DisputeView:
    """A payment the bank asks about."""

    id: str
    payment_id: str
    amount: Money
    state: str
    due_by: datetime | None
    words: str


class RefundService:
    """The verbs of money that goes back."""

    def offer(self, *, user_id: str, payment_id: str) -> RefundOffer:
        """What could go back of that payment."""
        raise errors.Unavailable(*_AWAY)

    def withdraw(self, *, user_id: str, payment_id: str, request_id: str) -> RefundView:
        """What is unused of that payment goes back."""
        raise errors.Unavailable(*_AWAY)

    def history(self, user_id: str) -> tuple[RefundView | DisputeView, ...]:
        """All that went back or is asked about."""
        raise errors.Unavailable(*_AWAY)


refund_service = RefundService()
