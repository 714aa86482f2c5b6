"""A customer's plan as we know it, with its own price, its pause, its trial and its discount."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger, DateTime

from talkingphoto.billing import catalog
from talkingphoto.foundation.money import Money


@dataclass(frozen=True)
class Standing:
    """How a subscription stands besides its status; `price` is what this customer pays."""

    price_id: str | None = None
    price: Money | None = None
    is_paused: bool = False
    pauses_at: datetime | None = None
    resumes_at: datetime | None = None
    trial_ends_at: datetime | None = None
    discount: str = ""
    discount_ends_at: datetime | None = None

    def discount_at(self, now: datetime) -> str:
        """The discount in words while it lasts; empty without one."""
        over = self.discount_ends_at is not None and self.discount_ends_at <= now
        return "" if over else self.discount


UNKNOWN = Standing()


@dataclass(frozen=True)
class Subscription:
    """A customer's plan as we know it."""

    id: str
    user_id: str
    item: catalog.Item
    status: str
    period_end: datetime
    cancel_at_period_end: bool
    period_start: datetime
    standing: Standing = UNKNOWN

    @property
    def price(self) -> Money:
        """What this customer pays, which may be an older price than the list's."""
        return self.standing.price or self.item.price

    @property
    def renews_at(self) -> datetime | None:
        """When the next paid period begins by itself; None while nobody can promise that."""
        if self.status not in {"active", "trialing"} or self.cancel_at_period_end:
            return None
        if self.standing.is_paused:
            return self.standing.resumes_at
        return self.period_end


class StandingColumns:
    """The standing as columns of the table of subscriptions."""

    price_id: Mapped[str | None]
    price_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    is_paused: Mapped[bool]
    pauses_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resumes_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trial_ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    discount: Mapped[str]
    discount_ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def values(standing: Standing) -> dict[str, Any]:
    """The columns that say the same."""
    return {
        "price_id": standing.price_id,
        "price_minor": standing.price.minor if standing.price else None,
        "currency": standing.price.currency if standing.price else None,
        "is_paused": standing.is_paused,
        "pauses_at": standing.pauses_at,
        "resumes_at": standing.resumes_at,
        "trial_ends_at": standing.trial_ends_at,
        "discount": standing.discount,
        "discount_ends_at": standing.discount_ends_at,
    }


def of_row(row: StandingColumns) -> Standing:
    """The standing that the columns say."""
    known = row.price_minor is not None and row.currency is not None
    return Standing(
        price_id=row.price_id,
        price=Money(row.price_minor or 0, row.currency or "") if known else None,
        is_paused=row.is_paused,
        pauses_at=row.pauses_at,
        resumes_at=row.resumes_at,
        trial_ends_at=row.trial_ends_at,
        discount=row.discount,
        discount_ends_at=row.discount_ends_at,
    )
