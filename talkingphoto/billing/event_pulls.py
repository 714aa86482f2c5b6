"""How far we have looked for events that never reached us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime

from talkingphoto.foundation.database import Base

# Stripe lists the events of thirty days; what is older, the nightly comparison finds.
FARTHEST = timedelta(days=30)
# Clocks differ, and Stripe may list an event a while after it was made.
OVERLAP = timedelta(hours=1)


class EventPullRow(Base):
    """One group of event types: looked at until then, and the place in a look that goes on."""

    __tablename__ = "event_pulls"

    name: Mapped[str] = mapped_column(primary_key=True)
    looked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    began_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    after: Mapped[str | None]


@dataclass(frozen=True)
class Pull:
    """A look for missed events: those since then, going on after that one."""

    name: str
    since: datetime
    began_at: datetime
    after: str | None


def begin(session: Session, *, name: str, now: datetime) -> Pull:
    """The look that goes on, or else a new one that begins a little before the last one began."""
    session.execute(insert(EventPullRow).values(name=name).on_conflict_do_nothing())
    row = session.get_one(EventPullRow, name)
    if row.began_at is None or row.began_at < now - FARTHEST:
        row.began_at, row.after = now, None
    session.flush()
    seen = row.looked_until or now - FARTHEST
    return Pull(name, max(seen - OVERLAP, now - FARTHEST), row.began_at, row.after)


def advance(session: Session, *, name: str, after: str | None) -> None:
    """The look goes on behind that event, or from its beginning."""
    session.execute(update(EventPullRow).where(EventPullRow.name == name).values(after=after))


def finish(session: Session, pull: Pull) -> None:
    """Everything until the look began was looked at."""
    session.execute(
        update(EventPullRow)
        .where(EventPullRow.name == pull.name)
        .values(looked_until=pull.began_at, began_at=None, after=None)
    )
