"""Changing the plan: what can be had, what it costs, and the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from talkingphoto.billing import catalog
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

When = Literal["now", "period_end"]
_AWAY = ("billing.unavailable", "Plans cannot be changed just now. Nothing was charged.")


@dataclass(frozen=True)
class ChangeOption:
    """A plan that could be had instead."""

    item: str
    name: str
    interval: catalog.Interval
    price: Money
    monthly_credits: int
    when: When
    allowed: bool
    why: str


@dataclass(frozen=True)
class PreviewLine:
    """One line of what a change costs."""

    description: str
    amount: Money


@dataclass(frozen=True)
class ChangePreview:
    """What a change costs, exactly, until `valid_until`."""

    item: str
    name: str
    when: When
    at: datetime
    lines: tuple[PreviewLine, ...]
    charge_today: Money
    to_balance: Money
    next_invoice: Money
    next_invoice_at: datetime
    credits_now: int
    monthly_credits: int
    token: str
    valid_until: datetime


@dataclass(frozen=True)
class PendingChange:
    """A change that happens at the end of the period."""

    item: str
    name: str
    interval: catalog.Interval
    price: Money
    monthly_credits: int
    at: datetime


@dataclass(frozen=True)
class ChangeView:
    """What can be changed, what will be, and where a payment waits for the bank."""

    options: tuple[ChangeOption, ...]
    pending: PendingChange | None
    waiting_url: str | None


@dataclass(frozen=True)
class ChangeOutcome:
    """How a change ended."""

    state: Literal["done", "scheduled", "waiting", "failed"]
    item: str
    name: str
    charged: Money | None
    credits_added: int
    at: datetime
    pay_url: str | None
    message: str


class ChangeService:
    """The verbs of changing a plan."""

    def options(self, user_id: str) -> ChangeView:
        """What this customer can change to."""
        raise errors.Unavailable(*_AWAY)

    def preview(self, *, user_id: str, item: str) -> ChangePreview:
        """What that change costs."""
        raise errors.Unavailable(*_AWAY)

    def confirm(self, *, user_id: str, token: str, request_id: str) -> ChangeOutcome:
        """The change of that preview has been made."""
        raise errors.Unavailable(*_AWAY)

    def undo(self, *, user_id: str) -> None:
        """There is no change to come."""
        raise errors.Unavailable(*_AWAY)


change_service = ChangeService()
