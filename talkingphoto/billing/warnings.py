"""Early warnings of fraud: what was done about each, and the cards that are barred by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing import ledger, payments
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base

Action = Literal["refunded", "frozen", "noted", "released"]


class FraudWarningRow(Base):
    """One warning of a bank about one payment."""

    __tablename__ = "fraud_warnings"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    fraud_type: Mapped[str]
    action: Mapped[Action] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class BarredCardRow(Base):
    """A card that a bank has warned of, by Stripe's one-way print of it."""

    __tablename__ = "barred_cards"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    warning_id: Mapped[str] = mapped_column(ForeignKey("fraud_warnings.id"))
    barred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class WarningFacts:
    """What Stripe says of a warning, and of the card behind it."""

    id: str
    payment_intent_id: str | None
    fraud_type: str
    fingerprint: str | None
    created_at: datetime


def record(
    session: Session,
    *,
    facts: WarningFacts,
    payment: payments.Payment,
    action: Action,
    now: datetime,
) -> bool:
    """The warning is on record with what is done about it, and its card is barred; False when
    it was before."""
    made = session.execute(
        insert(FraudWarningRow)
        .values(
            id=facts.id,
            payment_id=payment.id,
            user_id=UUID(payment.user_id),
            fraud_type=facts.fraud_type,
            action=action,
            created_at=facts.created_at,
            recorded_at=now,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(FraudWarningRow.id)
    )
    if made.first() is None:
        return False
    if facts.fingerprint:
        barred = insert(BarredCardRow).values(
            fingerprint=facts.fingerprint, warning_id=facts.id, barred_at=now
        )
        session.execute(barred.on_conflict_do_nothing(index_elements=["fingerprint"]))
    if action == "frozen":
        ledger.freeze(
            session,
            key=_key(facts.id),
            reference=payment.id,
            reason="The bank has warned of this payment",
            now=now,
        )
    return True


def release(session: Session, *, warning_id: str, now: datetime) -> str:
    """What that warning froze can be spent again: the id of its payment; NotFound without it."""
    query = select(FraudWarningRow.payment_id).filter_by(id=warning_id)
    payment_id = session.scalars(query).one_or_none()
    if payment_id is None:
        raise errors.NotFound("warning.unknown", "There is no such warning.")
    _release(session, warning_id=warning_id, payment_id=payment_id, now=now)
    return payment_id


def release_all(session: Session, *, payment_id: str, now: datetime) -> None:
    """What warnings of that payment froze can be spent again, if it is there still."""
    query = select(FraudWarningRow.id).filter_by(payment_id=payment_id, action="frozen")
    for warning_id in session.scalars(query.order_by(FraudWarningRow.id)).all():
        _release(session, warning_id=warning_id, payment_id=payment_id, now=now)


def is_barred(session: Session, *, fingerprint: str) -> bool:
    """Whether a bank has warned of that card before."""
    return session.get(BarredCardRow, fingerprint) is not None


def bars_any(session: Session) -> bool:
    """Whether a bank has warned of any card so far."""
    return session.scalars(select(BarredCardRow.fingerprint).limit(1)).first() is not None


def _release(session: Session, *, warning_id: str, payment_id: str, now: datetime) -> None:
    session.execute(
        update(FraudWarningRow)
        .where(FraudWarningRow.id == warning_id, FraudWarningRow.action == "frozen")
        .values(action="released")
    )
    ledger.thaw(session, key=_key(warning_id), reference=payment_id, now=now)


def _key(warning_id: str) -> str:
    return f"warning:{warning_id}"
