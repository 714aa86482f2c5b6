"""Payments that a bank disputes: their credits are frozen, and thawed or taken when it decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import customers, ledger, payments, refund_claims, warnings
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

State = Literal["open", "won", "lost"]
MOST_ROWS = 200
# An inquiry that is closed took nothing; a dispute that was prevented became a refund.
_WON = frozenset({"won", "warning_closed", "prevented"})


class DisputeRow(Base):
    """What we last saw of a dispute; once decided it stays so."""

    __tablename__ = "disputes"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    due_by: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class DisputeFacts:
    """What Stripe says of a dispute."""

    id: str
    payment_intent_id: str | None
    amount: Money
    reason: str
    status: str
    due_by: datetime | None
    created_at: datetime

    @property
    def state(self) -> State:
        """Where it stands, in our words."""
        if self.status in _WON:
            return "won"
        return "lost" if self.status == "lost" else "open"


@dataclass(frozen=True)
class Dispute:
    """A dispute of a customer's payment."""

    id: str
    payment_id: str
    user_id: str
    amount: Money
    reason: str
    state: State
    due_by: datetime | None
    created_at: datetime


def follow(
    session: Session, *, facts: DisputeFacts, looked_at: datetime, now: datetime
) -> Dispute | None:
    """The dispute stands where Stripe says and the payment's credits with it: frozen while it is
    open, free when it is won, taken or owed when it is lost. None for nobody's payment."""
    if facts.payment_intent_id is None:
        return None
    payment = payments.of_intent(session, payment_intent_id=facts.payment_intent_id)
    if payment is None:
        return None
    customers.lock(session, user_id=payment.user_id)
    if _record(session, facts, payment, looked_at=looked_at, now=now):
        _apply(session, facts, payment_id=payment.id, now=now)
    return get(session, dispute_id=facts.id)


def get(session: Session, *, dispute_id: str) -> Dispute:
    """The dispute of that id; NotFound without one."""
    query = select(DisputeRow).filter_by(id=dispute_id).execution_options(populate_existing=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise errors.NotFound("dispute.unknown", "There is no such dispute.")
    return _dispute(row)


def bars_refunds(session: Session, *, payment_id: str) -> bool:
    """Whether a bank decides, or has decided against us, about that payment's money."""
    query = select(DisputeRow.id).where(
        DisputeRow.payment_id == payment_id, DisputeRow.state != "won"
    )
    return session.scalars(query.limit(1)).first() is not None


def is_lost(session: Session, *, payment_id: str) -> bool:
    """Whether a bank has given that payment's money back."""
    query = select(DisputeRow.id).filter_by(payment_id=payment_id, state="lost")
    return session.scalars(query.limit(1)).first() is not None


def of_customer(session: Session, *, user_id: str) -> tuple[Dispute, ...]:
    """That customer's disputes, newest first."""
    query = select(DisputeRow).filter_by(user_id=UUID(user_id)).limit(MOST_ROWS)
    rows = session.scalars(query.order_by(DisputeRow.created_at.desc(), DisputeRow.id))
    return tuple(_dispute(row) for row in rows)


def recent(session: Session) -> tuple[Dispute, ...]:
    """The disputes of everybody: open ones first, those due soonest at the top."""
    query = select(DisputeRow).limit(MOST_ROWS)
    rows = session.scalars(
        query.order_by(DisputeRow.state != "open", DisputeRow.due_by, DisputeRow.created_at.desc())
    )
    return tuple(_dispute(row) for row in rows)


def _record(
    session: Session,
    facts: DisputeFacts,
    payment: payments.Payment,
    *,
    looked_at: datetime,
    now: datetime,
) -> bool:
    values = {
        "amount_minor": facts.amount.minor,
        "currency": facts.amount.currency,
        "reason": facts.reason,
        "status": facts.status,
        "state": facts.state,
        "due_by": facts.due_by,
        "ended_at": None if facts.state == "open" else now,
        "synced_at": looked_at,
    }
    fresh = {
        "id": facts.id,
        "payment_id": payment.id,
        "user_id": UUID(payment.user_id),
        "created_at": facts.created_at,
    }
    written = session.execute(
        insert(DisputeRow)
        .values(**fresh, **values)
        .on_conflict_do_update(
            index_elements=["id"],
            set_=values,
            where=(DisputeRow.synced_at < looked_at) & (DisputeRow.state == "open"),
        )
        .returning(DisputeRow.id)
    )
    return written.first() is not None


def _apply(session: Session, facts: DisputeFacts, *, payment_id: str, now: datetime) -> None:
    key, reason = f"dispute:{facts.id}", "The payment is disputed at the bank"
    if facts.state == "open":
        ledger.freeze(session, key=key, reference=payment_id, reason=reason, now=now)
        return
    if facts.state == "lost":
        lost = "Taken back: the bank has decided the dispute"
        refund_claims.revoke_all(session, key=key, payment_id=payment_id, reason=lost, now=now)
    ledger.thaw(session, key=key, reference=payment_id, now=now)
    warnings.release_all(session, payment_id=payment_id, now=now)


def _dispute(row: DisputeRow) -> Dispute:
    return Dispute(
        id=row.id,
        payment_id=row.payment_id,
        user_id=str(row.user_id),
        amount=Money(row.amount_minor, row.currency),
        reason=row.reason,
        state=row.state,
        due_by=row.due_by,
        created_at=row.created_at,
    )
