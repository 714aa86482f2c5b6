"""Who works here, what they may do, and what they did: written once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.accounts.users import UserRow, email_key
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base

Role = Literal["customer", "support", "admin"]
_RANKS: tuple[Role, ...] = ("customer", "support", "admin")
LONGEST_REASON = 500


class StaffActionRow(Base):
    """One thing that a member of staff did, to what, and why."""

    __tablename__ = "staff_actions"
    __table_args__ = (Index(None, "at"), Index(None, "about"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    staff_id: Mapped[str]
    action: Mapped[str]
    about: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Action:
    """What a member of staff did; `about` is the id of the customer, payment or event."""

    id: str
    staff_id: str
    action: str
    about: str
    reason: str


def role_of(session: Session, *, user_id: str) -> Role:
    """What that user may do; an unknown one is a customer."""
    found = session.scalars(select(UserRow.role).filter_by(id=UUID(user_id))).one_or_none()
    return next((role for role in _RANKS if role == found), "customer")


def require(session: Session, *, user_id: str, at_least: Role) -> None:
    """Returns for staff of that rank; NotPermitted, with nothing said of the rest, for others."""
    if _RANKS.index(role_of(session, user_id=user_id)) < _RANKS.index(at_least):
        raise errors.NotPermitted("office.not_permitted", "This is for staff only.")


def appoint(session: Session, *, email: str, role: Role) -> str:
    """The user of that address has the role from now on: their id; NotFound without one."""
    changed = session.execute(
        update(UserRow)
        .where(UserRow.email_key == email_key(email))
        .values(role=role)
        .returning(UserRow.id)
    ).one_or_none()
    if changed is None:
        raise errors.NotFound("auth.user_unknown", "Nobody has an account with this e-mail.")
    return str(changed.id)


def record(session: Session, *, action: Action, now: datetime) -> None:
    """The action is on record with its reason; InvalidRequest without one, or with a long one."""
    reason = action.reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON or "\0" in reason:
        raise errors.InvalidRequest(
            "office.reason", f"Give a reason of at most {LONGEST_REASON} letters."
        )
    session.add(
        StaffActionRow(
            id=UUID(action.id),
            staff_id=action.staff_id,
            action=action.action,
            about=action.about,
            reason=reason,
            at=now,
        )
    )
    session.flush()
