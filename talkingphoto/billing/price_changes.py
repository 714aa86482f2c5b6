"""Old prices stay with those who pay them, until a change that was announced in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import catalog
from talkingphoto.billing.catalog import CatalogPriceRow
from talkingphoto.billing.subscriptions import LIVE, SubscriptionRow
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

NOTICE = timedelta(days=30)
# So late that whoever still thinks about leaving pays the old price to the end.
BEFORE_RENEWAL = timedelta(days=1)
State = Literal["planned", "noticed", "done", "cancelled"]


class PriceChangeRow(Base):
    """One change of what subscribers of an old price pay."""

    __tablename__ = "price_changes"
    __table_args__ = (
        Index(
            "uq_price_changes_open",
            "from_price_id",
            unique=True,
            postgresql_where=text("state IN ('planned', 'noticed')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    item: Mapped[str]
    from_price_id: Mapped[str]
    to_price_id: Mapped[str]
    before_minor: Mapped[int] = mapped_column(BigInteger)
    after_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    effective_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[State] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PriceMoveRow(Base):
    """One subscriber of a change: told then, and moved since."""

    __tablename__ = "price_moves"

    change_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("price_changes.id"), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    noticed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    moved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class PriceChange:
    """From one Stripe price to another, for renewals from that day on."""

    id: str
    item: catalog.Item
    from_price_id: str
    to_price_id: str
    before: Money
    after: Money
    effective_at: datetime
    state: State


@dataclass(frozen=True)
class Subscriber:
    """A plan that a change is about."""

    user_id: str
    subscription_id: str
    period_end: datetime


@dataclass(frozen=True)
class PaidPrice:
    """A price at Stripe, whether new customers pay it, and how many pay it now."""

    item: str
    price_id: str
    price: Money | None
    is_current: bool
    subscribers: int


def report(session: Session) -> tuple[PaidPrice, ...]:
    """Who pays what: every price of every item, the current one first."""
    live = SubscriptionRow.status.in_(LIVE)
    rows = session.execute(
        select(
            CatalogPriceRow.item,
            CatalogPriceRow.price_id,
            CatalogPriceRow.current,
            func.coalesce(CatalogPriceRow.amount_minor, func.max(SubscriptionRow.price_minor)),
            func.coalesce(CatalogPriceRow.currency, func.max(SubscriptionRow.currency)),
            func.count(SubscriptionRow.id),
        )
        .outerjoin(SubscriptionRow, (SubscriptionRow.price_id == CatalogPriceRow.price_id) & live)
        .group_by(CatalogPriceRow.price_id)
        .order_by(CatalogPriceRow.item, CatalogPriceRow.current.desc(), CatalogPriceRow.price_id)
    )
    return tuple(
        PaidPrice(item, price_id, None if minor is None else Money(minor, currency), current, count)
        for item, price_id, current, minor, currency, count in rows
    )


def plan(session: Session, change: PriceChange, *, now: datetime) -> PriceChange:
    """The change is planned; InvalidRequest when it is too soon, Conflict when that price has one
    already."""
    if change.effective_at < now + NOTICE:
        raise errors.InvalidRequest(
            "prices.too_soon",
            f"It is announced {NOTICE.days} days before. Choose a later day.",
        )
    made = session.execute(
        insert(PriceChangeRow)
        .values(
            id=UUID(change.id),
            item=change.item.key,
            from_price_id=change.from_price_id,
            to_price_id=change.to_price_id,
            before_minor=change.before.minor,
            after_minor=change.after.minor,
            currency=change.after.currency,
            effective_at=change.effective_at,
            state="planned",
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(PriceChangeRow.id)
    )
    if made.first() is None:
        raise errors.Conflict("prices.planned", "A change of this price is planned already.")
    return change


def call_off(session: Session, *, change_id: str) -> bool:
    """Nobody is moved by that change any more; False when it was over."""
    stopped = session.execute(
        update(PriceChangeRow)
        .where(PriceChangeRow.id == UUID(change_id), _is_open())
        .values(state="cancelled")
        .returning(PriceChangeRow.id)
    )
    return stopped.first() is not None


def open_ones(session: Session) -> tuple[PriceChange, ...]:
    """Changes that are planned or announced, the soonest first."""
    rows = session.scalars(
        select(PriceChangeRow).where(_is_open()).order_by(PriceChangeRow.effective_at)
    )
    return tuple(_change(row) for row in rows)


def to_notice(session: Session, change: PriceChange, *, limit: int) -> tuple[Subscriber, ...]:
    """Subscribers of the old price who were not told yet; whoever is leaving need not be."""
    told = exists().where(
        PriceMoveRow.change_id == UUID(change.id),
        PriceMoveRow.subscription_id == SubscriptionRow.id,
    )
    rows = session.scalars(_audience(change).where(~told).limit(limit))
    return tuple(_subscriber(row) for row in rows)


def notice(session: Session, change: PriceChange, one: Subscriber, *, now: datetime) -> bool:
    """The subscriber is told; False when they were before."""
    told = session.execute(
        insert(PriceMoveRow)
        .values(
            change_id=UUID(change.id),
            subscription_id=one.subscription_id,
            user_id=UUID(one.user_id),
            noticed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["change_id", "subscription_id"])
        .returning(PriceMoveRow.subscription_id)
    )
    return told.first() is not None


def to_move(
    session: Session, change: PriceChange, *, now: datetime, limit: int
) -> tuple[Subscriber, ...]:
    """Subscribers whose next renewal is near, on or after the day, and who were told in time."""
    rows = session.scalars(
        _audience(change)
        .join(PriceMoveRow, PriceMoveRow.subscription_id == SubscriptionRow.id)
        .where(
            PriceMoveRow.change_id == UUID(change.id),
            PriceMoveRow.noticed_at <= SubscriptionRow.period_end - NOTICE,
            SubscriptionRow.period_end >= change.effective_at,
            SubscriptionRow.period_end <= now + BEFORE_RENEWAL,
            SubscriptionRow.period_end > now,
        )
        .limit(limit)
    )
    return tuple(_subscriber(row) for row in rows)


def moved(session: Session, change: PriceChange, one: Subscriber, *, now: datetime) -> None:
    """The subscriber pays the new price from the next renewal on."""
    session.execute(
        update(PriceMoveRow)
        .where(
            PriceMoveRow.change_id == UUID(change.id),
            PriceMoveRow.subscription_id == one.subscription_id,
            PriceMoveRow.moved_at.is_(None),
        )
        .values(moved_at=now)
    )


def advance(session: Session, change: PriceChange, *, now: datetime) -> None:
    """The change is announced, and done when nobody who stays pays the old price."""
    left = session.scalars(_audience(change).limit(1)).first()
    done = left is None and change.effective_at <= now
    session.execute(
        update(PriceChangeRow)
        .where(PriceChangeRow.id == UUID(change.id), _is_open())
        .values(state="done" if done else "noticed")
    )


def _audience(change: PriceChange) -> Select[SubscriptionRow]:
    return (
        select(SubscriptionRow)
        .where(
            SubscriptionRow.price_id == change.from_price_id,
            SubscriptionRow.status.in_(LIVE),
            ~SubscriptionRow.cancel_at_period_end,
        )
        .order_by(SubscriptionRow.period_end, SubscriptionRow.id)
    )


def _is_open() -> ColumnElement[bool]:
    return PriceChangeRow.state.in_(("planned", "noticed"))


def _subscriber(row: SubscriptionRow) -> Subscriber:
    return Subscriber(str(row.user_id), row.id, row.period_end)


def _change(row: PriceChangeRow) -> PriceChange:
    return PriceChange(
        id=str(row.id),
        item=catalog.item(row.item),
        from_price_id=row.from_price_id,
        to_price_id=row.to_price_id,
        before=Money(row.before_minor, row.currency),
        after=Money(row.after_minor, row.currency),
        effective_at=row.effective_at,
        state=row.state,
    )
