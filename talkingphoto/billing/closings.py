"""Accounts that are over: what still runs for them at Stripe has to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.billing.payments import CheckoutRow
from talkingphoto.foundation.database import Base

AGAIN_AFTER = timedelta(minutes=5)
MOST_AT_ONCE = 50


class ClosingRow(Base):
    """One deleted account; done once nothing runs for it at Stripe."""

    __tablename__ = "account_closings"
    __table_args__ = (
        Index("ix_account_closings_due_at", "due_at", postgresql_where=text("done_at IS NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    asked: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Closing:
    """A deleted account at which something may still run; `asked` counts how often that was."""

    user_id: str
    asked: int


def owe(session: Session, *, user_id: str, now: datetime) -> None:
    """What runs for the account at Stripe will be ended, also if that was done before."""
    fresh = insert(ClosingRow).values(user_id=UUID(user_id), asked=1, due_at=now)
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["user_id"],
            set_={"asked": ClosingRow.asked + 1, "due_at": now, "done_at": None},
        )
    )


def open_pages(session: Session, *, user_id: str) -> tuple[str, ...]:
    """The Checkout Sessions on which the customer may yet pay."""
    found = session.scalars(
        select(CheckoutRow.session_id).where(
            CheckoutRow.user_id == UUID(user_id),
            CheckoutRow.state.in_(("open", "processing")),
            CheckoutRow.session_id.is_not(None),
        )
    )
    return tuple(page for page in found if page is not None)


def due(session: Session, *, now: datetime) -> tuple[Closing, ...]:
    """Those that are to be done now, the oldest first; none is due again for a while."""
    waiting = (
        select(ClosingRow.user_id)
        .where(ClosingRow.done_at.is_(None), ClosingRow.due_at <= now)
        .order_by(ClosingRow.due_at)
        .limit(MOST_AT_ONCE)
    )
    rows = session.execute(
        update(ClosingRow)
        .where(ClosingRow.user_id.in_(waiting))
        .values(due_at=now + AGAIN_AFTER)
        .returning(ClosingRow.user_id, ClosingRow.asked)
    )
    return tuple(Closing(str(row.user_id), row.asked) for row in rows)


def finish(session: Session, closing: Closing, *, now: datetime) -> None:
    """Nothing runs any more, unless it was asked for again meanwhile."""
    session.execute(
        update(ClosingRow)
        .where(ClosingRow.user_id == UUID(closing.user_id), ClosingRow.asked == closing.asked)
        .values(done_at=now)
    )
