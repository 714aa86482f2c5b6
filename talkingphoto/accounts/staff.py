"""Who works here, what they may do, what they did and what was refused to them: written once, never
changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.accounts import users
from talkingphoto.accounts.users import UserRow, email_key
from talkingphoto.foundation import errors, ids
from talkingphoto.foundation.database import Base

Role = Literal["customer", "support", "admin"]
_RANKS: tuple[Role, ...] = ("customer", "support", "admin")
LONGEST_REASON = 500
LONGEST_ACTION = 64
LONGEST_ABOUT = 255
REFUSED = ".refused"
# Whoever does not work here may not fill the table: more than that tells nothing new.
MOST_REFUSALS_A_DAY = 10


class StaffActionRow(Base):
    """One thing that a member of staff did, to what, and why; or that was refused."""

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
    _add(session, replace(action, reason=reason), now=now)


def record_refusal(session: Session, *, asked: Action, code: str, now: datetime) -> None:
    """What was asked for and refused is on record as `….refused`, with the code before the reason.

    Nothing is written of who has no account, and ten rows a day at most of who does not work here;
    of staff everything is."""
    if not ids.is_uuid(asked.staff_id) or not users.exists(session, user_id=asked.staff_id):
        return
    if role_of(session, user_id=asked.staff_id) == "customer":
        day_ago = now - timedelta(days=1)
        if _refused_since(session, asked.staff_id, day_ago) >= MOST_REFUSALS_A_DAY:
            return
    refused = Action(
        id=asked.id,
        staff_id=asked.staff_id,
        # Nobody has looked at these yet: they are kept as far as the table can hold them.
        action=f"{_storable(asked.action)[:LONGEST_ACTION]}{REFUSED}",
        # An address would stay for ever in a table from which nobody can remove a row.
        about="" if "@" in asked.about else _storable(asked.about)[:LONGEST_ABOUT],
        reason=_storable(f"{code}: {asked.reason}" if asked.reason else code)[:LONGEST_REASON],
    )
    _add(session, refused, now=now)


def _refused_since(session: Session, staff_id: str, since: datetime) -> int:
    query = select(func.count()).where(
        StaffActionRow.at > since,
        StaffActionRow.staff_id == staff_id,
        StaffActionRow.action.endswith(REFUSED),
    )
    return session.scalars(query).one()


def _storable(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


def _add(session: Session, action: Action, *, now: datetime) -> None:
    session.add(
        StaffActionRow(
            id=UUID(action.id),
            staff_id=action.staff_id,
            action=action.action,
            about=action.about,
            reason=action.reason,
            at=now,
        )
    )
    session.flush()
