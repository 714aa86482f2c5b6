"""Credits that a paid change of a plan brings: each step once, and the months it adds or ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Uuid

from talkingphoto.billing import catalog, ledger, plan_credits, step_maths
from talkingphoto.billing.step_maths import Brought
from talkingphoto.billing.subscriptions import InvoiceFacts, InvoiceLine
from talkingphoto.foundation import clock
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# A change on an invoice of these is in force or may yet be paid: it raises the level. A renewal is
# a draft for its first hour, and a change in that hour gives back a month that it will bring.
_LIVE = frozenset({"paid", "open", "uncollectible", "draft"})
CHANGE = "subscription_update"


class PlanStepRow(Base):
    """Credits that one price brought in the middle of one month of a subscription, once."""

    __tablename__ = "plan_steps"
    __table_args__ = (Index(None, "subscription_id"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    subscription_id: Mapped[str]
    invoice_id: Mapped[str]
    item: Mapped[str]
    credits: Mapped[int]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def brought_by(session: Session, family: Iterable[InvoiceFacts]) -> tuple[Brought, ...]:
    """What the paid invoices of one subscription bring, in the order of their moments."""
    bills = []
    for facts in family:
        if facts.status in _LIVE:
            bills.append(_bill(session, facts))
    return step_maths.brought_by(bills)


def grant(
    session: Session, *, user_id: str, family: tuple[InvoiceFacts, ...], now: datetime
) -> int:
    """Every paid change among the invoices has brought its credits, once; how many came now."""
    added, begun = 0, now
    for brought in brought_by(session, family):
        if not brought.bill.is_change:
            _cut(session, brought)
        elif brought.at_once:
            added += _grant_step(session, brought, user_id=user_id, family=family, now=now)
        else:
            drip = _drip(brought, user_id=user_id, subscription_id=_subscription_of(family))
            plan_credits.plan_drips(session, [drip])
            _cut(session, brought)
            if brought.month.number == 0:
                # What is paid has begun, even if Stripe's clock is a moment ahead of ours.
                begun = max(begun, brought.month.start)
    return added + plan_credits.grant_due_drips(session, now=begun, user_id=user_id)


def _bill(session: Session, facts: InvoiceFacts) -> step_maths.Bill:
    parts: list[step_maths.Part] = []
    years = 0
    for line in facts.lines:
        item = catalog.item_of_price(session, price_id=line.price_id) if line.price_id else None
        if item is None or not item.is_plan or (line.is_trial and not line.is_proration):
            continue
        is_year = item.interval == "year" and not line.is_proration
        parts.append(_part(line, item, mark=line.id if is_year and years else ""))
        years += is_year
    return step_maths.Bill(
        id=facts.id,
        is_paid=facts.status == "paid",
        is_change=facts.billing_reason == CHANGE,
        created_at=facts.created_at,
        parts=tuple(parts),
    )


def _part(line: InvoiceLine, item: catalog.Item, *, mark: str) -> step_maths.Part:
    return step_maths.Part(
        item=item,
        quantity=line.quantity,
        amount=line.amount,
        tax_minor=line.tax_minor,
        is_proration=line.is_proration,
        start=line.period_start,
        end=line.period_end,
        mark=mark,
    )


def _cut(session: Session, brought: Brought) -> None:
    if brought.kept < brought.credits and not brought.at_once:
        plan_credits.lower_drip(session, key=brought.drip_key, credits=brought.kept)


def _grant_step(
    session: Session,
    brought: Brought,
    *,
    user_id: str,
    family: tuple[InvoiceFacts, ...],
    now: datetime,
) -> int:
    subscription_id = _subscription_of(family)
    started = int(brought.month.start.timestamp())
    key = f"upgrade:{subscription_id}:{started}:{brought.item.key}"
    fresh = session.execute(
        insert(PlanStepRow)
        .values(
            key=key,
            user_id=UUID(user_id),
            subscription_id=subscription_id,
            invoice_id=brought.bill.id,
            item=brought.item.key,
            credits=brought.credits,
            price_minor=brought.price.minor,
            tax_minor=brought.tax_minor,
            currency=brought.price.currency,
            expires_at=_expiry(brought),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(PlanStepRow.key)
    )
    if fresh.first() is None:
        return 0  # granted with the row, by whoever wrote it
    row = session.scalars(select(PlanStepRow).filter_by(key=key)).one()
    return ledger.grant(session, _lot(row), now=now).credits


def _lot(row: PlanStepRow) -> ledger.NewLot:
    return ledger.NewLot(
        key=row.key,
        user_id=str(row.user_id),
        source="plan",
        credits=row.credits,
        price=Money(row.price_minor, row.currency),
        tax=Money(row.tax_minor, row.currency),
        expires_at=row.expires_at,
        reference=row.invoice_id,
        description=f"Change to {catalog.item(row.item).title}",
    )


def _drip(brought: Brought, *, user_id: str, subscription_id: str) -> plan_credits.Drip:
    number = brought.month.number
    return plan_credits.Drip(
        key=brought.drip_key,
        user_id=user_id,
        subscription_id=subscription_id,
        reference=brought.bill.id,
        description=f"{brought.item.title}, month {number + 1} of {plan_credits.YEAR}",
        credits=brought.credits,
        price=brought.price,
        tax_minor=brought.tax_minor,
        due_at=brought.month.start,
        expires_at=_expiry(brought),
    )


def _expiry(brought: Brought) -> datetime:
    return clock.add_months(
        brought.month.first, months=brought.month.number + 1 + plan_credits.ROLLOVER_MONTHS
    )


def _subscription_of(family: tuple[InvoiceFacts, ...]) -> str:
    return next((facts.subscription_id for facts in family if facts.subscription_id), "")
