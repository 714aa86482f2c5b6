"""Changes of a plan: which are made at once and which wait, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import catalog, customers
from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

Kind = Literal["now", "period_end"]
State = Literal["asked", "waiting", "scheduled", "done", "failed", "undone"]
MOST_DUE = 50
# After a crash the change is made by the sweep: the customer has said yes to it, and waits.
RETRY_AFTER = timedelta(minutes=2)
# A yes counts for so long, and no longer: nobody is charged by surprise.
GIVE_UP_AFTER = timedelta(hours=1)
# Stripe's own timers are given this much before we look whether they have acted.
GRACE = timedelta(minutes=10)
_OPEN = ("asked", "waiting", "scheduled")
_REFUSALS = {
    "trialing": ("change.trial", "Your trial is still running. Change your plan when it is over."),
    "past_due": (
        "change.past_due",
        "Your last payment did not go through. Pay it first, then change your plan.",
    ),
    "unpaid": (
        "change.unpaid",
        "Your last payment did not go through. Pay it first, then change your plan.",
    ),
    "paused": ("change.paused", "Your plan is paused. Resume it first, then change it."),
    "ending": ("change.ending", "Your plan is about to end. Resume it first, then change it."),
    "same": ("change.same", "This is your plan. Choose another one."),
    "managed": ("change.managed", "Your plan was arranged by us. Write to us to change it."),
    "over": ("change.no_plan", "You have no plan to change. Choose one from the price list."),
}
STALE = ("change.stale", "Something has changed since. Nothing was charged. Look at it once more.")
BUSY = ("change.busy", "A change of your plan is on its way. Look again in a minute.")


class PlanChangeRow(Base):
    """A change that a customer has said yes to, stored before Stripe hears of it."""

    __tablename__ = "plan_changes"
    __table_args__ = (
        Index(
            "uq_plan_changes_open",
            "subscription_id",
            unique=True,
            postgresql_where=text("state IN ('asked', 'waiting', 'scheduled')"),
        ),
        Index("ix_plan_changes_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(None, "subscription_id"),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    subscription_id: Mapped[str]
    from_item: Mapped[str]
    to_item: Mapped[str]
    price_id: Mapped[str]
    kind: Mapped[Kind] = mapped_column(Text)
    # The moment that parts of periods are counted from; or when the new plan begins.
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    charge_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    invoice_id: Mapped[str | None]
    schedule_id: Mapped[str | None]
    pay_url: Mapped[str | None]
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Standing:
    """What Stripe says of a subscription that is to be changed."""

    subscription_id: str
    line_id: str
    price_id: str
    is_simple: bool
    status: str
    period_start: datetime
    period_end: datetime
    is_ending: bool
    schedule_id: str | None
    waiting_until: datetime | None
    latest_invoice_id: str | None
    discount_ids: tuple[str, ...]

    def moment(self, now: datetime) -> datetime:
        """The present second, kept within the period: our clock may be a moment off Stripe's."""
        within = min(max(now, self.period_start), self.period_end)
        return within.replace(microsecond=0)


@dataclass(frozen=True)
class PreviewLine:
    """One line of what a change costs."""

    description: str
    amount: Money


@dataclass(frozen=True)
class PreviewFacts:
    """An invoice as it would be; `charge` is what would be asked for."""

    invoice: InvoiceFacts
    charge: Money
    lines: tuple[PreviewLine, ...]


@dataclass(frozen=True)
class Change:
    """A change that was asked for, and where it stands."""

    user_id: str
    request_id: str
    subscription_id: str
    from_item: str
    to_item: str
    price_id: str
    kind: Kind
    at: datetime
    charge: Money
    state: State = "asked"
    invoice_id: str | None = None
    schedule_id: str | None = None
    pay_url: str | None = None
    created_at: datetime | None = None

    @property
    def idempotency_key(self) -> str:
        """The same for every try of this change, so Stripe makes it once."""
        return f"change:{self.user_id}:{self.request_id}"


