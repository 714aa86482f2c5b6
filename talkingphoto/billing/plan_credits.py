"""The credits that a plan brings: with each paid month, and month by month for a paid year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import catalog, customers, ledger, step_maths
from talkingphoto.billing.ledger_tables import LotRow
from talkingphoto.billing.subscriptions import InvoiceFacts, InvoiceLine
from talkingphoto.foundation import clock
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# Invoices for a whole new period. A change in between is billed less what is unused: what it
# brings is said by steps.py; an invoice made by hand brings nothing.
GRANTING_REASONS = frozenset({"subscription_create", "subscription_cycle"})
ROLLOVER_MONTHS = 1
YEAR = step_maths.MONTHS_IN_YEAR
MOST_DRIPS = 200


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
class Drip:
    """A month of a paid year that will be granted when it begins; `price` has the tax in it."""

    key: str
    user_id: str
    subscription_id: str
    reference: str
    description: str
    credits: int
    price: Money
    tax_minor: int
    due_at: datetime
    expires_at: datetime


def grant_invoice(session: Session, *, user_id: str, facts: InvoiceFacts, now: datetime) -> int:
    """The credits that a paid invoice brings now are there, once; how many those are."""
    if facts.status != "paid" or facts.billing_reason not in GRANTING_REASONS:
        return 0
    added, mark = 0, ""
    for line in facts.lines:
        sold = catalog.item_of_price(session, price_id=line.price_id) if line.price_id else None
        if sold is None or line.is_proration or line.is_trial:
            continue
        if sold.interval == "year":
            plan_drips(session, _months_of(facts, line, sold, user_id=user_id, mark=mark))
            mark = line.id
            # What is paid has begun, even if Stripe's clock is a moment ahead of ours.
            begun = max(now, line.period_start)
            added += grant_due_drips(session, now=begun, user_id=user_id)
        else:
            added += _grant_month(
                session, user_id=user_id, facts=facts, line=line, sold=sold, now=now
            )
    return added


def lots_of(session: Session, *, facts: InvoiceFacts) -> tuple[str, ...]:
    """The keys of the lots that a paid invoice has brought when it was granted."""
    if facts.status != "paid" or facts.billing_reason not in GRANTING_REASONS:
        return ()
    keys = []
    for line in facts.lines:
        sold = catalog.item_of_price(session, price_id=line.price_id) if line.price_id else None
        if sold is None or line.is_proration or line.is_trial:
            continue
        if sold.interval == "year":  # its first month begins with it
            keys.append(step_maths.drip_key(facts.id, month=0, mark=""))
        else:
            keys.append(f"invoice:{facts.id}:{line.id}")
    return tuple(keys)


def plan_drips(session: Session, drips: Iterable[Drip]) -> None:
    """Those months will be granted when they begin; what is planned already stays as it is."""
    rows = [
        {
            "key": drip.key,
            "user_id": UUID(drip.user_id),
            "subscription_id": drip.subscription_id,
            "reference": drip.reference,
            "description": drip.description,
            "credits": drip.credits,
            "price_minor": drip.price.minor,
            "tax_minor": drip.tax_minor,
            "currency": drip.price.currency,
            "due_at": drip.due_at,
            "expires_at": drip.expires_at,
            "state": "pending",
        }
        for drip in drips
    ]
    if rows:
        planned = insert(DripRow).values(rows)
        session.execute(planned.on_conflict_do_nothing(index_elements=["key"]))


def lower_drip(session: Session, *, key: str, credits: int) -> None:
    """A month that has not begun brings no more than that, and its price is less in proportion."""
    row = update(DripRow).where(DripRow.key == key, DripRow.state == "pending")
    if credits == 0:
        session.execute(row.values(state="stopped"))
        return
    less = {
        "credits": credits,
        # Rounded half up, in whole numbers.
        "price_minor": (2 * DripRow.price_minor * credits + DripRow.credits)
        // (2 * DripRow.credits),
        "tax_minor": (2 * DripRow.tax_minor * credits + DripRow.credits) // (2 * DripRow.credits),
    }
    session.execute(row.where(DripRow.credits > credits).values(less))


def grant_due_drips(session: Session, *, now: datetime, user_id: str | None = None) -> int:
    """Months of paid years that have begun are granted, at most 200; the credits they brought."""
    waiting = select(DripRow).where(DripRow.state == "pending", DripRow.due_at <= now)
    if user_id is not None:
        waiting = waiting.where(DripRow.user_id == UUID(user_id))
    waiting = waiting.order_by(DripRow.due_at, DripRow.key).limit(MOST_DRIPS)
    found = session.scalars(waiting).all()
    # One order for every sweep, so that two of them cannot wait for each other.
    for owner_id in sorted({str(row.user_id) for row in found}):
        customers.lock(session, user_id=owner_id)
    # As they are now that nobody else changes them: a refund may have stopped one meanwhile.
    keys = [row.key for row in found]
    still = select(DripRow).where(DripRow.key.in_(keys), DripRow.state == "pending")
    rows = session.scalars(
        still.order_by(DripRow.due_at, DripRow.key).execution_options(populate_existing=True)
    )
    return sum(_grant_drip(session, row, now=now) for row in rows.all())


def stop_drips(session: Session, *, reference: str) -> int:
    """The months of that paid year that have not begun bring nothing; how many those are."""
    stopped = session.execute(
        update(DripRow)
        .where(DripRow.reference == reference, DripRow.state == "pending")
        .values(state="stopped")
        .returning(DripRow.key)
    )
    return len(stopped.all())


def granted_by(session: Session, *, reference: str) -> int:
    """The credits that a payment has brought so far."""
    lots = select(func.coalesce(func.sum(LotRow.credits), 0)).where(LotRow.reference == reference)
    return int(session.scalars(lots).one())


def next_drip(session: Session, *, user_id: str) -> tuple[datetime, int] | None:
    """When the next month of a paid year begins and how many credits it brings."""
    row = session.execute(
        select(DripRow.due_at, func.sum(DripRow.credits))
        .where(DripRow.user_id == UUID(user_id), DripRow.state == "pending")
        .group_by(DripRow.due_at)
        .order_by(DripRow.due_at)
        .limit(1)
    ).one_or_none()
    return (row[0], int(row[1])) if row else None


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
        credits=sold.credits * line.quantity,
        price=line.amount,
        tax=Money(line.tax_minor, line.amount.currency),
        # From the start and not the end, so that a plan begun on the 31st keeps its day.
        expires_at=clock.add_months(line.period_start, months=1 + ROLLOVER_MONTHS),
        reference=facts.id,
        description=f"{sold.title}, one month",
    )
    return ledger.grant(session, lot, now=now).credits


def _months_of(
    facts: InvoiceFacts, line: InvoiceLine, sold: catalog.Item, *, user_id: str, mark: str
) -> list[Drip]:
    prices = line.amount.split(YEAR)
    taxes = Money(line.tax_minor, line.amount.currency).split(YEAR)
    return [
        Drip(
            key=step_maths.drip_key(facts.id, month=month, mark=mark),
            user_id=user_id,
            subscription_id=facts.subscription_id or "",
            reference=facts.id,
            description=f"{sold.title}, month {month + 1} of {YEAR}",
            credits=sold.credits * line.quantity,
            price=prices[month],
            tax_minor=taxes[month].minor,
            due_at=clock.add_months(line.period_start, months=month),
            expires_at=clock.add_months(line.period_start, months=month + 1 + ROLLOVER_MONTHS),
        )
        for month in range(YEAR)
    ]


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
