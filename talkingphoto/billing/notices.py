"""What a customer was told of their credits, each thing once, and whether they want to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.foundation.database import Base

Kind = Literal["low", "out", "runs_out", "expiring", "topup_stopped", "topup_capped"]
_KINDS = "kind IN ('low', 'out', 'runs_out', 'expiring', 'topup_stopped', 'topup_capped')"


class NoticeRow(Base):
    """One thing that was told; the key is the fact it tells of."""

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("char_length(key) BETWEEN 1 AND 200", name="key"),
        CheckConstraint(_KINDS, name="kind"),
        Index(None, "user_id", "at"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    kind: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class NoticePreferenceRow(Base):
    """Who wants to be told of their credits; whoever has no row does."""

    __tablename__ = "notice_preferences"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    credits: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def record(session: Session, *, key: str, user_id: str, kind: Kind, now: datetime) -> bool:
    """It is on record that the customer was told; False when they had been."""
    made = session.execute(
        insert(NoticeRow)
        .values(key=key, user_id=UUID(user_id), kind=kind, at=now)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(NoticeRow.key)
    )
    return made.first() is not None


def prefer(session: Session, *, user_id: str, credits: bool, now: datetime) -> None:
    """The customer is told of their credits from now on, or not."""
    values = {"credits": credits, "changed_at": now}
    session.execute(
        insert(NoticePreferenceRow)
        .values(user_id=UUID(user_id), **values)
        .on_conflict_do_update(index_elements=["user_id"], set_=values)
    )


def wanted(session: Session, *, user_id: str) -> bool:
    """Whether the customer wants to be told; they do until they say otherwise."""
    query = select(NoticePreferenceRow.credits).filter_by(user_id=UUID(user_id))
    return session.scalars(query).one_or_none() is not False