@dataclass(frozen=True)
class Outcome:
    """Where a change stands after a look at Stripe."""

    state: State
    looked_at: datetime
    invoice_id: str | None = None
    schedule_id: str | None = None
    pay_url: str | None = None
    due_at: datetime | None = None


def kind_of(old: catalog.Item, new: catalog.Item) -> Kind:
    """Dearer plans, and years of the same plan, begin at once; the rest at the period's end."""
    lengthens = (old.interval, new.interval) == ("month", "year")
    if old.interval != new.interval and not lengthens:
        return "period_end"
    worth = catalog.ITEMS[f"{new.product_key}:month"].price.minor
    had = catalog.ITEMS[f"{old.product_key}:month"].price.minor
    return "now" if worth > had or (lengthens and worth == had) else "period_end"


def refusal(
    *, status: str, is_ending: bool, old: catalog.Item, new: catalog.Item
) -> tuple[str, str] | None:
    """Why the change cannot be asked for now, as a code and a sentence; None when it can be."""
    if is_ending:
        return _REFUSALS["ending"]
    if status != "active":
        return _REFUSALS.get(status, _REFUSALS["over"])
    return _REFUSALS["same"] if old.key == new.key else None


def unmanaged(standing: Standing, *, known_schedules: frozenset[str]) -> None:
    """Returns for a plan as we sell it; Conflict for one that somebody arranged at Stripe."""
    foreign = standing.schedule_id is not None and standing.schedule_id not in known_schedules
    if foreign or not standing.is_simple:
        raise errors.Conflict(*_REFUSALS["managed"])


def no_plan() -> errors.Conflict:
    """The refusal for somebody without a plan."""
    return errors.Conflict(*_REFUSALS["over"])


def open_change(session: Session, change: Change, *, now: datetime) -> Change:
    """The change is stored and takes the place of one that waits; the same request gives the
    first one, and so does the same change asked for in another tab meanwhile."""
    customers.lock(session, user_id=change.user_id)
    known = find(session, user_id=change.user_id, request_id=change.request_id)
    if known is not None:
        return known
    rival = _open_of(session, subscription_id=change.subscription_id)
    if rival is not None and rival.state == "asked":
        if rival.to_item == change.to_item:
            return rival
        raise errors.Conflict(*BUSY)
    if rival is not None:
        # A schedule is released by the sweep as well, should we not live to do it now.
        left: State = "undone" if rival.state == "scheduled" else "failed"
        _end(session, rival, state=left, now=now)
    session.execute(
        insert(PlanChangeRow).values(
            user_id=UUID(change.user_id),
            request_id=UUID(change.request_id),
            subscription_id=change.subscription_id,
            from_item=change.from_item,
            to_item=change.to_item,
            price_id=change.price_id,
            kind=change.kind,
            at=change.at,
            charge_minor=change.charge.minor,
            currency=change.charge.currency,
            state="asked",
            due_at=now + RETRY_AFTER,
            created_at=now,
        )
    )
    return change


def find(session: Session, *, user_id: str, request_id: str) -> Change | None:
    """The change that this request asked for."""
    row = session.scalars(
        select(PlanChangeRow).filter_by(user_id=UUID(user_id), request_id=UUID(request_id))
    ).one_or_none()
    return _change(row) if row else None


def open_of(session: Session, *, user_id: str) -> Change | None:
    """The customer's change that is not over: under way, waiting for its payment or its date."""
    row = session.scalars(
        select(PlanChangeRow)
        .where(PlanChangeRow.user_id == UUID(user_id), PlanChangeRow.state.in_(_OPEN))
        .order_by(PlanChangeRow.created_at.desc())
        .limit(1)
    ).one_or_none()
    return _change(row) if row else None


def schedules_of(session: Session, *, subscription_id: str) -> frozenset[str]:
    """The schedules that we have made for that subscription."""
    found = select(PlanChangeRow.schedule_id).filter_by(subscription_id=subscription_id)
    return frozenset(one for one in session.scalars(found) if one)


