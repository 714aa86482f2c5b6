"""What a store keeps, and for how long: a demo that runs for a year must not fill its disk.

Kept for good is what somebody has made or paid. Events, answers to replay and orders that nobody
paid go when they are old by the real clock, or too many. Everything is done in small batches, each
a transaction of its own, so that no request waits long for it.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile

from stripe_sandbox import Json, clock
from stripe_sandbox.api import idempotency
from stripe_sandbox.store import Store

_UNPAID = frozenset(
    {"canceled", "requires_action", "requires_confirmation", "requires_payment_method"}
)


@dataclass(frozen=True)
class Limits:
    """How long and how much of each is kept."""

    # Stripe lists its events for thirty days.
    event_seconds: int = 30 * clock.DAY
    # About 300 MB of them; a year of a hundred subscriptions makes a tenth.
    events: int = 100_000
    replay_seconds: int = idempotency.KEPT_SECONDS
    # As many answers as a benchmark makes in some minutes: those of a day of work are far fewer.
    replays: int = 100_000
    # A checkout is over after a day, and for thirty more its page may be opened once again.
    abandoned_seconds: int = 31 * clock.DAY
    batch: int = 200
    # So many free pages of 4 KiB wait to be used again; beyond them space goes back to the disk.
    spare_pages: int = 1000


def tidy(store: Store, limits: Limits, between: Callable[[], bool]) -> int:
    """What is past its limits is gone; how many rows that were.

    After each batch ``between`` is called, which lets others go first; True ends the work there.
    """
    gone = 0
    for step in (_events, _replays, _sessions, _intents, _pages):
        place = 0
        while True:
            with store.transaction() as database:
                done = step(database, limits, place)
            gone += done.gone
            if between():
                return gone
            if done.finished:
                break
            place = done.place
    return gone


@dataclass(frozen=True)
class _Done:
    """One batch: how many rows are gone, whether it was the last, where the next one begins."""

    gone: int
    finished: bool
    place: int = 0


def _events(database: sqlite3.Connection, limits: Limits, place: int) -> _Done:
    """The oldest events, with their deliveries and tries; not those still to be delivered."""
    newest_too_many = database.execute(
        "SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM objects WHERE kind = 'event' "
        "ORDER BY seq DESC LIMIT -1 OFFSET ?)",
        (limits.events,),
    ).fetchone()[0]
    rows = database.execute(
        "SELECT seq, id, stored_at, EXISTS (SELECT 1 FROM deliveries WHERE event = objects.id "
        "AND state = 'waiting') AS waiting FROM objects WHERE kind = 'event' AND seq > ? "
        "ORDER BY seq LIMIT ?",
        (place, limits.batch),
    ).fetchall()
    oldest = int(time.time()) - limits.event_seconds
    past = [row for row in rows if row["stored_at"] < oldest or row["seq"] <= newest_too_many]
    leaving = [row["id"] for row in past if not row["waiting"]]
    for event_id in leaving:
        database.execute(
            "DELETE FROM attempts WHERE delivery IN (SELECT id FROM deliveries WHERE event = ?)",
            (event_id,),
        )
        database.execute("DELETE FROM deliveries WHERE event = ?", (event_id,))
    _remove(database, leaving)
    return _Done(len(leaving), len(past) < limits.batch, rows[-1]["seq"] if rows else place)


def _replays(database: sqlite3.Connection, limits: Limits, _place: int) -> _Done:
    """The oldest answers: rows are numbered in the order they were kept."""
    gone = database.execute(
        "DELETE FROM replays WHERE rowid IN (SELECT rowid FROM replays ORDER BY rowid LIMIT ?) "
        "AND (at <= ? OR rowid <= (SELECT max(rowid) FROM replays) - ?)",
        (limits.batch, time.time() - limits.replay_seconds, limits.replays),
    ).rowcount
    return _Done(gone, gone < limits.batch)


def _sessions(database: sqlite3.Connection, limits: Limits, _place: int) -> _Done:
    """Checkout Sessions that expired unpaid."""
    old, finished = _next_old(database, limits, "checkout.session")
    leaving = [body["id"] for body in old if body["status"] == "expired"]
    _remove(database, leaving)
    return _Done(len(leaving), finished)


def _intents(database: sqlite3.Connection, limits: Limits, _place: int) -> _Done:
    """PaymentIntents nobody paid, with their failed charges and cards that belong to nobody."""
    old, finished = _next_old(database, limits, "payment_intent")
    leaving = [name for body in old for name in _abandoned(database, body)]
    _remove(database, leaving)
    return _Done(len(leaving), finished)


def _pages(database: sqlite3.Connection, limits: Limits, _place: int) -> _Done:
    """Free pages beyond the spare ones, given back to the disk."""
    free = database.execute("PRAGMA freelist_count").fetchone()[0]
    if free > limits.spare_pages:
        # The pragma gives back a page each time it is asked for a row.
        database.execute(f"PRAGMA incremental_vacuum({int(limits.batch)})").fetchall()
    left = database.execute("PRAGMA freelist_count").fetchone()[0]
    # A store that was made without it gives nothing back: then its pages are used again.
    return _Done(0, left <= limits.spare_pages or left == free)


def _next_old(database: sqlite3.Connection, limits: Limits, kind: str) -> tuple[list[Json], bool]:
    """The next objects that have grown old since the last look, and whether these are all.

    What stays is not looked at again: the place is kept, for orders that were paid stay for good.
    """
    name = f"tidied {kind}"
    row = database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    rows = database.execute(
        "SELECT seq, stored_at, body FROM objects WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?",
        (kind, int(row["value"]) if row else 0, limits.batch),
    ).fetchall()
    oldest = int(time.time()) - limits.abandoned_seconds
    old = list(takewhile(lambda found: found["stored_at"] < oldest, rows))
    if old:
        database.execute(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, str(old[-1]["seq"]))
        )
    return [json.loads(found["body"]) for found in old], len(old) < limits.batch


def _abandoned(database: sqlite3.Connection, intent: Json) -> list[str]:
    """The ids that go with this PaymentIntent; none if it was paid or something waits for it."""
    if intent["status"] not in _UNPAID:
        return []
    rows = database.execute(
        "SELECT kind, body FROM objects WHERE payment_intent = ?1 OR intent = ?1",
        (intent["id"],),
    )
    charges = []
    for row in rows:
        body = json.loads(row["body"])
        if row["kind"] != "charge" or body["status"] != "failed":
            return []
        charges.append(body)
    methods = {body["payment_method"] for body in (intent, *charges)} - {None}
    return [
        intent["id"],
        *(charge["id"] for charge in charges),
        *(method for method in methods if _is_nobodys(database, method)),
    ]


def _is_nobodys(database: sqlite3.Connection, method_id: str) -> bool:
    row = database.execute(
        "SELECT customer FROM objects WHERE id = ? AND kind = 'payment_method'", (method_id,)
    ).fetchone()
    return row is not None and row["customer"] is None


def _remove(database: sqlite3.Connection, object_ids: Iterable[str]) -> None:
    database.executemany(
        "DELETE FROM objects WHERE id = ?", [(object_id,) for object_id in object_ids]
    )
