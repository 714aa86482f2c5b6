"""The videos of a customer: where they come from, how long they last, and new ones in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

_AWAY = ("billing.unavailable", "The list of your videos cannot be shown just now.")


@dataclass(frozen=True)
class WalletLot:
    """Videos that came together."""

    source: ledger.Source
    description: str
    credits: int
    remaining: int
    expires_at: datetime | None
    frozen: bool


@dataclass(frozen=True)
class Forecast:
    """How long they last at this pace."""

    per_day_tenths: int
    runs_out_at: datetime | None
    next_credits_at: datetime | None
    words: str


@dataclass(frozen=True)
class AutoTopUp:
    """The pack that is bought by itself."""

    item: str
    credits: int
    price: Money
    threshold: int
    monthly_cap: Money
    spent_this_month: Money
    on: bool
    stopped_because: str


@dataclass(frozen=True)
class AutoChoice:
    """What a customer agrees to."""

    item: str
    threshold: int
    monthly_cap_minor: int
    consent: bool
    ip: str


@dataclass(frozen=True)
class Wallet:
    """Everything about the videos of a customer."""

    available: int
    held: int
    frozen: int
    owed: int
    lots: tuple[WalletLot, ...]
    forecast: Forecast
    warning: Literal["", "low", "out", "expiring"]
    warning_words: str
    auto: AutoTopUp | None
    can_auto: bool


@dataclass(frozen=True)
class StatementLine:
    """One change of the credits; `video_id` leads to the video while there is one to see."""

    id: str
    at: datetime
    kind: ledger.Kind
    source: ledger.Source
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None
    video_id: str | None


@dataclass(frozen=True)
class StatementPage:
    """Changes of the credits, newest first; `next` asks for the older ones."""

    rows: tuple[StatementLine, ...]
    next: str | None


class WalletService:
    """The verbs of the videos of a customer."""

    def wallet(self, user_id: str) -> Wallet:
        """The wallet as it is now."""
        raise errors.Unavailable(*_AWAY)

    def statement(self, *, user_id: str, before: str | None = None) -> StatementPage:
        """What came and went before that row, the latest first."""
        raise errors.Unavailable(*_AWAY)

    def turn_on(self, *, user_id: str, choice: AutoChoice) -> None:
        """Packs are bought by themselves."""
        raise errors.Unavailable(*_AWAY)

    def turn_off(self, *, user_id: str) -> None:
        """Nothing is bought by itself."""
        raise errors.Unavailable(*_AWAY)


wallet_service = WalletService()
