"""Cancellations as customers asked for them, and the offers that they took instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing import subscriptions
from talkingphoto.foundation import clock, errors
from talkingphoto.foundation.database import Base

State = Literal["asked", "scheduled", "resuming", "resumed", "ended", "offered", "kept"]
OfferKind = Literal["pause", "discount", "downgrade"]
LONGEST_COMMENT = 500
DISCOUNT_MONTHS_APART = 12
# Stripe's own values (cancellation_details.feedback), and what the page says for each.
REASONS = {
    "too_expensive": "It costs too much",
    "unused": "I do not use it enough",
    "missing_features": "Something I need is missing",
    "low_quality": "The videos are not good enough",
    "too_complex": "It is too complicated",
    "switched_service": "I use something else now",
    "customer_service": "I was not helped well",
    "other": "Something else",
}
_OPEN = ("asked", "scheduled", "resuming")


class CancellationRow(Base):
    """One wish to end a plan and what became of it, or the offer that was taken instead."""

    __tablename__ = "cancellations"
    __table_args__ = (
        Index(
            "uq_cancellations_open",
            "subscription_id",
            unique=True,
            postgresql_where=text("state IN ('asked', 'scheduled', 'resuming')"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    subscription_id: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    at_once: Mapped[bool]
    reason: Mapped[str]
    comment: Mapped[str]
    offer_shown: Mapped[OfferKind | None] = mapped_column(Text)
    offer_accepted: Mapped[OfferKind | None] = mapped_column(Text)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    resumed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Why:
    """What the customer said about leaving; both may be empty."""

    reason: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Cancellation:
    """A wish to end a plan: at the end of its period, or at once when nothing was paid for it."""

    user_id: str
    request_id: str
    subscription_id: str
    state: State
    at_once: bool
    why: Why
    ends_at: datetime
    offer_shown: OfferKind | None = None
    offer_accepted: OfferKind | None = None

    @property
    def key(self) -> str:
        """The same for every try of this wish."""
        return f"{self.user_id}:{self.request_id}"


def checked(why: Why) -> Why:
    """The words as they are kept; InvalidRequest for a reason we do not know or a long comment."""
    comment = why.comment.strip().replace("\0", "")
    if why.reason and why.reason not in REASONS:
        raise errors.InvalidRequest("cancel.reason", "Choose a reason from the list, or none.")
    if len(comment) > LONGEST_COMMENT:
        raise errors.InvalidRequest(
            "cancel.comment", f"Write at most {LONGEST_COMMENT} letters; nothing was cancelled."
        )
    return Why(why.reason, comment)


def ask(session: Session, wish: Cancellation, *, now: datetime) -> Cancellation:
    """The wish is on record, once a request; a plan that is ending already has one wish only."""
    session.execute(
        insert(CancellationRow)
        .values(
            user_id=UUID(wish.user_id),
            request_id=UUID(wish.request_id),
            subscription_id=wish.subscription_id,
            state=wish.state,
            at_once=wish.at_once,
            reason=wish.why.reason,
            comment=wish.why.comment,
            offer_shown=wish.offer_shown,
            offer_accepted=wish.offer_accepted,
            ends_at=wish.ends_at,
            asked_at=now,
        )
        .on_conflict_do_nothing()
    )
    found = of_request(session, user_id=wish.user_id, request_id=wish.request_id)
    found = found or open_one(session, subscription_id=wish.subscription_id)
    assert found is not None, "a wish that was asked for is on record"
    return found


def of_request(session: Session, *, user_id: str, request_id: str) -> Cancellation | None:
    """What was asked for with that request; None when nothing was."""
    row = session.scalars(
        select(CancellationRow)
        .filter_by(user_id=UUID(user_id), request_id=UUID(request_id))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return _cancellation(row) if row else None


def open_one(session: Session, *, subscription_id: str) -> Cancellation | None:
    """The wish by which that plan is ending; None when it is not, or not by one of ours."""
    row = session.scalars(
        select(CancellationRow)
        .where(CancellationRow.subscription_id == subscription_id, CancellationRow.state.in_(_OPEN))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return _cancellation(row) if row else None


def move(session: Session, *, wish: Cancellation, to: State, at: datetime) -> bool:
    """The wish is in that state; False when somebody else moved it first."""
    values = {"resumed": {"resumed_at": at}, "ended": {"ended_at": at}}.get(to, {})
    moved = session.execute(
        update(CancellationRow)
        .where(
            CancellationRow.user_id == UUID(wish.user_id),
            CancellationRow.request_id == UUID(wish.request_id),
            CancellationRow.state == wish.state,
        )
        .values(state=to, **values)
        .returning(CancellationRow.state)
    )
    return moved.first() is not None


def unfinished(session: Session, *, before: datetime, limit: int) -> tuple[Cancellation, ...]:
    """Wishes from before then that were not carried out."""
    rows = session.scalars(
        select(CancellationRow)
        .where(
            CancellationRow.state.in_(("asked", "resuming", "offered")),
            CancellationRow.asked_at < before,
        )
        .order_by(CancellationRow.asked_at)
        .limit(limit)
    )
    return tuple(_cancellation(row) for row in rows)


def follow(
    session: Session, *, facts: subscriptions.SubscriptionFacts, looked_at: datetime
) -> Cancellation | None:
    """The wish on record agrees with what was seen at Stripe, unless it was written later: the
    wish as it is now when that moved it."""
    newer = CancellationRow.synced_at.is_(None) | (CancellationRow.synced_at < looked_at)
    mine = update(CancellationRow).where(
        CancellationRow.subscription_id == facts.id, newer, CancellationRow.state.in_(_OPEN)
    )
    if facts.status in subscriptions.OVER:
        ended = facts.ended_at or looked_at
        moved = mine.values(state="ended", ended_at=ended, synced_at=looked_at)
    elif facts.cancel_at_period_end:
        asked = mine.where(CancellationRow.state == "asked", ~CancellationRow.at_once)
        moved = asked.values(state="scheduled", synced_at=looked_at)
    else:
        # One that was only asked for may not have reached Stripe yet.
        seen = mine.where(CancellationRow.state.in_(("scheduled", "resuming")))
        moved = seen.values(state="resumed", resumed_at=looked_at, synced_at=looked_at)
    row = session.scalars(
        moved.returning(CancellationRow).execution_options(populate_existing=True)
    ).one_or_none()
    return _cancellation(row) if row else None


def may_have_discount(session: Session, *, user_id: str, now: datetime) -> bool:
    """Whether the customer took no discount to stay in the last twelve months."""
    since = clock.add_months(now, months=-DISCOUNT_MONTHS_APART)
    taken = select(CancellationRow.request_id).where(
        CancellationRow.user_id == UUID(user_id),
        CancellationRow.offer_accepted == "discount",
        CancellationRow.state.in_(("offered", "kept")),
        CancellationRow.asked_at > since,
    )
    return session.scalars(taken.limit(1)).first() is None


def _cancellation(row: CancellationRow) -> Cancellation:
    return Cancellation(
        user_id=str(row.user_id),
        request_id=str(row.request_id),
        subscription_id=row.subscription_id,
        state=row.state,
        at_once=row.at_once,
        why=Why(row.reason, row.comment),
        ends_at=row.ends_at,
        offer_shown=row.offer_shown,
        offer_accepted=row.offer_accepted,
    )
