"""Subscriptions and their invoices as Stripe has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.billing import catalog, payments, recovery, standing
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# While it is one of these, the plan is the customer's; the others are over or never began.
LIVE = ("active", "trialing", "past_due", "unpaid", "paused")
OVER = ("canceled", "incomplete_expired")


class SubscriptionRow(standing.StandingColumns, Base):
    """What we last saw of a subscription."""

    __tablename__ = "subscriptions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    item: Mapped[str]
    status: Mapped[str]
    period_start: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    period_end: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cancel_at_period_end: Mapped[bool]
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class SubscribedItem:
    """One price of a subscription, and its period."""

    price_id: str
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class SubscriptionFacts:
    """What Stripe says of a subscription."""

    id: str
    customer_id: str | None
    items: tuple[SubscribedItem, ...]
    status: str
    cancel_at_period_end: bool
    started_at: datetime
    ended_at: datetime | None
    schedule_id: str | None = None
    # The price of a change that waits for its payment.
    waiting_price_id: str | None = None
    standing: standing.Standing = standing.UNKNOWN


@dataclass(frozen=True)
class InvoiceLine:
    """One line of an invoice: what was paid for it, and the part of that which is tax."""

    id: str
    price_id: str | None
    amount: Money
    tax_minor: int
    is_proration: bool
    period_start: datetime
    period_end: datetime
    is_trial: bool = False
    quantity: int = 1


@dataclass(frozen=True)
class InvoiceFacts:
    """What Stripe says of an invoice."""

    id: str
    customer_id: str | None
    subscription_id: str | None
    status: str
    billing_reason: str
    total: Money
    tax_minor: int
    number: str | None
    hosted_url: str | None
    pdf_url: str | None
    payment_intent_id: str | None
    created_at: datetime
    paid_at: datetime | None
    lines: tuple[InvoiceLine, ...]
    failure_code: str | None = None
    last_try: recovery.LastTry = recovery.NOT_TRIED
    # What of the total was asked for: the rest is on the customer's balance at Stripe.
    charged: Money | None = None
    top_up_id: str | None = None


Subscription = standing.Subscription


def record(
    session: Session, *, user_id: str, facts: SubscriptionFacts, looked_at: datetime
) -> bool:
    """The subscription is on record as it was seen then, and what is over stays over; False for
    one to nothing we sell, which is no plan of ours and at most ends one."""
    values = {
        "status": facts.status,
        "cancel_at_period_end": facts.cancel_at_period_end,
        "ended_at": facts.ended_at,
        "synced_at": looked_at,
    }
    newer = (SubscriptionRow.synced_at < looked_at) & SubscriptionRow.status.not_in(OVER)
    for item in facts.items:
        sold = catalog.item_of_price(session, price_id=item.price_id)
        if sold is not None and sold.is_plan:
            break
    else:
        # Moved at Stripe to another price than ours: the plan on record lives and ends with it.
        known = update(SubscriptionRow).where(SubscriptionRow.id == facts.id, newer)
        session.execute(known.values(**values))
        return False
    values |= {"item": sold.key, "period_start": item.period_start, "period_end": item.period_end}
    values |= standing.values(facts.standing)
    fresh = {"id": facts.id, "user_id": UUID(user_id), "started_at": facts.started_at}
    session.execute(
        insert(SubscriptionRow)
        .values(**fresh, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values, where=newer)
    )
    return True


def of_customer(session: Session, *, user_id: str) -> Subscription | None:
    """The customer's live plan, the newest if Stripe holds several; None without one."""
    row = session.scalars(
        select(SubscriptionRow)
        .where(SubscriptionRow.user_id == UUID(user_id), SubscriptionRow.status.in_(LIVE))
        .order_by(SubscriptionRow.started_at.desc(), SubscriptionRow.id)
        .limit(1)
    ).one_or_none()
    return _subscription(row) if row else None


def renewing(
    session: Session, *, items: Iterable[str], after: datetime, until: datetime, limit: int
) -> tuple[Subscription, ...]:
    """Plans on those items that renew by themselves in that time, the soonest first."""
    rows = session.scalars(
        select(SubscriptionRow)
        .where(
            SubscriptionRow.item.in_(tuple(items)),
            SubscriptionRow.status == "active",
            ~SubscriptionRow.cancel_at_period_end,
            SubscriptionRow.period_end > after,
            SubscriptionRow.period_end <= until,
        )
        .order_by(SubscriptionRow.period_end, SubscriptionRow.id)
        .limit(limit)
    )
    return tuple(plan for plan in map(_subscription, rows) if plan.renews_at == plan.period_end)


def find(session: Session, *, subscription_id: str) -> Subscription | None:
    """That subscription as we know it, also when it is over; None for one we never saw."""
    row = session.scalars(
        select(SubscriptionRow)
        .filter_by(id=subscription_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return _subscription(row) if row else None


def record_invoice(
    session: Session, *, user_id: str, facts: InvoiceFacts, looked_at: datetime
) -> None:
    """The invoice is on the customer's list of payments as it was seen then."""
    item = _sold(session, facts.lines)
    # A total below zero goes to the customer's balance at Stripe: nothing is paid, or taxed, here.
    total = max(facts.total, Money(0, facts.total.currency))
    payments.record(
        session,
        payments.Payment(
            id=facts.id,
            user_id=user_id,
            kind="pack" if item is not None and not item.is_plan else "plan",
            item=item.key if item else "",
            description=_described(session, item, facts),
            amount=total,
            tax_minor=min(max(facts.tax_minor, 0), total.minor),
            status=_payment_status(facts),
            created_at=facts.created_at,
            number=facts.number,
            hosted_url=facts.hosted_url,
            pdf_url=facts.pdf_url,
            payment_intent_id=facts.payment_intent_id,
            paid_at=facts.paid_at,
            failure_code=facts.failure_code,
            charged_minor=facts.charged.minor if facts.charged else None,
        ),
        looked_at=looked_at,
    )


def _subscription(row: SubscriptionRow) -> Subscription:
    return Subscription(
        id=row.id,
        user_id=str(row.user_id),
        item=catalog.item(row.item),
        status=row.status,
        period_end=row.period_end,
        cancel_at_period_end=row.cancel_at_period_end,
        period_start=row.period_start,
        standing=standing.of_row(row),
    )


def _sold(session: Session, lines: Iterable[InvoiceLine]) -> catalog.Item | None:
    for line in lines:
        if line.price_id and not line.is_proration:
            sold = catalog.item_of_price(session, price_id=line.price_id)
            if sold is not None:
                return sold
    return None


def _described(session: Session, item: catalog.Item | None, facts: InvoiceFacts) -> str:
    if item is None:
        # The parts of periods that a change moves: the last one sold is what it changed to.
        sold = [line for line in facts.lines if line.is_proration and line.amount.minor >= 0]
        item = next(
            (
                found
                for line in sorted(sold, key=lambda line: line.period_start, reverse=True)
                if line.price_id
                and (found := catalog.item_of_price(session, price_id=line.price_id))
            ),
            None,
        )
        return f"Change to {item.title}" if item else "Invoice"
    if not item.is_plan:
        return item.title
    return f"{item.title}, {'one year' if item.interval == 'year' else 'one month'}"


def _payment_status(facts: InvoiceFacts) -> payments.PaymentStatus:
    if facts.status == "paid":
        return "paid"
    if facts.status in {"void", "uncollectible"}:
        return "void"
    return "failed" if facts.failure_code else "open"