def move(session: Session, change: Change, outcome: Outcome, *, now: datetime) -> bool:
    """The change stands where Stripe says; what has ended and what was seen later stay."""
    over = outcome.state not in _OPEN
    row = update(PlanChangeRow).where(
        PlanChangeRow.user_id == UUID(change.user_id),
        PlanChangeRow.request_id == UUID(change.request_id),
    )
    if outcome.invoice_id is not None:
        # Also when an event was faster and has ended the change: it did not know the invoice.
        session.execute(row.values(invoice_id=outcome.invoice_id))
    moved = session.execute(
        row.where(
            PlanChangeRow.state.in_(_OPEN),
            PlanChangeRow.synced_at.is_(None) | (PlanChangeRow.synced_at < outcome.looked_at),
        )
        .values(
            state=outcome.state,
            schedule_id=outcome.schedule_id or PlanChangeRow.schedule_id,
            pay_url=outcome.pay_url or PlanChangeRow.pay_url,
            due_at=outcome.due_at,
            synced_at=outcome.looked_at,
            ended_at=now if over else None,
        )
        .returning(PlanChangeRow.request_id)
    )
    return moved.first() is not None


def follow(
    session: Session, *, facts: SubscriptionFacts, looked_at: datetime, now: datetime
) -> None:
    """The open change of the subscription stands where that look says."""
    change = _open_of(session, subscription_id=facts.id)
    if change is None:
        return
    state = _state_seen(change, facts)
    if state is None:
        return
    # The schedule has done its part and is let go: while it holds the plan, no end can be set.
    due_at = now if change.schedule_id and facts.schedule_id else None
    move(session, change, Outcome(state=state, looked_at=looked_at, due_at=due_at), now=now)


def due(session: Session, *, now: datetime) -> tuple[Change, ...]:
    """Changes that somebody has to look at now, at most fifty."""
    rows = session.scalars(
        select(PlanChangeRow)
        .where(PlanChangeRow.due_at <= now)
        .order_by(PlanChangeRow.due_at)
        .limit(MOST_DUE)
    )
    return tuple(_change(row) for row in rows)


def postpone(session: Session, change: Change, *, until: datetime | None) -> None:
    """The change is looked at again at that time, or never by itself."""
    session.execute(
        update(PlanChangeRow)
        .where(
            PlanChangeRow.user_id == UUID(change.user_id),
            PlanChangeRow.request_id == UUID(change.request_id),
        )
        .values(due_at=until)
    )


def _state_seen(change: Change, facts: SubscriptionFacts) -> State | None:
    """What the subscription says of its open change; None while that goes on as it is."""
    if facts.status in {"canceled", "incomplete_expired"}:
        return "failed" if change.kind == "now" else "undone"
    if any(item.price_id == change.price_id for item in facts.items):
        return "done"
    if change.state == "waiting" and facts.waiting_price_id is None:
        return "failed"
    if change.state == "scheduled" and facts.schedule_id is None:
        return "undone"
    return None


def _open_of(session: Session, *, subscription_id: str) -> Change | None:
    row = session.scalars(
        select(PlanChangeRow).where(
            PlanChangeRow.subscription_id == subscription_id, PlanChangeRow.state.in_(_OPEN)
        )
    ).one_or_none()
    return _change(row) if row else None


def _end(session: Session, change: Change, *, state: State, now: datetime) -> None:
    session.execute(
        update(PlanChangeRow)
        .where(
            PlanChangeRow.user_id == UUID(change.user_id),
            PlanChangeRow.request_id == UUID(change.request_id),
            PlanChangeRow.state.in_(_OPEN),
        )
        .values(state=state, ended_at=now, due_at=now + RETRY_AFTER if change.schedule_id else None)
    )


def _change(row: PlanChangeRow) -> Change:
    return Change(
        user_id=str(row.user_id),
        request_id=str(row.request_id),
        subscription_id=row.subscription_id,
        from_item=row.from_item,
        to_item=row.to_item,
        price_id=row.price_id,
        kind=row.kind,
        at=row.at,
        charge=Money(row.charge_minor, row.currency),
        state=row.state,
        invoice_id=row.invoice_id,
        schedule_id=row.schedule_id,
        pay_url=row.pay_url,
        created_at=row.created_at,
    )
