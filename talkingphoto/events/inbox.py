"""Every Stripe event once: stored with its wake-up job, completed by one worker."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text

from talkingphoto.foundation import errors, jobs
from talkingphoto.foundation.database import Base

TASK = "stripe.event"
QUEUE = "events"
LONGEST_ID = 255
LONGEST_ERROR = 500
LONGEST_LIST = 50

Result = Literal["done", "ignored", "dead"]
Stored = Literal["new", "known", "conflict"]
# How often Stripe has told of it so far: no part of what it says.
_NOT_SAID = ("pending_webhooks",)


class StripeEventRow(Base):
    """One event as it arrived, and what became of it."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index(
            "ix_stripe_events_waiting",
            "received_at",
            postgresql_where=text("processed_at IS NULL"),
        ),
        Index(None, "received_at"),
        Index("ix_stripe_events_dead", "received_at", postgresql_where=text("result = 'dead'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    object_id: Mapped[str]
    customer_id: Mapped[str | None]
    api_version: Mapped[str | None]
    livemode: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    payload: Mapped[str] = mapped_column(Text)
    payload_sha256: Mapped[str]
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    result: Mapped[Result | None] = mapped_column(Text)
    error: Mapped[str | None]


class EventConflictRow(Base):
    """What came under the id of an event and says something else: parked, with no effect."""

    __tablename__ = "event_conflicts"

    event_id: Mapped[str] = mapped_column(ForeignKey("stripe_events.id"), primary_key=True)
    payload_sha256: Mapped[str] = mapped_column(primary_key=True)
    payload: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class StripeEvent:
    """The parts of an event that its handling needs: a hint of what to look at."""

    id: str
    type: str
    object_id: str
    customer_id: str | None
    api_version: str | None
    livemode: bool
    created_at: datetime


@dataclass(frozen=True)
class EventLine:
    """One event in the list of staff, without what it says."""

    id: str
    type: str
    object_id: str
    received_at: datetime
    result: Result | None
    error: str


STORE = text(
    """
    WITH stored AS (
        INSERT INTO stripe_events (id, type, object_id, customer_id, api_version, livemode,
            created_at, received_at, payload, payload_sha256)
        VALUES (:id, :type, :object_id, :customer_id, :api_version, :livemode,
            :created_at, :received_at, :payload, :payload_sha256)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, 0, :lock, NULL,
        jsonb_build_object('event_id', stored.id), NULL)::procrastinate_job_to_defer_v1])
    FROM stored
    """
)


def parse(raw: bytes) -> StripeEvent:
    """The event in a verified body; InvalidRequest for anything that is not one."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise errors.InvalidRequest("webhook.body", "The body is not JSON.") from fault
    try:
        return _event(body)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as fault:
        raise errors.InvalidRequest("webhook.event", "The body is not a Stripe event.") from fault


def store(
    session: Session, *, event: StripeEvent, raw: bytes, now: datetime, in_turn: bool = True
) -> Stored:
    """The event is stored and a worker will be woken; "known" when it was here before, "conflict"
    when what was here before says something else: then this one is parked.

    `in_turn` keeps it from running beside another event of its customer.
    """
    stored = session.execute(
        STORE,
        {
            "id": event.id,
            "type": event.type,
            "object_id": event.object_id,
            "customer_id": event.customer_id,
            "api_version": event.api_version,
            "livemode": event.livemode,
            "created_at": event.created_at,
            "received_at": now,
            "payload": raw.decode(),
            "payload_sha256": hashlib.sha256(raw).hexdigest(),
            "queue": QUEUE,
            "task": TASK,
            "lock": _turn(event.customer_id) if in_turn else None,
        },
    )
    if stored.first() is not None:
        return "new"
    return _compare(session, event=event, raw=raw, now=now)


def reopen(session: Session, *, event_id: str) -> StripeEvent | None:
    """The event will be processed once more, by one job however often this is asked; None for an
    unknown one."""
    session.execute(
        update(StripeEventRow)
        .where(StripeEventRow.id == event_id, StripeEventRow.processed_at.is_not(None))
        .values(processed_at=None, result=None, error=None)
    )
    event = unprocessed(session, event_id=event_id)
    if event is not None:
        again = jobs.Job(
            task=TASK,
            args={"event_id": event.id},
            queue=QUEUE,
            key=f"replay:{event.id}",
            lock=_turn(event.customer_id),
        )
        jobs.enqueue(session, again)
    return event


def unprocessed(session: Session, *, event_id: str) -> StripeEvent | None:
    """The event if its work is still to be done; None when it is done or unknown."""
    row = session.scalars(
        select(StripeEventRow).filter_by(id=event_id, processed_at=None)
    ).one_or_none()
    if row is None:
        return None
    return StripeEvent(
        id=row.id,
        type=row.type,
        object_id=row.object_id,
        customer_id=row.customer_id,
        api_version=row.api_version,
        livemode=row.livemode,
        created_at=row.created_at,
    )


def latest(session: Session, *, only_dead: bool) -> tuple[EventLine, ...]:
    """The newest events, or the newest dead letters."""
    query = select(StripeEventRow).order_by(StripeEventRow.received_at.desc(), StripeEventRow.id)
    if only_dead:
        query = query.where(StripeEventRow.result == "dead")
    return tuple(
        EventLine(row.id, row.type, row.object_id, row.received_at, row.result, row.error or "")
        for row in session.scalars(query.limit(LONGEST_LIST))
    )


def complete(session: Session, *, event_id: str, result: Result, now: datetime) -> bool:
    """The event is done; False when somebody else finished it first."""
    return _finish(session, event_id=event_id, result=result, error=None, now=now)


def bury(session: Session, *, event_id: str, error: str, now: datetime) -> bool:
    """The event is a dead letter: no worker takes it again before a person asks for it."""
    return _finish(session, event_id=event_id, result="dead", error=error, now=now)


def _finish(
    session: Session, *, event_id: str, result: Result, error: str | None, now: datetime
) -> bool:
    finished = session.execute(
        update(StripeEventRow)
        .where(StripeEventRow.id == event_id, StripeEventRow.processed_at.is_(None))
        .values(processed_at=now, result=result, error=error and error[:LONGEST_ERROR])
        .returning(StripeEventRow.id)
    )
    return finished.first() is not None


def _turn(customer_id: str | None) -> str | None:
    return f"customer:{customer_id}" if customer_id else None


def _compare(session: Session, *, event: StripeEvent, raw: bytes, now: datetime) -> Stored:
    first = session.scalars(select(StripeEventRow).filter_by(id=event.id)).one()
    sha256 = hashlib.sha256(raw).hexdigest()
    if first.payload_sha256 == sha256 or not _contradict(first.payload, raw):
        return "known"
    session.execute(
        insert(EventConflictRow)
        .values(event_id=event.id, payload_sha256=sha256, payload=raw.decode(), received_at=now)
        .on_conflict_do_nothing(index_elements=["event_id", "payload_sha256"])
    )
    return "conflict"


def _contradict(first: str, second: bytes) -> bool:
    """Whether two bodies of one id say different things, spaces and order apart."""
    one, other = json.loads(first), json.loads(second)
    if one.get("api_version") != other.get("api_version"):
        # Another version of the API gives the same object another shape: only the hint is equal.
        return replace(_event(one), api_version=None) != replace(_event(other), api_version=None)
    return _said(one) != _said(other)


def _said(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _NOT_SAID}


def _event(body: Any) -> StripeEvent:
    subject = body["data"]["object"]
    customer = subject.get("customer")
    if isinstance(customer, dict):
        customer = customer["id"]
    if subject.get("object") == "customer":
        customer = subject["id"]
    event = StripeEvent(
        id=_text(body["id"]),
        type=_text(body["type"]),
        object_id=_object_id(subject.get("id")) or _text(body["id"]),
        customer_id=None if customer is None else _text(customer),
        api_version=None if body.get("api_version") is None else _text(body["api_version"]),
        livemode=body["livemode"] is True,
        created_at=datetime.fromtimestamp(int(body["created"]), UTC),
    )
    if body.get("object") != "event" or not event.id.startswith("evt_"):
        raise ValueError("not an event")
    return event


def _object_id(given: Any) -> str | None:
    """The id, if it can be one that we handle: a merchant names coupons in any script."""
    try:
        return _text(given)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise TypeError("not a plain text")
    if not 0 < len(value) <= LONGEST_ID:
        raise ValueError("empty or too long")
    return value
