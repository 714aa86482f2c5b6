"""Checkouts that were opened and payments that were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import catalog, customers, extras
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

CheckoutState = extras.CheckoutState
Checkout = extras.Checkout
PaymentStatus = Literal["paid", "open", "failed", "refunded", "partly_refunded", "void"]
LONGEST_LIST = 100
_USED_UP = {
    "paid": ("billing.already_paid", "This is already paid. Nothing was charged again."),
    "processing": ("billing.already_paid", "This payment is on its way. Nothing is charged again."),
    "expired": ("billing.checkout_expired", "This checkout has expired. Choose again to go on."),
    "failed": ("billing.checkout_expired", "This payment failed. Choose again to try once more."),
}


class CheckoutRow(extras.ExtrasColumns, Base):
    """The intent to buy one item, stored before Stripe hears of it."""

    __tablename__ = "checkouts"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    item: Mapped[str]
    price_id: Mapped[str]
    session_id: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str | None]
    state: Mapped[CheckoutState] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PaymentRow(Base):
    """One payment of a customer: an invoice of a plan, or the checkout of a pack."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("ix_payments_user_id", "user_id", text("created_at DESC")),
        Index(None, "paid_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    kind: Mapped[Literal["plan", "pack"]] = mapped_column(Text)
    item: Mapped[str]
    description: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(Text)
    number: Mapped[str | None]
    hosted_url: Mapped[str | None]
    pdf_url: Mapped[str | None]
    payment_intent_id: Mapped[str | None] = mapped_column(unique=True)
    failure_code: Mapped[str | None]
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # What a card paid of the amount, where the rest came from the customer's balance at Stripe.
    charged_minor: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True)
class CheckoutFacts:
    """What Stripe says of a Checkout Session."""

    id: str
    status: str
    payment_status: str
    mode: str
    customer_id: str | None
    user_id: str | None
    request_id: str | None
    item: str | None
    url: str | None
    amount: Money | None
    tax_minor: int
    payment_intent_id: str | None
    invoice_id: str | None
    created_at: datetime

    @property
    def is_paid(self) -> bool:
        """True once the money is there, or none is due."""
        paid = self.payment_status in {"paid", "no_payment_required"}
        return self.status == "complete" and paid

    @property
    def state(self) -> CheckoutState:
        """Where the checkout stands, in our words."""
        if self.is_paid:
            return "paid"
        if self.status == "complete":
            return "processing"
        return "expired" if self.status == "expired" else "open"


@dataclass(frozen=True)
class Payment:
    """One line of a customer's list of payments."""

    id: str
    user_id: str
    kind: Literal["plan", "pack"]
    item: str
    description: str
    amount: Money
    tax_minor: int
    status: PaymentStatus
    created_at: datetime
    number: str | None = None
    hosted_url: str | None = None
    pdf_url: str | None = None
    payment_intent_id: str | None = None
    paid_at: datetime | None = None
    refunded_minor: int = 0
    failure_code: str | None = None
    charged_minor: int | None = None

    @property
    def left(self) -> Money:
        """What can still go back to whoever paid; the balance at Stripe is no card."""
        most = self.amount.minor if self.charged_minor is None else self.charged_minor
        return Money(max(0, min(most, self.amount.minor) - self.refunded_minor), self.currency)

    @property
    def currency(self) -> str:
        """The currency it was paid in."""
        return self.amount.currency


def open_checkout(
    session: Session,
    *,
    user_id: str,
    request_id: str,
    item_key: str,
    now: datetime,
    wanted: extras.Extras = extras.NONE,
) -> Checkout:
    """The intent is stored; asking again gives the first one, Conflict when for another item."""
    price_id = catalog.current_price_id(session, item_key=item_key)
    session.execute(
        insert(CheckoutRow)
        .values(
            user_id=UUID(user_id),
            request_id=UUID(request_id),
            item=item_key,
            price_id=price_id,
            state="open",
            created_at=now,
            **extras.values(wanted),
        )
        .on_conflict_do_nothing(index_elements=["user_id", "request_id"])
    )
    found = _checkout(
        session.scalars(
            select(CheckoutRow).filter_by(user_id=UUID(user_id), request_id=UUID(request_id))
        ).one()
    )
    if (found.item, found.extras) != (item_key, wanted):
        raise errors.Conflict(
            "billing.request_id", "This request was used for something else. Reload and try again."
        )
    if found.state in _USED_UP:
        raise errors.Conflict(*_USED_UP[found.state])
    return found


