"""Mail that is owed: one row for each message, written with the fact it tells of.

A row holds ids, dates and sums; words, addresses and links are found when the message leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Integer, Text, Uuid

from talkingphoto.accounts import moments
from talkingphoto.foundation import jobs
from talkingphoto.foundation.database import Base

TASK = "mail.send"
# Jobs of an older version that wait still, or that its processes add while they are replaced.
OLD_RECEIPT_TASK = "mail.receipt"
QUEUE = "mail"
MOST_ROWS = 50
State = Literal["owed", "sent", "kept", "failed"]
Over = Literal["sent", "kept"]


class MailRow(Base):
    """One message to one user, or to the founder without one; the key says which fact it tells."""

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_created_at", text("created_at DESC"), "key"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("users.id"))
    template: Mapped[str] = mapped_column(server_default=text("'receipt'"))
    facts: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    state: Mapped[State] = mapped_column(Text, server_default=text("'owed'"))
    tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Mail:
    """A message: which, to whom (None is the founder), and how far it got."""

    key: str
    user_id: str | None
    template: str
    facts: Mapping[str, str]
    state: State
    tries: int
    created_at: datetime
    sent_at: datetime | None


def owe(
    session: Session,
    *,
    key: str,
    user_id: str,
    template: str,
    facts: Mapping[str, str],
    now: datetime,
) -> bool:
    """That message will reach the user, once for its key; False when it was owed already.

    `facts` are those that the moment names in `accounts/moments.py`, as text made by it."""
    assert template not in moments.OF_THE_FOUNDER, "this one is not for customers"
    return _owe(session, key=key, user_id=user_id, template=template, facts=facts, now=now)


def owe_founder(
    session: Session, *, key: str, template: str, facts: Mapping[str, str], now: datetime
) -> bool:
    """The founder will hear of it, once for its key; False when that was owed already."""
    assert template in moments.OF_THE_FOUNDER, "this one is for a customer"
    return _owe(session, key=key, user_id=None, template=template, facts=facts, now=now)


def needs_a_hand(session: Session, *, what: str, about: str, now: datetime) -> bool:
    """The founder hears today that this alert waits for a person; False when they heard already.

    `what` is a short sentence of ours, `about` the id of the customer, payment or event."""
    return owe_founder(
        session,
        key=f"needs_a_hand:{what}:{about}:{now:%Y-%m-%d}",
        template="needs_a_hand",
        facts={"what": what, "about": about},
        now=now,
    )


def receipt_key(payment_id: str) -> str:
    """The name of the one message that tells of a payment, a receipt or a welcome."""
    return f"receipt:{payment_id}"


def returned_key(payment_id: str) -> str:
    """The name of the message that a payment made by accident is on its way back."""
    return f"payment_returned:{payment_id}"


def owed(session: Session, *, key: str) -> Mail | None:
    """The message if it still has to go out."""
    row = session.scalars(
        select(MailRow).filter_by(key=key, sent_at=None, state="owed")
    ).one_or_none()
    return _mail(row) if row else None


def get(session: Session, *, key: str) -> Mail | None:
    """The message of that key."""
    row = session.scalars(select(MailRow).filter_by(key=key)).one_or_none()
    return _mail(row) if row else None


def page(session: Session, *, before: str, limit: int = MOST_ROWS) -> tuple[Mail, ...]:
    """The newest messages, or those older than the one of the key `before`."""
    query = select(MailRow).order_by(MailRow.created_at.desc(), MailRow.key)
    last = session.scalars(select(MailRow).filter_by(key=before)).one_or_none() if before else None
    if last is not None:
        query = query.where(
            (MailRow.created_at < last.created_at)
            | ((MailRow.created_at == last.created_at) & (MailRow.key > last.key))
        )
    return tuple(_mail(row) for row in session.scalars(query.limit(min(limit, MOST_ROWS))))


def mark(session: Session, *, key: str, state: Over, now: datetime) -> None:
    """The message has left, or stays here since nobody is there to get it; it is over."""
    _move(session, key=key, state=state, sent_at=now)


def give_up(session: Session, *, key: str) -> bool:
    """The message is not tried any more; False when it had left or been given up already."""
    return _move(session, key=key, state="failed", sent_at=None)


def count_try(session: Session, *, key: str) -> None:
    """One more try was in vain."""
    session.execute(update(MailRow).where(MailRow.key == key).values(tries=MailRow.tries + 1))


def send_again(session: Session, *, key: str) -> bool:
    """A message that was given up is owed anew; False for any other."""
    moved = session.execute(
        update(MailRow)
        .where(MailRow.key == key, MailRow.state == "failed")
        .values(state="owed", tries=0)
        .returning(MailRow.key)
    )
    if moved.first() is None:
        return False
    jobs.enqueue(session, _job(key))  # an earlier job may wait still: it does as well
    return True


def _owe(
    session: Session,
    *,
    key: str,
    user_id: str | None,
    template: str,
    facts: Mapping[str, str],
    now: datetime,
) -> bool:
    moments.check(template, facts)
    made = session.execute(
        insert(MailRow)
        .values(
            key=key,
            user_id=UUID(user_id) if user_id else None,
            template=template,
            facts=dict(facts),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(MailRow.key)
    )
    if made.first() is None:
        return False
    return jobs.enqueue(session, _job(key))


def _job(key: str) -> jobs.Job:
    return jobs.Job(task=TASK, args={"key": key}, queue=QUEUE, key=f"mail:{key}")


def _move(session: Session, *, key: str, state: State, sent_at: datetime | None) -> bool:
    moved = session.execute(
        update(MailRow)
        .where(MailRow.key == key, MailRow.sent_at.is_(None), MailRow.state == "owed")
        .values(state=state, sent_at=sent_at, tries=MailRow.tries + 1)
        .returning(MailRow.key)
    )
    return moved.first() is not None


def _mail(row: MailRow) -> Mail:
    facts = dict(row.facts)
    if row.template == "receipt" and not facts:
        # Written by an older version: its key says all there is.
        facts = {"payment_id": row.key.removeprefix("receipt:")}
    return Mail(
        key=row.key,
        user_id=str(row.user_id) if row.user_id else None,
        template=row.template,
        facts=facts,
        state="sent" if row.sent_at and row.state == "owed" else row.state,
        tries=row.tries,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
