"""What Stripe showed of itself in one run, next to ours: set against set, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Text, Uuid

from talkingphoto.billing import comparison_sql
from talkingphoto.billing.differences import Finding
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

# What was made a moment ago may still be on its way to us: the next run looks at it.
SETTLING = timedelta(minutes=10)
# Payments can be corrected, refunded and disputed for a while after they were made.
WINDOW = timedelta(days=35)
# A run that nobody went on with is begun anew.
LONGEST_RUN = timedelta(hours=20)
MOST_FINDINGS = 1000


class ComparisonRow(Base):
    """One run, and how far it got; only one of them is unfinished."""

    __tablename__ = "comparisons"
    __table_args__ = (
        Index(
            "uq_comparisons_running",
            literal_column("(true)"),
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index(None, "at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str | None]
    after: Mapped[str | None]
    looked: Mapped[int]
    differences: Mapped[int]
    healed: Mapped[int]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SeenObjectRow(Base):
    """One object as Stripe showed it in a run; gone when the run is finished."""

    __tablename__ = "seen_objects"
    __table_args__ = (Index(None, "run_id", "reference"),)

    run_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("comparisons.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    object_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str | None]
    user_id: Mapped[str | None]
    reference: Mapped[str | None]
    status: Mapped[str]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    price_id: Mapped[str | None]
    period_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    grants: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    looked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Seen:
    """One object at Stripe, in the few words that are compared; `grants` names the lots that it
    must have brought, `reference` the payment behind it."""

    object_id: str
    status: str
    created_at: datetime
    customer_id: str | None = None
    user_id: str | None = None
    reference: str | None = None
    amount: Money | None = None
    price_id: str | None = None
    period_end: datetime | None = None
    grants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Window:
    """Which objects are compared: those that were made since then and before."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Running:
    """A run that goes on with that kind of objects behind that place; None before the first."""

    id: str
    at: datetime
    window: Window
    kind: str | None
    after: str | None


def begin(session: Session, *, run_id: str, now: datetime) -> Running:
    """The run that is unfinished, or else a new one of that id."""
    stale = update(ComparisonRow).where(
        ComparisonRow.finished_at.is_(None), ComparisonRow.at < now - LONGEST_RUN
    )
    session.execute(stale.values(finished_at=now, kind=None, after=None))
    session.execute(
        insert(ComparisonRow)
        .values(
            id=UUID(run_id),
            at=now,
            since=now - WINDOW,
            until=now - SETTLING,
            looked=0,
            differences=0,
            healed=0,
        )
        .on_conflict_do_nothing()
    )
    row = session.scalars(select(ComparisonRow).filter_by(finished_at=None)).one()
    return Running(str(row.id), row.at, Window(row.since, row.until), row.kind, row.after)


def get(session: Session, *, run_id: str) -> Running:
    """The run of that id, which exists, also when it is over."""
    row = session.get_one(ComparisonRow, UUID(run_id))
    return Running(str(row.id), row.at, Window(row.since, row.until), row.kind, row.after)


def stage(
    session: Session, *, run_id: str, kind: str, rows: Iterable[Seen], looked_at: datetime
) -> None:
    """These objects were seen in the run as they are here; what was seen before is replaced."""
    values = [
        {
            "run_id": UUID(run_id),
            "kind": kind,
            "object_id": row.object_id,
            "customer_id": row.customer_id,
            "user_id": row.user_id,
            "reference": row.reference,
            "status": row.status,
            "amount_minor": row.amount.minor if row.amount else None,
            "currency": row.amount.currency if row.amount else None,
            "price_id": row.price_id,
            "period_end": row.period_end,
            "grants": list(row.grants),
            "created_at": row.created_at,
            "looked_at": looked_at,
        }
        for row in rows
    ]
    if not values:
        return
    fresh = insert(SeenObjectRow).values(values)
    keys = ("run_id", "kind", "object_id")
    replaced = {name: fresh.excluded[name] for name in values[0] if name not in keys}
    session.execute(fresh.on_conflict_do_update(index_elements=keys, set_=replaced))


def advance(session: Session, *, run_id: str, kind: str, after: str | None) -> None:
    """The run goes on there."""
    session.execute(
        update(ComparisonRow)
        .where(ComparisonRow.id == UUID(run_id), ComparisonRow.finished_at.is_(None))
        .values(kind=kind, after=after)
    )


def findings(
    session: Session, running: Running, *, kind: str, object_id: str | None = None
) -> tuple[Finding, ...]:
    """Where what was seen of that kind and what is on record differ, about one object or all."""
    found = session.execute(
        comparison_sql.OF_KIND[kind],
        {
            "run_id": UUID(running.id),
            "since": running.window.since,
            "until": running.window.until,
            "only": object_id,
            "limit": MOST_FINDINGS,
        },
    )
    return tuple(
        Finding(
            kind=row.kind,
            class_=row.class_,
            object_id=row.object_id,
            user_id=str(row.user_id) if row.user_id else None,
            ours=row.ours,
            theirs=row.theirs,
            heals=row.heals,
            object_at=row.object_at,
        )
        for row in found
    )


def forget_one(session: Session, *, run_id: str, object_id: str) -> None:
    """What a finished run saw of that object again is forgotten again."""
    finished = select(ComparisonRow.id).where(ComparisonRow.finished_at.is_not(None))
    session.execute(
        delete(SeenObjectRow).where(
            SeenObjectRow.run_id == UUID(run_id),
            SeenObjectRow.object_id == object_id,
            SeenObjectRow.run_id.in_(finished),
        )
    )


def finish(session: Session, *, run_id: str, differences: int, healed: int, now: datetime) -> int:
    """The run is over and what it saw is forgotten; how many objects that was."""
    run = UUID(run_id)
    looked = session.scalar(
        select(func.count()).select_from(SeenObjectRow).where(SeenObjectRow.run_id == run)
    )
    # Of runs that were broken off too.
    session.execute(delete(SeenObjectRow))
    session.execute(
        update(ComparisonRow)
        .where(ComparisonRow.id == run, ComparisonRow.finished_at.is_(None))
        .values(
            looked=looked or 0,
            differences=differences,
            healed=healed,
            kind=None,
            after=None,
            finished_at=now,
        )
    )
    return looked or 0
