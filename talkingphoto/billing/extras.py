"""A checkout as an intent to buy, and what it may come with: a trial, or a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Mapped

CheckoutState = Literal["open", "processing", "paid", "failed", "expired"]


@dataclass(frozen=True)
class Extras:
    """Days of trial, 0 for none; and a code with its id at Stripe."""

    trial_days: int = 0
    code: str = ""
    promotion_code_id: str | None = None


NONE = Extras()


@dataclass(frozen=True)
class Checkout:
    """An intent to buy, and where it stands."""

    user_id: str
    request_id: str
    item: str
    price_id: str
    session_id: str | None
    url: str | None
    state: CheckoutState
    extras: Extras

    @property
    def idempotency_key(self) -> str:
        """The same for every try of this intent, so Stripe makes one session."""
        return f"checkout:{self.user_id}:{self.request_id}"


class ExtrasColumns:
    """The extras as columns of the table of checkouts."""

    trial_days: Mapped[int]
    code: Mapped[str]
    promotion_code_id: Mapped[str | None]


def values(extras: Extras) -> dict[str, Any]:
    """The columns that say the same."""
    return dict(vars(extras))


def of_row(row: ExtrasColumns) -> Extras:
    """The extras that the columns say."""
    return Extras(row.trial_days, row.code, row.promotion_code_id)