def rival_sessions(session: Session, *, checkout: Checkout) -> tuple[str, ...]:
    """The customer's other pages that may yet bring a plan; a pack has no rivals."""
    plans = [item.key for item in catalog.ITEMS.values() if item.is_plan]
    if checkout.item not in plans:
        return ()
    return tuple(
        session_id
        for session_id in session.scalars(
            select(CheckoutRow.session_id).where(
                CheckoutRow.user_id == UUID(checkout.user_id),
                CheckoutRow.request_id != UUID(checkout.request_id),
                CheckoutRow.item.in_(plans),
                CheckoutRow.state.in_(("open", "processing")),
                CheckoutRow.session_id.is_not(None),
            )
        )
        if session_id is not None
    )


def attach_session(session: Session, *, checkout: Checkout, session_id: str, url: str) -> None:
    """The intent knows its Checkout Session and the address of its page."""
    # One after another, so that of two rivals the later one sees the earlier.
    customers.lock(session, user_id=checkout.user_id)
    session.execute(
        update(CheckoutRow)
        .where(
            CheckoutRow.user_id == UUID(checkout.user_id),
            CheckoutRow.request_id == UUID(checkout.request_id),
        )
        .values(session_id=session_id, url=url)
    )


def checkout_of_session(session: Session, *, user_id: str, session_id: str) -> Checkout | None:
    """That customer's intent behind a Checkout Session; None for somebody else's."""
    if not (session_id.isascii() and session_id.isprintable()):
        return None  # no id of Stripe's, and not every text can be asked of the database
    found = session.scalars(
        select(CheckoutRow).filter_by(user_id=UUID(user_id), session_id=session_id)
    ).one_or_none()
    return _checkout(found) if found else None


def has_pending(session: Session, *, user_id: str) -> bool:
    """True while a checkout of that customer waits for a delayed payment."""
    waiting = select(CheckoutRow.user_id).filter_by(user_id=UUID(user_id), state="processing")
    return session.scalars(waiting.limit(1)).first() is not None


def move_checkout(
    session: Session, *, facts: CheckoutFacts, failed: bool, looked_at: datetime
) -> None:
    """The intent stands where Stripe says, unless newer facts are known or it has ended."""
    if facts.user_id is None or facts.request_id is None:
        return  # made in Stripe's dashboard or by another program: there is no intent to move
    state = "failed" if failed and not facts.is_paid else facts.state
    # Stripe's session does not say that a delayed payment failed: only the event did.
    final = ("paid",) if state == "paid" else ("paid", "failed")
    session.execute(
        update(CheckoutRow)
        .where(
            CheckoutRow.user_id == UUID(facts.user_id),
            CheckoutRow.request_id == UUID(facts.request_id),
            CheckoutRow.state.not_in(final),
            CheckoutRow.synced_at.is_(None) | (CheckoutRow.synced_at < looked_at),
        )
        .values(state=state, session_id=facts.id, synced_at=looked_at)
    )


def record(session: Session, payment: Payment, *, looked_at: datetime) -> None:
    """The payment is on record as it was seen then; an older look changes nothing."""
    values = {
        "kind": payment.kind,
        "item": payment.item,
        "description": payment.description,
        "amount_minor": payment.amount.minor,
        "tax_minor": payment.tax_minor,
        "currency": payment.amount.currency,
        "number": payment.number,
        "hosted_url": payment.hosted_url,
        "pdf_url": payment.pdf_url,
        "payment_intent_id": payment.payment_intent_id,
        "failure_code": payment.failure_code,
        "charged_minor": payment.charged_minor,
        "synced_at": looked_at,
    }
    fresh = insert(PaymentRow).values(
        id=payment.id,
        user_id=UUID(payment.user_id),
        status=payment.status,
        refunded_minor=payment.refunded_minor,
        paid_at=payment.paid_at,
        created_at=payment.created_at,
        **values,
    )
    # An invoice stays "paid" at Stripe when it is refunded: the refunds' trigger writes that.
    status = case((PaymentRow.refunded_minor > 0, PaymentRow.status), else_=payment.status)
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["id"],
            set_={
                **values,
                "status": status,
                "paid_at": func.coalesce(PaymentRow.paid_at, fresh.excluded.paid_at),
            },
            where=PaymentRow.synced_at < looked_at,
        )
    )


