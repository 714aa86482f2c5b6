"""The life of a plan: its end, its pauses, its trial, and what a code takes off its price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

_AWAY = ("billing.unavailable", "Plans cannot be changed just now. Nothing was charged.")


@dataclass(frozen=True)
class SaveOffer:
    """What we offer instead of the end."""

    kind: Literal["pause", "discount", "downgrade"]
    title: str
    words: str
    action: str


@dataclass(frozen=True)
class EndingView:
    """What the end of the plan means."""

    name: str
    ends_at: datetime
    kept: int
    lost: int
    offer: SaveOffer | None
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PauseChoice:
    """A pause that can be had."""

    until: datetime
    words: str


@dataclass(frozen=True)
class TrialView:
    """A trial that is running."""

    days_left: int
    ends_at: datetime
    then: Money
    has_card: bool


@dataclass(frozen=True)
class CodeOffer:
    """What a code does to a price."""

    code: str
    item: str
    before: Money
    after: Money
    words: str


class SubscriptionService:
    """The verbs of a plan that is had."""

    def ending(self, user_id: str) -> EndingView:
        """What the end of the plan would mean."""
        raise errors.Unavailable(*_AWAY)

    def cancel(
        self, *, user_id: str, request_id: str, reason: str = "", comment: str = ""
    ) -> datetime:
        """The plan ends with its period; the end."""
        raise errors.Unavailable(*_AWAY)

    def accept_offer(self, *, user_id: str, request_id: str, kind: str) -> str:
        """The offer is taken; what that means."""
        raise errors.Unavailable(*_AWAY)

    def resume(self, *, user_id: str) -> None:
        """The plan goes on."""
        raise errors.Unavailable(*_AWAY)

    def pause_choices(self, user_id: str) -> tuple[PauseChoice, ...]:
        """The pauses that can be had."""
        raise errors.Unavailable(*_AWAY)

    def pause(self, *, user_id: str, until: datetime) -> None:
        """The plan pauses until then."""
        raise errors.Unavailable(*_AWAY)

    def unpause(self, *, user_id: str) -> None:
        """There is no pause."""
        raise errors.Unavailable(*_AWAY)

    def trial(self, user_id: str) -> TrialView | None:
        """The trial, while there is one."""
        raise errors.Unavailable(*_AWAY)

    def check_code(self, *, user_id: str | None, item: str, code: str) -> CodeOffer:
        """What the code does to the price of the item."""
        raise errors.Unavailable(*_AWAY)

    def apply_code(self, *, user_id: str, code: str) -> CodeOffer:
        """The code counts for the next invoices."""
        raise errors.Unavailable(*_AWAY)


subscription_service = SubscriptionService()
