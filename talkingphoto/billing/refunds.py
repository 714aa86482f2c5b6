"""Money that goes back, and the credits that go with it: asked for, claimed, told by Stripe.

The row comes first, with the credits taken; then Stripe is asked; a refund that fails gives them
back. One that was made at Stripe itself arrives here by its event and claims the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import customers, disputes, payments, refund_claims, unused, warnings
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

Origin = Literal["customer", "staff", "stripe", "fraud"]
State = Literal["asked", "pending", "succeeded", "failed"]
TASK = "refund.make"
QUEUE = "events"
MOST_DUE = 50
MOST_ROWS = 200
# A verb that was cut short is finished by the sweep; a running one takes less than this.
RETRY_AFTER = timedelta(minutes=1)
_DISPUTED = (
    "refund.disputed",
    "This payment is disputed at the bank, which decides about the money. It cannot be refunded.",
)
_TOO_MUCH = ("refund.too_much", "This is more than is left of the payment. Nothing was refunded.")
_GONE_BACK = ("refund.all_back", "All of this payment was given back already.")
_NOT_PAID = ("refund.not_paid", "This payment brought no money. There is nothing to refund.")


class RefundRow(Base):
    """One refund; ours by the id of its request, another by Stripe's id."""

    __tablename__ = "refunds"
    __table_args__ = (
        Index("ix_refunds_created_at", "created_at", postgresql_where=text("state = 'asked'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), index=True)
    stripe_id: Mapped[str | None] = mapped_column(unique=True)
    origin: Mapped[Origin] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    credits: Mapped[int] = mapped_column(BigInteger)
    # The keys of the months that will not begin because of it.
    stopped: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Refund:
    """Money that goes back to a customer, and how far it got."""

    id: str
    payment_id: str
    user_id: str
    origin: Origin
    amount: Money
    credits: int
    reason: str
    state: State
    created_at: datetime
    stripe_id: str | None = None

    @property
    def idempotency_key(self) -> str:
        """The same for every try of this refund, so Stripe makes it once."""
        return f"refund:{self.id}"


@dataclass(frozen=True)
class NewRefund:
    """A refund to ask for: all that is left of the payment, or that amount.

    `forgive`: what was used of it is not owed."""

    id: str
    payment_id: str
    origin: Origin
    reason: str
    amount: Money | None = None
    forgive: bool = False


@dataclass(frozen=True)
class RefundFacts:
    """What Stripe says of a refund; `refund_id` is ours, if we asked for it."""

    id: str
    refund_id: str | None
    payment_intent_id: str | None
    amount: Money
    status: str
    created_at: datetime

    @property
    def state(self) -> State:
        """How far it got, in our words."""
        if self.status in {"failed", "canceled"}:
            return "failed"
        return "succeeded" if self.status == "succeeded" else "pending"


def ask(session: Session, new: NewRefund, *, now: datetime) -> Refund:
    """The refund is on record and its credits are claimed; the same id again is the first one.

    Conflict for a disputed payment, for one that brought no money, for more than is left, or for
    another sum than the first time."""
    payment = payments.get(session, payment_id=new.payment_id)
    customers.lock(session, user_id=payment.user_id)
    known = find(session, refund_id=new.id)
    if known is not None:
        if known.payment_id != new.payment_id:
            raise errors.Conflict("refund.request_id", "Reload the page and try again.")
        if new.amount not in {None, known.amount}:
            raise errors.Conflict(
                "refund.request_used",
                "This form has asked for another sum already, and that is on its way. Reload the "
                "page before you give back more.",
            )
        return known
    refusal = refused(session, payments.get(session, payment_id=new.payment_id))
    if refusal is not None:
        raise errors.Conflict(*refusal)
    left = payments.get(session, payment_id=new.payment_id).left
    amount = new.amount or left
    if new.origin == "customer":
        amount = unused.of_payment(session, payment_id=payment.id, now=now).refundable
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        raise errors.Conflict(*_TOO_MUCH)
    return _store(session, replace(new, amount=amount), payment, state="asked", now=now)


def refused(session: Session, payment: payments.Payment) -> tuple[str, str] | None:
    """Why nothing can be given back of that payment, as a code and a sentence; None if it can."""
    if disputes.bars_refunds(session, payment_id=payment.id):
        return _DISPUTED
    if payment.refunded_minor and payment.left.minor <= 0:
        return _GONE_BACK
    paid = payment.status in {"paid", "partly_refunded"} and payment.left.minor > 0
    return None if paid and payment.payment_intent_id else _NOT_PAID


def follow(
    session: Session, *, facts: RefundFacts, looked_at: datetime, now: datetime
) -> Refund | None:
    """The refund stands where Stripe says, unless newer facts are known; None for a payment that
    is not on record. One made elsewhere has claimed its credits; a failed one has given them back.
    """
    assert facts.payment_intent_id is not None
    payment = payments.of_intent(session, payment_intent_id=facts.payment_intent_id)
    if payment is None:
        return None
    customers.lock(session, user_id=payment.user_id)
    known = _known(session, facts, payment)
    if known is None:
        new = NewRefund(
            id=facts.id,
            payment_id=payment.id,
            origin="stripe",
            reason="Refunded by us",
            amount=facts.amount,
        )
        if facts.state == "failed" or facts.amount.minor == 0:
            return None  # it took nothing and will not
        known = _store(session, new, payment, state="pending", now=now)
    _move(session, known, facts, looked_at=looked_at, now=now)
    return find(session, refund_id=known.id)


def fail(session: Session, *, refund_id: str, now: datetime) -> None:
    """Stripe will not make that refund: its credits are back, if nobody knew it before."""
    failed = session.execute(
        update(RefundRow)
        .where(RefundRow.id == refund_id, RefundRow.state == "asked")
        .values(state="failed", ended_at=now)
        .returning(RefundRow.id, RefundRow.payment_id, RefundRow.stopped)
    ).one_or_none()
    if failed is not None:
        _undo(session, failed, now=now)


def find(session: Session, *, refund_id: str) -> Refund | None:
    """The refund of that id."""
    query = select(RefundRow).filter_by(id=refund_id)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    return _refund(row) if row else None


def due(session: Session, *, now: datetime) -> tuple[str, ...]:
    """The ids of refunds that were asked for and not carried out, the oldest first."""
    query = select(RefundRow.id).where(
        RefundRow.state == "asked", RefundRow.created_at <= now - RETRY_AFTER
    )
    return tuple(session.scalars(query.order_by(RefundRow.created_at).limit(MOST_DUE)))


def of_customer(session: Session, *, user_id: str) -> tuple[Refund, ...]:
    """That customer's refunds, newest first."""
    query = select(RefundRow).filter_by(user_id=UUID(user_id)).limit(MOST_ROWS)
    rows = session.scalars(query.order_by(RefundRow.created_at.desc(), RefundRow.id))
    return tuple(_refund(row) for row in rows)


def _store(
    session: Session, new: NewRefund, payment: payments.Payment, *, state: State, now: datetime
) -> Refund:
    assert new.amount is not None, "a refund has its amount by now"
    claimed = refund_claims.claim(
        session,
        refund_claims.Claim(
            refund_id=new.id,
            payment=payment,
            amount=new.amount,
            only_unused=new.origin == "customer" or new.forgive,
            # What a customer withdraws from is all that is unused, whatever it is worth.
            whole=new.origin == "customer" or new.amount == payment.left,
        ),
        now=now,
    )
    session.execute(
        insert(RefundRow).values(
            id=new.id,
            payment_id=payment.id,
            user_id=UUID(payment.user_id),
            origin=new.origin,
            amount_minor=new.amount.minor,
            currency=new.amount.currency,
            credits=claimed.credits,
            stopped=list(claimed.stopped),
            reason=new.reason,
            state=state,
            created_at=now,
        )
    )
    made = find(session, refund_id=new.id)
    assert made is not None
    return made


def _known(session: Session, facts: RefundFacts, payment: payments.Payment) -> Refund | None:
    """The row of that refund: by our id, that only we write into metadata, or by Stripe's."""
    if facts.refund_id:
        ours = find(session, refund_id=facts.refund_id)
        if ours is not None and ours.payment_id == payment.id:
            return ours
    query = select(RefundRow.id).filter_by(stripe_id=facts.id)
    known = session.scalars(query).one_or_none()
    return find(session, refund_id=known) if known else None


def _move(
    session: Session, known: Refund, facts: RefundFacts, *, looked_at: datetime, now: datetime
) -> None:
    moved = session.execute(
        update(RefundRow)
        .where(
            RefundRow.id == known.id,
            RefundRow.state != "failed",
            RefundRow.synced_at.is_(None) | (RefundRow.synced_at < looked_at),
        )
        .values(
            stripe_id=facts.id,
            state=facts.state,
            ended_at=None if facts.state == "pending" else now,
            synced_at=looked_at,
        )
        .returning(RefundRow.id, RefundRow.payment_id, RefundRow.state, RefundRow.stopped)
    ).one_or_none()
    if moved is None:
        return  # newer facts are known
    if moved.state == "failed":
        _undo(session, moved, now=now)
    elif payments.get(session, payment_id=known.payment_id).left.minor == 0:
        # Nothing is left to wait for: what a warning had frozen went back with the money.
        warnings.release_all(session, payment_id=known.payment_id, now=now)


def _undo(session: Session, failed: Any, *, now: datetime) -> None:
    if disputes.is_lost(session, payment_id=failed.payment_id):
        return  # the bank has given the money back all the same
    refund_claims.undo(
        session,
        refund_id=failed.id,
        payment_id=failed.payment_id,
        stopped=failed.stopped,
        now=now,
    )


def _refund(row: RefundRow) -> Refund:
    return Refund(
        id=row.id,
        payment_id=row.payment_id,
        user_id=str(row.user_id),
        origin=row.origin,
        amount=Money(row.amount_minor, row.currency),
        credits=row.credits,
        reason=row.reason,
        state=row.state,
        created_at=row.created_at,
        stripe_id=row.stripe_id,
    )