def get(session: Session, *, payment_id: str) -> Payment:
    """The payment of that id, which is on record."""
    known = select(PaymentRow).filter_by(id=payment_id)
    return _payment(session.scalars(known.execution_options(populate_existing=True)).one())


def find(session: Session, *, payment_id: str) -> Payment | None:
    """The payment of that id; None when there is none."""
    if not (payment_id.isascii() and payment_id.isprintable()):
        return None  # no id of Stripe's, and not every text can be asked of the database
    row = session.scalars(select(PaymentRow).filter_by(id=payment_id)).one_or_none()
    return _payment(row) if row else None


def of_intent(session: Session, *, payment_intent_id: str) -> Payment | None:
    """The payment that a PaymentIntent of Stripe's made; None when it is none of ours."""
    known = select(PaymentRow).filter_by(payment_intent_id=payment_intent_id)
    row = session.scalars(known.execution_options(populate_existing=True)).one_or_none()
    return _payment(row) if row else None


def of_user(session: Session, *, user_id: str, payment_id: str) -> Payment | None:
    """That customer's payment of the id; None when it is none of theirs."""
    if not (payment_id.isascii() and payment_id.isprintable()):
        return None  # no id of Stripe's, and not every text can be asked of the database
    row = session.scalars(
        select(PaymentRow).filter_by(id=payment_id, user_id=UUID(user_id))
    ).one_or_none()
    return _payment(row) if row else None


def page(session: Session, *, user_id: str, limit: int, before: str | None) -> tuple[Payment, ...]:
    """That customer's payments, newest first, older than theirs of the id `before`."""
    query = select(PaymentRow).filter_by(user_id=UUID(user_id))
    if before is not None:
        last = of_user(session, user_id=user_id, payment_id=before)
        if last is None:
            raise errors.NotFound("invoice.unknown", "There is no such payment of yours.")
        query = query.where(
            (PaymentRow.created_at < last.created_at)
            | ((PaymentRow.created_at == last.created_at) & (PaymentRow.id > last.id))
        )
    query = query.order_by(PaymentRow.created_at.desc(), PaymentRow.id)
    rows = session.scalars(query.limit(min(limit, LONGEST_LIST)))
    return tuple(_payment(row) for row in rows)


def recent(session: Session, *, user_id: str, limit: int = LONGEST_LIST) -> tuple[Payment, ...]:
    """That customer's payments, newest first."""
    return page(session, user_id=user_id, limit=limit, before=None)


def _checkout(row: CheckoutRow) -> Checkout:
    return Checkout(
        user_id=str(row.user_id),
        request_id=str(row.request_id),
        item=row.item,
        price_id=row.price_id,
        session_id=row.session_id,
        url=row.url,
        state=row.state,
        extras=extras.of_row(row),
    )


def _payment(row: PaymentRow) -> Payment:
    return Payment(
        id=row.id,
        user_id=str(row.user_id),
        kind=row.kind,
        item=row.item,
        description=row.description,
        amount=Money(row.amount_minor, row.currency),
        tax_minor=row.tax_minor,
        status=row.status,
        created_at=row.created_at,
        number=row.number,
        hosted_url=row.hosted_url,
        pdf_url=row.pdf_url,
        payment_intent_id=row.payment_intent_id,
        paid_at=row.paid_at,
        refunded_minor=row.refunded_minor,
        failure_code=row.failure_code,
        charged_minor=row.charged_minor,
    )
