"""Which operations were looked at for card data, and what was found: names of fields only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation.database import Base


class CardDataCheckRow(Base):
    """One row a check; the database refuses to change it."""

    __tablename__ = "card_data_checks"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    user_id: Mapped[str | None]
    operation: Mapped[str]
    compliant: Mapped[bool]
    fields: Mapped[list[str]] = mapped_column(JSONB)


@dataclass(frozen=True)
class CardDataCheck:
    """One check: who asked about which operation, and the fields that may not be there."""

    id: str
    at: datetime
    user_id: str | None
    operation: str
    fields: tuple[str, ...]


def record(session: Session, check: CardDataCheck) -> None:
    """The check is on record for good."""
    session.add(
        CardDataCheckRow(
            id=UUID(check.id),
            at=check.at,
            user_id=check.user_id,
            operation=check.operation,
            compliant=not check.fields,
            fields=list(check.fields),
        )
    )
    session.flush()


def recent(session: Session, *, limit: int) -> tuple[CardDataCheck, ...]:
    """The latest checks, newest first."""
    rows = session.scalars(
        select(CardDataCheckRow)
        .order_by(CardDataCheckRow.at.desc(), CardDataCheckRow.id)
        .limit(limit)
    )
    return tuple(
        CardDataCheck(str(row.id), row.at, row.user_id, row.operation, tuple(row.fields))
        for row in rows
    )
