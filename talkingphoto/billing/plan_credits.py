"""The credits that a plan brings: with each paid month, and month by month for a paid year."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import catalog, customers, ledger, pauses
from talkingphoto.billing.subscriptions import InvoiceFacts, InvoiceLine
from talkingphoto.foundation import clock
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# Invoices for a whole new period; the rest (a change in between, manual) bring no credits: a change
# that starts the period anew is billed less what is unused, and would sell a period for pennies.
_GRANTING_REASONS = frozenset({"subscription_create", "subscription_cycle"})
ROLLOVER_MONTHS = 1
YEAR = 12
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


def grant_invoice(session: Session, *, user_id: str, facts: InvoiceFacts, now: datetime) -> int:
    """The credits that a paid invoice brings now are there, once; how many those are."""
    if facts.status != "paid" or not _brings_period(session, facts):
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


def _brings_period(session: Session, facts: InvoiceFacts) -> bool:
    if facts.billing_reason in _GRANTING_REASONS:
        return True
    # A pause that ended early begins a period that is paid in full.
    whole = not any(line.is_proration for line in facts.lines)
    return whole and pauses.is_restart(
        session, subscription_id=facts.subscription_id or "", invoice_id=facts.id
    )


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
