"""Which terms somebody accepted, and when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation import crypto
from talkingphoto.foundation.database import Base

# The day of the text on the terms page; a new text has a new day.
CURRENT_VERSION = "2026-11-24"


class TermsAcceptanceRow(Base):
    """One row a version somebody accepted."""

    __tablename__ = "terms_acceptances"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    accepted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ip_sealed: Mapped[bytes | None]


def accept(
    session: Session, *, user_id: str, ip: str, cipher: crypto.Cipher, now: datetime
) -> None:
    """The user's agreement to the current terms is on record."""
    place = f"terms_acceptances:ip_sealed:{user_id}:{CURRENT_VERSION}"
    session.add(
        TermsAcceptanceRow(
            user_id=UUID(user_id),
            version=CURRENT_VERSION,
            accepted_at=now,
            ip_sealed=cipher.encrypt(ip, place=place),
        )
    )
    session.flush()
