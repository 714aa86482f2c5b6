"""What stands open between Stripe and us: for programs that watch, and for the office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import differences

_EVENTS = text(
    """
    SELECT count(*) FILTER (WHERE processed_at IS NULL) AS waiting,
        coalesce(extract(epoch FROM :now - min(received_at)
            FILTER (WHERE processed_at IS NULL)), 0) AS oldest_seconds,
        count(*) FILTER (WHERE result = 'dead') AS dead
    FROM stripe_events WHERE processed_at IS NULL OR result = 'dead'
    """
)


@dataclass(frozen=True)
class Standing:
    """How many events wait, since when, are dead or parked; payments to return; differences."""

    waiting: int
    oldest_seconds: float
    dead: int
    parked: int
    to_return: int
    differences: Mapping[tuple[str, str], int]


def of_now(session: Session, *, now: datetime) -> Standing:
    """What stands open at that moment."""
    events = session.execute(_EVENTS, {"now": now}).one()
    parked = session.scalar(text("SELECT count(*) FROM event_conflicts"))
    owed = session.scalar(text("SELECT count(*) FROM returned_payments WHERE state <> 'returned'"))
    return Standing(
        waiting=events.waiting,
        oldest_seconds=float(events.oldest_seconds),
        dead=events.dead,
        parked=parked or 0,
        to_return=owed or 0,
        differences=differences.count_open(session),
    )
