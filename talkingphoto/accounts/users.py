"""Who somebody is: an e-mail address that receives mail, and the hash of a password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base

LONGEST_EMAIL = 254
_LONGEST_LOCAL_PART = 64
# ASCII only: receipts must arrive, and many mail servers refuse anything else in an address.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}", re.ASCII)


class UserRow(Base):
    """One row a person; `email_key` is the address as compared, `email` as it was typed."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=text("'customer'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class User:
    """Who is signed in."""

    id: str
    email: str
    created_at: datetime


@dataclass(frozen=True)
class Secret:
    """A user and the hash that proves them; it stays inside the service that checks it."""

    user: User
    password_hash: str


def check_email(email: str) -> str:
    """The address without spaces around it; InvalidRequest when mail could not reach it."""
    address = email.strip(" ")
    local_part = address.partition("@")[0]
    fits = len(address) <= LONGEST_EMAIL and len(local_part) <= _LONGEST_LOCAL_PART
    if not fits or not _EMAIL.fullmatch(address):
        raise errors.InvalidRequest(
            "auth.email_invalid", "That is not an e-mail address. Check it for a typing error."
        )
    return address


def email_key(email: str) -> str:
    """The form in which two spellings of one address are the same."""
    return email.strip(" ").lower()


def masked(email: str) -> str:
    """The address as support may see it: enough to recognise, not enough to write to."""
    local_part, at, host = email.rpartition("@")
    return f"{local_part[:1]}***{at}{host}"


def add(session: Session, *, user: User, password_hash: str) -> None:
    """The user exists; Conflict when the address has an account, also one made this instant."""
    added = session.execute(
        insert(UserRow)
        .values(
            id=UUID(user.id),
            email=user.email,
            email_key=email_key(user.email),
            password_hash=password_hash,
            created_at=user.created_at,
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(UserRow.id)
    ).one_or_none()
    if added is None:
        raise errors.Conflict(
            "auth.email_taken", "This e-mail already has an account. Sign in instead."
        )


def get(session: Session, *, user_id: str) -> User:
    """The user of that id, who exists."""
    return of_row(session.scalars(select(UserRow).filter_by(id=UUID(user_id))).one())


def exists(session: Session, *, user_id: str) -> bool:
    """Whether somebody has that id."""
    return session.get(UserRow, UUID(user_id)) is not None


def secret_of(session: Session, *, email: str) -> Secret | None:
    """The account behind that address; None when there is none."""
    found = session.scalars(select(UserRow).filter_by(email_key=email_key(email))).one_or_none()
    return Secret(of_row(found), found.password_hash) if found else None


def replace_hash(session: Session, *, user_id: str, old: str, new: str) -> None:
    """The password is kept under the new hash, unless it was changed meanwhile."""
    session.execute(
        update(UserRow)
        .where(UserRow.id == UUID(user_id), UserRow.password_hash == old)
        .values(password_hash=new)
    )


def delete(session: Session, *, user_id: str, now: datetime) -> bool:
    """Nobody signs in as that user any more and the address is free; False when it was so before.

    The address stays on record as it was typed: for receipts, and for what has to go back."""
    gone = session.execute(
        update(UserRow)
        .where(UserRow.id == UUID(user_id), UserRow.deleted_at.is_(None))
        .values(deleted_at=now, email_key=f"deleted:{user_id}", password_hash="")
        .returning(UserRow.id)
    )
    return gone.first() is not None


def is_deleted(session: Session, *, user_id: str) -> bool:
    """Whether that account is over."""
    at = session.scalars(select(UserRow.deleted_at).filter_by(id=UUID(user_id))).one_or_none()
    return at is not None


def of_row(row: UserRow) -> User:
    """The user a row stands for."""
    return User(str(row.id), row.email, row.created_at)
