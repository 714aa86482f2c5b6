"""Signed-in browsers: an opaque token in a cookie, its SHA-256 here, looked up on every run.

A session ends after an hour without use and a day after its start, whatever comes first. Use is
noted at most once a minute, so that a page which asks every second reads and seldom writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.accounts import users
from talkingphoto.foundation import crypto
from talkingphoto.foundation.database import Base

IDLE = timedelta(minutes=60)
ABSOLUTE = timedelta(hours=24)
NOTED_EVERY = timedelta(minutes=1)
_LONGEST_USER_AGENT = 200


class SessionRow(Base):
    """One row a signed-in browser; ending it deletes the row."""

    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    user_agent: Mapped[str]
    ip_sealed: Mapped[bytes]


@dataclass(frozen=True)
class Browser:
    """Where a sign-in comes from."""

    ip: str
    user_agent: str


def start(
    session: Session, *, user_id: str, browser: Browser, cipher: crypto.Cipher, now: datetime
) -> str:
    """The user is signed in with the token returned, which is kept nowhere else."""
    token = crypto.new_token()
    token_hash = crypto.hash_token(token)
    printable = "".join(letter for letter in browser.user_agent if letter.isprintable())
    session.add(
        SessionRow(
            token_hash=token_hash,
            user_id=UUID(user_id),
            created_at=now,
            last_seen_at=now,
            user_agent=printable[:_LONGEST_USER_AGENT],
            ip_sealed=cipher.encrypt(browser.ip, place=f"sessions:ip_sealed:{token_hash.hex()}"),
        )
    )
    session.flush()
    return token


def user_of(session: Session, *, token: str, active: bool, now: datetime) -> users.User | None:
    """Whose live session that is; an `active` look-up keeps it from ending by idleness."""
    token_hash = crypto.hash_token(token)
    found = session.execute(
        select(users.UserRow, SessionRow.last_seen_at)
        .join(SessionRow, SessionRow.user_id == users.UserRow.id)
        .where(
            SessionRow.token_hash == token_hash,
            users.UserRow.deleted_at.is_(None),
            SessionRow.last_seen_at > now - IDLE,
            SessionRow.created_at > now - ABSOLUTE,
        )
    ).one_or_none()
    if found is None:
        return None
    if active and found.last_seen_at <= now - NOTED_EVERY:
        session.execute(
            update(SessionRow).where(SessionRow.token_hash == token_hash).values(last_seen_at=now)
        )
    return users.of_row(found.UserRow)


def end(session: Session, *, token: str) -> str | None:
    """The token signs nobody in; returns whose session it was, None when there was none."""
    user_id = session.scalars(
        delete(SessionRow)
        .where(SessionRow.token_hash == crypto.hash_token(token))
        .returning(SessionRow.user_id)
    ).one_or_none()
    return str(user_id) if user_id else None


def end_all(session: Session, *, user_id: str) -> None:
    """The user is signed in nowhere."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == UUID(user_id)))


def forget_ended(session: Session, *, now: datetime, limit: int) -> int:
    """Up to `limit` sessions that ended by themselves are gone."""
    oldest = (
        select(SessionRow.token_hash)
        .where(or_(SessionRow.last_seen_at <= now - IDLE, SessionRow.created_at <= now - ABSOLUTE))
        .limit(limit)
    )
    gone = session.scalars(
        delete(SessionRow).where(SessionRow.token_hash.in_(oldest)).returning(SessionRow.token_hash)
    ).all()
    return len(gone)
