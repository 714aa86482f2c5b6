"""What happened to accounts: written once, never changed; addresses are sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation import crypto
from talkingphoto.foundation.database import Base

Kind = Literal[
    "account.created",
    "account.deleted",
    "sign_in.succeeded",
    "sign_in.failed",
    "signed_out",
    "email.proved",
    "office.refused",
]


class SecurityEventRow(Base):
    """One row an event; the user is empty when nobody has the address that was tried."""

    __tablename__ = "security_events"
    __table_args__ = (Index(None, "user_id", "at"), Index(None, "at"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("users.id"))
    ip_sealed: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Event:
    """One thing that happened, to whom if it is known, and where it came from."""

    id: str
    kind: Kind
    user_id: str | None
    ip: str


def record(session: Session, *, event: Event, cipher: crypto.Cipher, now: datetime) -> None:
    """The event is on record."""
    sealed = cipher.encrypt(event.ip, place=f"security_events:ip_sealed:{event.id}")
    session.add(
        SecurityEventRow(
            id=UUID(event.id),
            kind=event.kind,
            user_id=UUID(event.user_id) if event.user_id else None,
            ip_sealed=sealed,
            at=now,
        )
    )
    session.flush()
