"""Subscriptions as Stripe has them, and the credits that a paid invoice of one brings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import catalog, customers, ledger, payments
from talkingphoto.foundation import clock
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# While it is one of these, the plan is the customer's; the others are over or never began.
LIVE = ("active", "trialing", "past_due", "unpaid", "paused")
OVER = ("canceled", "incomplete_expired")
# Invoices for a whole new period; the rest (a change in between, manual) bring no credits: a change
# that starts the period anew is billed less what is unused, and would sell a period for pennies.
GRANTING_REASONS = frozenset({"subscription_create", "subscription_cycle"})
ROLLOVER_MONTHS = 1
YEAR = 12
MOST_DRIPS = 200


class SubscriptionRow(Base):
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


class DripRow(Base):
    """One month of a paid year, granted when it begins."""

    __tablename__ = "drips"
    __table_args__ = (
        Index("ix_drips_due_at", "due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_drips_user_id", "user_id", postgresql_where=text("state = 'pending'")),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    subscription_id: Mapped[str]
    reference: Mapped[str]
    description: Mapped[str]
    credits: Mapped[int]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)


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


@dataclass(frozen=True)
class Subscription:
    """A customer's plan as we know it."""

    id: str
    user_id: str
    item: catalog.Item
    status: str
    period_end: datetime
    cancel_at_period_end: bool

    @property
    def renews_at(self) -> datetime | None:
        """When the next period begins by itself; None while nobody can promise that."""
        renews = self.status in {"active", "trialing"} and not self.cancel_at_period_end
        return self.period_end if renews else None


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
    if row is None:
        return None
    return Subscription(
        id=row.id,
        user_id=str(row.user_id),
        item=catalog.item(row.item),
        status=row.status,
        period_end=row.period_end,
        cancel_at_period_end=row.cancel_at_period_end,
    )


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
            kind="plan",
            item=item.key if item else "",
            description=_described(item, facts),
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
        ),
        looked_at=looked_at,
    )


def grant_invoice(session: Session, *, user_id: str, facts: InvoiceFacts, now: datetime) -> int:
    """The credits that a paid invoice brings now are there, once; how many those are."""
    if facts.status != "paid" or facts.billing_reason not in GRANTING_REASONS:
        return 0
    added = 0
    for line in facts.lines:
        sold = catalog.item_of_price(session, price_id=line.price_id) if line.price_id else None
        if sold is None or line.is_proration or line.is_trial:
            continue
        if sold.interval == "year":
            _plan_drips(session, user_id=user_id, facts=facts, line=line, sold=sold)
            # What is paid has begun, even if Stripe's clock is a moment ahead of ours.
            begun = max(now, line.period_start)
            added += grant_due_drips(session, now=begun, user_id=user_id)
        else:
            added += _grant_month(
                session, user_id=user_id, facts=facts, line=line, sold=sold, now=now
            )
    return added


def grant_due_drips(session: Session, *, now: datetime, user_id: str | None = None) -> int:
    """Months of paid years that have begun are granted, at most 200; the credits they brought."""
    waiting = select(DripRow).where(DripRow.state == "pending", DripRow.due_at <= now)
    if user_id is not None:
        waiting = waiting.where(DripRow.user_id == UUID(user_id))
    rows = session.scalars(waiting.order_by(DripRow.due_at, DripRow.key).limit(MOST_DRIPS)).all()
    # One order for every sweep, so that two of them cannot wait for each other.
    for owner_id in sorted({str(row.user_id) for row in rows}):
        customers.lock(session, user_id=owner_id)
    return sum(_grant_drip(session, row, now=now) for row in rows)


def stop_drips(session: Session, *, reference: str) -> int:
    """The months of that paid year that have not begun bring nothing; how many those are."""
    stopped = session.execute(
        update(DripRow)
        .where(DripRow.reference == reference, DripRow.state == "pending")
        .values(state="stopped")
        .returning(DripRow.key)
    )
    return len(stopped.all())


def next_drip(session: Session, *, user_id: str) -> tuple[datetime, int] | None:
    """When the next month of a paid year begins and how many credits it brings."""
    row = session.scalars(
        select(DripRow)
        .where(DripRow.user_id == UUID(user_id), DripRow.state == "pending")
        .order_by(DripRow.due_at)
        .limit(1)
    ).one_or_none()
    return (row.due_at, row.credits) if row else None


def _grant_month(
    session: Session,
    *,
    user_id: str,
    facts: InvoiceFacts,
    line: InvoiceLine,
    sold: catalog.Item,
    now: datetime,
) -> int:
    lot = ledger.NewLot(
        key=f"invoice:{facts.id}:{line.id}",
        user_id=user_id,
        source="plan",
        credits=sold.credits,
        price=line.amount,
        tax=Money(line.tax_minor, line.amount.currency),
        # From the start and not the end, so that a plan begun on the 31st keeps its day.
        expires_at=clock.add_months(line.period_start, months=1 + ROLLOVER_MONTHS),
        reference=facts.id,
        description=f"{sold.title}, one month",
    )
    return ledger.grant(session, lot, now=now).credits


def _plan_drips(
    session: Session, *, user_id: str, facts: InvoiceFacts, line: InvoiceLine, sold: catalog.Item
) -> None:
    prices = line.amount.split(YEAR)
    taxes = Money(line.tax_minor, line.amount.currency).split(YEAR)
    session.execute(
        insert(DripRow)
        .values(
            [
                {
                    "key": f"drip:{facts.id}:{month}",
                    "user_id": UUID(user_id),
                    "subscription_id": facts.subscription_id or "",
                    "reference": facts.id,
                    "description": f"{sold.title}, month {month + 1} of {YEAR}",
                    "credits": sold.credits,
                    "price_minor": prices[month].minor,
                    "tax_minor": taxes[month].minor,
                    "currency": line.amount.currency,
                    "due_at": clock.add_months(line.period_start, months=month),
                    "expires_at": clock.add_months(
                        line.period_start, months=month + 1 + ROLLOVER_MONTHS
                    ),
                    "state": "pending",
                }
                for month in range(YEAR)
            ]
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


def _grant_drip(session: Session, row: DripRow, *, now: datetime) -> int:
    lot = ledger.NewLot(
        key=row.key,
        user_id=str(row.user_id),
        source="plan",
        credits=row.credits,
        price=Money(row.price_minor, row.currency),
        tax=Money(row.tax_minor, row.currency),
        expires_at=row.expires_at,
        reference=row.reference,
        description=row.description,
    )
    granted = ledger.grant(session, lot, now=now)
    session.execute(
        update(DripRow)
        .where(DripRow.key == row.key, DripRow.state == "pending")
        .values(state="granted")
    )
    return granted.credits


def _sold(session: Session, lines: Iterable[InvoiceLine]) -> catalog.Item | None:
    for line in lines:
        if line.price_id and not line.is_proration:
            sold = catalog.item_of_price(session, price_id=line.price_id)
            if sold is not None:
                return sold
    return None


def _described(item: catalog.Item | None, facts: InvoiceFacts) -> str:
    if item is None:
        return "Invoice"
    return f"{item.title}, {'one year' if item.interval == 'year' else 'one month'}"


def _payment_status(facts: InvoiceFacts) -> payments.PaymentStatus:
    if facts.status == "paid":
        return "paid"
    if facts.status in {"void", "uncollectible"}:
        return "void"
    return "failed" if facts.failure_code else "open"
