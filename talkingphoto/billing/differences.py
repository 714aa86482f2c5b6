"""What Stripe and we disagree about: saved with its class and age, until it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.foundation.database import Base

Kind = Literal["customer", "subscription", "invoice", "payment", "refund", "dispute", "event"]
Class = Literal[
    "missing_here",
    "missing_there",
    "status",
    "amount",
    "period",
    "item",
    "owner",
    "grant_missing",
    "grant_extra",
    "conflict",
    "dead",
]
State = Literal["open", "healed", "ignored", "alerted"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_LIST = 200
# Compared from the beginning of time in each run; the others in a window.
_WHOLE = ("customer", "subscription")
_OPEN = text("closed_at IS NULL")


class DifferenceRow(Base):
    """One disagreement; only one of a kind and class is open about an object."""

    __tablename__ = "differences"
    __table_args__ = (
        Index(
            "uq_differences_open", "kind", "class", "object_id", unique=True, postgresql_where=_OPEN
        ),
        Index(None, "since"),
    )

    id: Mapped[UUID] = mapped_column(
        Uuid, primary_key=True, server_default=text("gen_random_uuid()")
    )
    run_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("comparisons.id"))
    kind: Mapped[Kind] = mapped_column(Text)
    class_: Mapped[Class] = mapped_column("class", Text)
    object_id: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("users.id"))
    ours: Mapped[str]
    theirs: Mapped[str]
    heals: Mapped[bool]
    object_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[State] = mapped_column(Text)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Finding:
    """A disagreement as it was just found; `heals` when writing again what Stripe says ends it."""

    kind: Kind
    class_: Class
    object_id: str
    user_id: str | None
    ours: str
    theirs: str
    heals: bool
    object_at: datetime


@dataclass(frozen=True)
class Difference:
    """A disagreement on record, since when, and what became of it."""

    id: str
    run_id: str | None
    kind: Kind
    class_: Class
    object_id: str
    user_id: str | None
    ours: str
    theirs: str
    heals: bool
    since: datetime
    state: State


def note(
    session: Session, finding: Finding, *, run_id: str | None, now: datetime
) -> Difference | None:
    """The disagreement is on record with its age; None when a person said that it is all right."""
    if _is_ignored(session, finding):
        return None
    fresh = insert(DifferenceRow).values(
        run_id=UUID(run_id) if run_id else None,
        kind=finding.kind,
        class_=finding.class_,
        object_id=finding.object_id,
        user_id=UUID(finding.user_id) if finding.user_id else None,
        ours=finding.ours,
        theirs=finding.theirs,
        heals=finding.heals,
        object_at=finding.object_at,
        since=now,
        seen_at=now,
        state="open",
    )
    row = session.scalars(
        fresh.on_conflict_do_update(
            index_elements=["kind", "class", "object_id"],
            index_where=_OPEN,
            set_={
                name: fresh.excluded[name]
                for name in ("run_id", "user_id", "ours", "theirs", "heals", "seen_at")
            },
        ).returning(DifferenceRow),
        execution_options={"populate_existing": True},
    ).one()
    return _difference(row)


def move(session: Session, *, difference_id: str, to: State, now: datetime) -> bool:
    """The disagreement stands there; False when somebody closed it before."""
    moved = session.execute(
        update(DifferenceRow)
        .where(DifferenceRow.id == UUID(difference_id), DifferenceRow.closed_at.is_(None))
        .values(state=to, closed_at=now if to in {"healed", "ignored"} else None)
        .returning(DifferenceRow.id)
    )
    return moved.first() is not None


def close_gone(session: Session, *, run_id: str, since: datetime, now: datetime) -> int:
    """What a run that looked so far back did not find again is healed; how many those are."""
    closed = session.execute(
        update(DifferenceRow)
        .where(
            DifferenceRow.closed_at.is_(None),
            DifferenceRow.kind != "event",
            DifferenceRow.kind.in_(_WHOLE) | (DifferenceRow.object_at >= since),
            DifferenceRow.run_id.is_distinct_from(UUID(run_id)),
        )
        .values(state="healed", closed_at=now)
        .returning(DifferenceRow.id)
    )
    return len(closed.all())


def close_events(session: Session, *, now: datetime) -> int:
    """Dead letters that were processed after all are healed; how many those are."""
    closed = session.execute(
        text(
            """
            UPDATE differences SET state = 'healed', closed_at = :now
            WHERE kind = 'event' AND class = 'dead' AND closed_at IS NULL AND EXISTS (
                SELECT FROM stripe_events
                WHERE id = differences.object_id AND result IN ('done', 'ignored'))
            RETURNING id
            """
        ),
        {"now": now},
    )
    return len(closed.all())


def get(session: Session, *, difference_id: str) -> Difference | None:
    """The disagreement of that id; None without one."""
    row = session.scalars(select(DifferenceRow).filter_by(id=UUID(difference_id))).one_or_none()
    return _difference(row) if row else None


def recent(session: Session, *, open_only: bool, limit: int) -> tuple[Difference, ...]:
    """The disagreements, the latest first."""
    found = select(DifferenceRow).order_by(DifferenceRow.since.desc(), DifferenceRow.id)
    if open_only:
        found = found.where(DifferenceRow.closed_at.is_(None))
    rows = session.scalars(found.limit(min(limit, LONGEST_LIST)))
    return tuple(_difference(row) for row in rows)


def count_open(session: Session) -> dict[tuple[str, str], int]:
    """How many are open, by kind and class."""
    found = session.execute(
        select(DifferenceRow.kind, DifferenceRow.class_, func.count())
        .where(DifferenceRow.closed_at.is_(None))
        .group_by(DifferenceRow.kind, DifferenceRow.class_)
    )
    return {(kind, class_): number for kind, class_, number in found}


def _is_ignored(session: Session, finding: Finding) -> bool:
    same = select(DifferenceRow.id).filter_by(
        kind=finding.kind,
        class_=finding.class_,
        object_id=finding.object_id,
        ours=finding.ours,
        theirs=finding.theirs,
        state="ignored",
    )
    return session.scalars(same.limit(1)).first() is not None


def _difference(row: DifferenceRow) -> Difference:
    return Difference(
        id=str(row.id),
        run_id=str(row.run_id) if row.run_id else None,
        kind=row.kind,
        class_=row.class_,
        object_id=row.object_id,
        user_id=str(row.user_id) if row.user_id else None,
        ours=row.ours,
        theirs=row.theirs,
        heals=row.heals,
        since=row.since,
        state=row.state,
    )
