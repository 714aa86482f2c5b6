"""A second plan of one customer, paid by accident: the newer one is to be given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing.subscriptions import LIVE, SubscriptionRow
from talkingphoto.foundation.database import Base

State = Literal["found", "returned", "dismissed"]
MOST_DUE = 20
AGAIN_AFTER = timedelta(minutes=10)


class DuplicatePlanRow(Base):
    """A plan that began while another one ran, and what became of it."""

    __tablename__ = "duplicate_plans"
    __table_args__ = (
        Index("ix_duplicate_plans_due_at", "due_at", postgresql_where=text("state = 'found'")),
    )

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    kept_id: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Duplicate:
    """One plan too many, and the one that is kept."""

    subscription_id: str
    user_id: str
    kept_id: str


def find(session: Session, *, user_id: str, now: datetime) -> tuple[str, ...]:
    """All live plans of the customer but the oldest are on record as too many: the new ones."""
    live = session.execute(
        select(SubscriptionRow.id)
        .where(SubscriptionRow.user_id == UUID(user_id), SubscriptionRow.status.in_(LIVE))
        .order_by(SubscriptionRow.started_at, SubscriptionRow.id)
    ).scalars()
    kept, *more = [*live] or [""]
    if not more:
        return ()
    rows = [
        {
            "subscription_id": one,
            "user_id": UUID(user_id),
            "kept_id": kept,
            "state": "found",
            "due_at": now,
            "created_at": now,
        }
        for one in more
    ]
    fresh = insert(DuplicatePlanRow).values(rows)
    return tuple(
        session.execute(
            fresh.on_conflict_do_nothing(index_elements=["subscription_id"]).returning(
                DuplicatePlanRow.subscription_id
            )
        ).scalars()
    )


def is_one(session: Session, *, subscription_id: str | None) -> bool:
    """Whether that plan is one too many: it brings nothing."""
    known = select(DuplicatePlanRow.subscription_id).where(
        DuplicatePlanRow.subscription_id == subscription_id,
        DuplicatePlanRow.state != "dismissed",
    )
    return session.scalars(known).first() is not None


def unsettled(session: Session, *, subscription_id: str) -> Duplicate | None:
    """The plan that is still to be given back; None when that was done."""
    row = session.scalars(
        select(DuplicatePlanRow).filter_by(subscription_id=subscription_id, state="found")
    ).one_or_none()
    return Duplicate(row.subscription_id, str(row.user_id), row.kept_id) if row else None


def due(session: Session, *, now: datetime) -> tuple[str, ...]:
    """Plans that are to be given back now, at most twenty."""
    waiting = (
        select(DuplicatePlanRow.subscription_id)
        .where(DuplicatePlanRow.state == "found", DuplicatePlanRow.due_at <= now)
        .order_by(DuplicatePlanRow.due_at)
        .limit(MOST_DUE)
    )
    return tuple(session.scalars(waiting))


def postpone(session: Session, *, subscription_id: str, now: datetime) -> None:
    """The plan is looked at again after a while."""
    session.execute(
        update(DuplicatePlanRow)
        .where(DuplicatePlanRow.subscription_id == subscription_id)
        .values(due_at=now + AGAIN_AFTER)
    )


def end(session: Session, *, subscription_id: str, state: State, now: datetime) -> bool:
    """The plan was given back, or was no duplicate; False when somebody else said so first."""
    ended = session.execute(
        update(DuplicatePlanRow)
        .where(
            DuplicatePlanRow.subscription_id == subscription_id,
            DuplicatePlanRow.state == "found",
        )
        .values(state=state, ended_at=now)
        .returning(DuplicatePlanRow.subscription_id)
    )
    return ended.first() is not None
