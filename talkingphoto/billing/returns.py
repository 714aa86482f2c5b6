"""Payments that came for an account that is over: given back in full, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# What was paid so shortly before an account was deleted, and not used, was not wanted any more.
LATE = timedelta(minutes=15)
AGAIN_AFTER = timedelta(minutes=5)
MOST_AT_ONCE = 50
State = Literal["owed", "returned", "failed"]
_OWE = text(
    """
    INSERT INTO returned_payments (payment_id, user_id, payment_intent_id, amount_minor, currency,
        state, created_at, due_at)
    SELECT p.id, p.user_id, p.payment_intent_id, p.amount_minor, p.currency, 'owed', :now, :now
    FROM payments p
    WHERE p.user_id = :user_id AND p.status = 'paid' AND p.amount_minor > 0
        AND p.payment_intent_id IS NOT NULL
        AND p.id = coalesce(CAST(:payment_id AS text), p.id)
        AND (CAST(:payment_id AS text) IS NOT NULL OR p.paid_at >= :since)
        AND NOT EXISTS (
            SELECT FROM lots l WHERE l.reference = p.id AND l.remaining < l.credits)
    ON CONFLICT (payment_id) DO NOTHING
    RETURNING payment_id
    """
)


class ReturnRow(Base):
    """One payment that goes back."""

    __tablename__ = "returned_payments"
    __table_args__ = (
        Index("ix_returned_payments_due_at", "due_at", postgresql_where=text("state = 'owed'")),
    )

    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    payment_intent_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Return:
    """A payment that is to go back."""

    payment_id: str
    user_id: str
    payment_intent_id: str
    amount: Money

    @property
    def key(self) -> str:
        """The same for every try, so that it goes back once."""
        return f"returned:{self.payment_id}"


def owe(session: Session, *, user_id: str, payment_id: str, now: datetime) -> bool:
    """The payment will be given back; False when it brought no money, or is going back already."""
    return bool(_owe(session, user_id=user_id, payment_id=payment_id, now=now))


def owe_late(session: Session, *, user_id: str, now: datetime) -> int:
    """What was paid a moment ago and not used will be given back; how many payments that are."""
    return _owe(session, user_id=user_id, payment_id=None, now=now)


def due(session: Session, *, now: datetime) -> tuple[Return, ...]:
    """Those that are to go back now, the oldest first; none is due again for a while."""
    waiting = (
        select(ReturnRow.payment_id)
        .where(ReturnRow.state == "owed", ReturnRow.due_at <= now)
        .order_by(ReturnRow.due_at)
        .limit(MOST_AT_ONCE)
    )
    rows = session.scalars(
        update(ReturnRow)
        .where(ReturnRow.payment_id.in_(waiting))
        .values(due_at=now + AGAIN_AFTER)
        .returning(ReturnRow)
    )
    return tuple(
        Return(
            row.payment_id,
            str(row.user_id),
            row.payment_intent_id,
            Money(row.amount_minor, row.currency),
        )
        for row in rows
    )


def move(session: Session, *, payment_id: str, to: State, now: datetime) -> bool:
    """The payment went back, or cannot; False when that was known."""
    moved = session.execute(
        update(ReturnRow)
        .where(ReturnRow.payment_id == payment_id, ReturnRow.state == "owed")
        .values(state=to, done_at=now)
        .returning(ReturnRow.payment_id)
    )
    return moved.first() is not None


def _owe(session: Session, *, user_id: str, payment_id: str | None, now: datetime) -> int:
    values = {"user_id": UUID(user_id), "payment_id": payment_id, "since": now - LATE, "now": now}
    return len(session.execute(_OWE, values).all())
