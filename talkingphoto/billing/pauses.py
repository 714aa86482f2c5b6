"""Pauses that a customer asked for, and the new period that may begin when one ends early."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.foundation.database import Base

PauseState = Literal["asked", "on", "ending", "over"]
_OPEN = ("asked", "on", "ending")


class PauseRow(Base):
    """One pause of a subscription: asked for, in force, being ended, over."""

    __tablename__ = "pauses"
    __table_args__ = (
        Index(
            "uq_pauses_open",
            "subscription_id",
            unique=True,
            postgresql_where=text("state <> 'over'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    subscription_id: Mapped[str]
    begins_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[PauseState] = mapped_column(Text)
    restarts: Mapped[bool]
    tries: Mapped[int]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Pause:
    """A pause that is not over; `restarts` when its end begins a new period that is charged."""

    id: str
    user_id: str
    subscription_id: str
    begins_at: datetime
    until: datetime | None
    state: PauseState
    restarts: bool
    tries: int

    @property
    def key(self) -> str:
        """The same for every try to begin this pause at Stripe."""
        return f"pause:{self.id}"

    @property
    def end_key(self) -> str:
        """The same for every try to end it, until the bank has refused one."""
        return f"unpause:{self.id}:{self.tries}"


def ask(session: Session, pause: Pause, *, now: datetime) -> Pause:
    """A pause of that subscription is on record: this one, or the one that is not over yet."""
    session.execute(
        insert(PauseRow)
        .values(
            id=UUID(pause.id),
            user_id=UUID(pause.user_id),
            subscription_id=pause.subscription_id,
            begins_at=pause.begins_at,
            until=pause.until,
            state=pause.state,
            restarts=pause.restarts,
            tries=pause.tries,
            asked_at=now,
        )
        .on_conflict_do_nothing(
            index_elements=["subscription_id"], index_where=text("state <> 'over'")
        )
    )
    found = of_subscription(session, subscription_id=pause.subscription_id)
    assert found is not None, "a pause that was asked for is on record"
    return found


def of_subscription(session: Session, *, subscription_id: str) -> Pause | None:
    """The pause of that subscription that is not over; None without one."""
    row = session.scalars(
        select(PauseRow)
        .where(PauseRow.subscription_id == subscription_id, PauseRow.state.in_(_OPEN))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return _pause(row) if row else None


def unfinished(session: Session, *, before: datetime, limit: int) -> tuple[Pause, ...]:
    """Pauses whose beginning or end was asked for before then and not carried out."""
    rows = session.scalars(
        select(PauseRow)
        .where(PauseRow.state.in_(("asked", "ending")), PauseRow.asked_at < before)
        .order_by(PauseRow.asked_at)
        .limit(limit)
    )
    return tuple(_pause(row) for row in rows)


def end(session: Session, *, pause: Pause, restarts: bool) -> Pause:
    """The pause is being ended, in the way that was decided first."""
    session.execute(
        update(PauseRow)
        .where(PauseRow.id == UUID(pause.id), PauseRow.state.in_(("asked", "on")))
        .values(state="ending", restarts=restarts)
    )
    found = of_subscription(session, subscription_id=pause.subscription_id)
    return found or pause


def declined(session: Session, *, pause: Pause) -> None:
    """The bank refused the new period: the pause goes on, and another try is a new one."""
    session.execute(
        update(PauseRow)
        .where(
            PauseRow.id == UUID(pause.id),
            PauseRow.state == "ending",
            PauseRow.tries == pause.tries,
        )
        .values(state="on", restarts=False, tries=PauseRow.tries + 1)
    )


def follow(
    session: Session, *, subscription_id: str, is_paused: bool, looked_at: datetime, now: datetime
) -> Pause | None:
    """The pause on record agrees with what was seen at Stripe, unless it was written later: the
    pause as it is now when that moved it."""
    newer = PauseRow.synced_at.is_(None) | (PauseRow.synced_at < looked_at)
    mine = update(PauseRow).where(PauseRow.subscription_id == subscription_id, newer)
    if is_paused:
        moved = mine.where(PauseRow.state == "asked").values(state="on", synced_at=looked_at)
    else:
        # A pause that was only asked for may not have reached Stripe yet.
        seen = PauseRow.state.in_(("on", "ending"))
        moved = mine.where(seen).values(state="over", ended_at=now, synced_at=looked_at)
    row = session.scalars(
        moved.returning(PauseRow).execution_options(populate_existing=True)
    ).one_or_none()
    return _pause(row) if row else None


def _pause(row: PauseRow) -> Pause:
    return Pause(
        id=str(row.id),
        user_id=str(row.user_id),
        subscription_id=row.subscription_id,
        begins_at=row.begins_at,
        until=row.until,
        state=row.state,
        restarts=row.restarts,
        tries=row.tries,
    )
