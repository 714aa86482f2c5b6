"""What a customer was told of their credits, each thing once, and whether they want to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
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
        Index("ix_notices_to_mail", "at", postgresql_where=text("NOT mailed")),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    kind: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, str]] = mapped_column(JSONB)
    mailed: Mapped[bool] = mapped_column(server_default=text("false"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class NoticePreferenceRow(Base):
    """Who wants to be told of their credits; whoever has no row does."""

    __tablename__ = "notice_preferences"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    credits: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Notice:
    """What to tell whom, with ids, dates and sums."""

    key: str
    user_id: str
    kind: Kind
    facts: Mapping[str, str]


def record(session: Session, told: Notice, *, now: datetime) -> bool:
    """It is on record that the customer is to be told; False when it was."""
    made = session.execute(
        insert(NoticeRow)
        .values(
            key=told.key,
            user_id=UUID(told.user_id),
            kind=told.kind,
            facts=dict(told.facts),
            at=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(NoticeRow.key)
    )
    return made.first() is not None


def take_unmailed(session: Session, *, limit: int) -> tuple[Notice, ...]:
    """Those that no mail was written for yet, which the caller writes in this transaction."""
    first = (
        select(NoticeRow.key).where(~NoticeRow.mailed).order_by(NoticeRow.at).limit(limit)
    ).scalar_subquery()
    rows = session.execute(
        update(NoticeRow)
        .where(NoticeRow.key.in_(first), ~NoticeRow.mailed)
        .values(mailed=True)
        .returning(NoticeRow.key, NoticeRow.user_id, NoticeRow.kind, NoticeRow.facts)
    )
    return tuple(Notice(row.key, str(row.user_id), row.kind, row.facts) for row in rows)


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
