"""Links that prove something, sent by mail: used once, within the hour, for one purpose only.

Only their hashes are kept; the token itself is made when the message leaves and is nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.accounts.users import UserRow
from talkingphoto.foundation import crypto, errors
from talkingphoto.foundation.database import Base

GOOD_FOR = timedelta(minutes=60)
Purpose = Literal["verify_email"]


class VerificationRow(Base):
    """One link that was sent; using it deletes it, and the user's others of that purpose too."""

    __tablename__ = "verifications"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(Text)
    email_key: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


@dataclass(frozen=True)
class Proved:
    """Whose address was proved, and as which."""

    user_id: str
    email_key: str


def open_link(session: Session, *, user_id: str, purpose: Purpose, now: datetime) -> str:
    """A token of 256 bits that proves the user's address of this moment, for an hour."""
    token = crypto.new_token()
    address = session.scalars(select(UserRow.email_key).filter_by(id=UUID(user_id))).one()
    session.add(
        VerificationRow(
            token_hash=crypto.hash_token(token),
            user_id=UUID(user_id),
            purpose=purpose,
            email_key=address,
            expires_at=now + GOOD_FOR,
        )
    )
    session.flush()
    return token


def use(session: Session, *, token: str, purpose: Purpose, now: datetime) -> Proved:
    """The link is used up and proves what it was made for; InvalidRequest when it proves nothing.

    Used before, too old, altered, of another purpose, of an address since changed: one answer."""
    found = session.execute(
        delete(VerificationRow)
        .where(
            VerificationRow.token_hash == crypto.hash_token(token),
            VerificationRow.purpose == purpose,
            VerificationRow.expires_at > now,
            VerificationRow.email_key
            == select(UserRow.email_key)
            .where(UserRow.id == VerificationRow.user_id)
            .scalar_subquery(),
        )
        .returning(VerificationRow.user_id, VerificationRow.email_key)
    ).one_or_none()
    if found is None:
        raise errors.InvalidRequest(
            "auth.link_over",
            "This link was used before, or is older than an hour. Ask for a new one on your"
            " account page.",
        )
    others = delete(VerificationRow).filter_by(user_id=found.user_id, purpose=purpose)
    session.execute(others)
    return Proved(str(found.user_id), found.email_key)


def mark_proved(session: Session, *, user_id: str, now: datetime) -> None:
    """The user's address is known to be theirs, since the first time it was proved."""
    session.execute(
        update(UserRow)
        .where(UserRow.id == UUID(user_id), UserRow.verified_at.is_(None))
        .values(verified_at=now)
    )


def is_proved(session: Session, *, user_id: str) -> bool:
    """Whether the user's address is known to be theirs."""
    return (
        session.scalars(select(UserRow.verified_at).filter_by(id=UUID(user_id))).one() is not None
    )


def forget_past(session: Session, *, now: datetime, limit: int) -> int:
    """Up to `limit` links that are too old are gone."""
    oldest = select(VerificationRow.token_hash).where(VerificationRow.expires_at <= now)
    gone = session.scalars(
        delete(VerificationRow)
        .where(VerificationRow.token_hash.in_(oldest.limit(limit)))
        .returning(VerificationRow.token_hash)
    ).all()
    return len(gone)
