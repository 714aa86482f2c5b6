"""Trials: one for each person, each address and each card, with a few videos that end with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing import ledger
from talkingphoto.foundation.database import Base

CREDITS = 5
ITEMS = ("starter:month", "pro:month")
NOTICE = timedelta(days=3)
Verdict = Literal["granted", "known", "refused"]
# Where dots in the local part are no difference.
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})


class TrialRow(Base):
    """The one trial of a person; nobody else has one with the same address or card."""

    __tablename__ = "trials"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(unique=True)
    email_key: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[str | None] = mapped_column(unique=True)
    has_card: Mapped[bool]
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reminded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TrialRefusalRow(Base):
    """A trial that was begun a second time: its subscription is cancelled at Stripe."""

    __tablename__ = "trial_refusals"

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    state: Mapped[Literal["asked", "done"]] = mapped_column(Text)
    refused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Seen:
    """A trial as it was seen at Stripe: whose, until when, and with which card, if any."""

    user_id: str
    subscription_id: str
    email: str
    ends_at: datetime
    fingerprint: str | None
    has_card: bool


@dataclass(frozen=True)
class Trial:
    """A person's trial as we know it."""

    user_id: str
    subscription_id: str
    ends_at: datetime
    has_card: bool
    is_reminded: bool


def email_key(email: str) -> str:
    """The form in which the spellings that reach one mailbox are the same."""
    local, _, domain = email.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def may_begin(session: Session, *, user_id: str, email: str) -> bool:
    """Whether neither this person nor this mailbox had a trial."""
    had = select(TrialRow.user_id).where(
        (TrialRow.user_id == UUID(user_id)) | (TrialRow.email_key == email_key(email))
    )
    return session.scalars(had.limit(1)).first() is None


def see(session: Session, seen: Seen, *, now: datetime) -> Verdict:
    """The trial is on record with its videos, granted once; or it is one too many and refused,
    and its unspent videos are taken back."""
    if is_refused(session, subscription_id=seen.subscription_id):
        return "refused"
    known = of_subscription(session, subscription_id=seen.subscription_id)
    if known is not None:
        return "known" if _follow(session, seen) else _refuse(session, seen, now=now)
    begun = session.execute(
        insert(TrialRow)
        .values(
            user_id=UUID(seen.user_id),
            subscription_id=seen.subscription_id,
            email_key=email_key(seen.email),
            fingerprint=seen.fingerprint,
            has_card=seen.has_card,
            started_at=now,
            ends_at=seen.ends_at,
        )
        .on_conflict_do_nothing()
        .returning(TrialRow.user_id)
    )
    if begun.first() is None:
        return _refuse(session, seen, now=now)
    ledger.grant(session, _lot(seen), now=now)
    return "granted"


def of_subscription(session: Session, *, subscription_id: str) -> Trial | None:
    """The trial of that subscription; None when it had none."""
    row = session.scalars(
        select(TrialRow)
        .filter_by(subscription_id=subscription_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return _trial(row) if row else None


def is_refused(session: Session, *, subscription_id: str) -> bool:
    """Whether that subscription was a trial too many."""
    known = select(TrialRefusalRow.subscription_id).filter_by(subscription_id=subscription_id)
    return session.scalars(known).first() is not None


def remind(session: Session, *, subscription_id: str, now: datetime) -> bool:
    """The reminder before the end is taken care of; False when it was already, or is early."""
    reminded = session.execute(
        update(TrialRow)
        .where(
            TrialRow.subscription_id == subscription_id,
            TrialRow.reminded_at.is_(None),
            TrialRow.ends_at > now,
            TrialRow.ends_at <= now + NOTICE,
        )
        .values(reminded_at=now)
        .returning(TrialRow.user_id)
    )
    return reminded.first() is not None


def to_remind(session: Session, *, now: datetime, limit: int) -> tuple[Trial, ...]:
    """Trials that end within three days and whose people were not reminded."""
    rows = session.scalars(
        select(TrialRow)
        .where(
            TrialRow.reminded_at.is_(None),
            TrialRow.ends_at > now,
            TrialRow.ends_at <= now + NOTICE,
        )
        .order_by(TrialRow.ends_at)
        .limit(limit)
    )
    return tuple(_trial(row) for row in rows)


def refused(session: Session, *, limit: int) -> tuple[str, ...]:
    """Subscriptions of refused trials that still have to be cancelled at Stripe."""
    asked = select(TrialRefusalRow.subscription_id).filter_by(state="asked")
    return tuple(session.scalars(asked.order_by(TrialRefusalRow.refused_at).limit(limit)))


def cancelled(session: Session, *, subscription_id: str) -> None:
    """The refused trial is over at Stripe too."""
    session.execute(
        update(TrialRefusalRow)
        .where(TrialRefusalRow.subscription_id == subscription_id)
        .values(state="done")
    )


def _follow(session: Session, seen: Seen) -> bool:
    """The end and the card are as seen; False when the card had another trial."""
    values = {"ends_at": seen.ends_at, "has_card": seen.has_card}
    mine = update(TrialRow).where(TrialRow.subscription_id == seen.subscription_id)
    if seen.fingerprint is None:
        session.execute(mine.values(**values))
        return True
    other = TrialRow.__table__.alias()
    taken = exists().where(
        other.c.fingerprint == seen.fingerprint, other.c.subscription_id != seen.subscription_id
    )
    moved = session.execute(
        mine.where(~taken)
        .values(**values, fingerprint=seen.fingerprint)
        .returning(TrialRow.user_id)
    )
    return moved.first() is not None


def _refuse(session: Session, seen: Seen, *, now: datetime) -> Verdict:
    session.execute(
        insert(TrialRefusalRow)
        .values(
            subscription_id=seen.subscription_id,
            user_id=UUID(seen.user_id),
            state="asked",
            refused_at=now,
        )
        .on_conflict_do_nothing(index_elements=["subscription_id"])
    )
    if of_subscription(session, subscription_id=seen.subscription_id) is not None:
        ledger.revoke(
            session,
            key=f"trial_refused:{seen.subscription_id}",
            lot_key=_key(seen.subscription_id),
            credits=CREDITS,
            reason="Trial refused",
            now=now,
        )
    return "refused"


def _lot(seen: Seen) -> ledger.NewLot:
    return ledger.NewLot(
        key=_key(seen.subscription_id),
        user_id=seen.user_id,
        source="promo",
        credits=CREDITS,
        expires_at=seen.ends_at,
        reference=seen.subscription_id,
        description="Trial",
    )


def _key(subscription_id: str) -> str:
    return f"trial:{subscription_id}"


def _trial(row: TrialRow) -> Trial:
    return Trial(
        user_id=str(row.user_id),
        subscription_id=row.subscription_id,
        ends_at=row.ends_at,
        has_card=row.has_card,
        is_reminded=row.reminded_at is not None,
    )
