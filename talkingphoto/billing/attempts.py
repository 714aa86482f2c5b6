"""Tries to pay that a bank refused: what the customer is told, and what recovery later reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation.database import Base


class FailedAttemptRow(Base):
    """One refused try; the key is the event that told of it."""

    __tablename__ = "failed_attempts"
    __table_args__ = (Index("ix_failed_attempts_user_id", "user_id", text("failed_at DESC")),)

    key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    payment_intent_id: Mapped[str]
    failure_code: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Failure:
    """A refused try and the bank's reason in Stripe's code."""

    key: str
    payment_intent_id: str
    failure_code: str
    failed_at: datetime


def record(session: Session, *, user_id: str, failure: Failure) -> None:
    """The refused try is on record, once."""
    session.execute(
        insert(FailedAttemptRow)
        .values(
            key=failure.key,
            user_id=UUID(user_id),
            payment_intent_id=failure.payment_intent_id,
            failure_code=failure.failure_code,
            failed_at=failure.failed_at,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )
