"""What an event leaves behind for each endpoint that wants it: deliveries, due when and how."""

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass

from stripe_sandbox import OLDER_VERSIONS
from stripe_sandbox.delivery import modes
from stripe_sandbox.delivery.modes import Modes, Quirks

# Types of events that older versions did not have: an endpoint of theirs is not sent them.
_NEWER_TYPES = frozenset({"invoice.overpaid", "invoice_payment.detached", "invoice_payment.paid"})
_INSERT = (
    "INSERT INTO deliveries (event, endpoint, type, state, made_at, due_at, quirks) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
Row = tuple[object, ...]


@dataclass(frozen=True)
class Listener:
    """An enabled endpoint, what it wants to hear, and what the laboratory does to it."""

    id: str
    wanted: frozenset[str]
    older: bool
    modes: Modes | None

    def wants(self, kind: str) -> bool:
        """True if an event of this type is for the endpoint."""
        if self.older and kind in _NEWER_TYPES:
            return False
        return "*" in self.wanted or kind in self.wanted


def listeners(database: sqlite3.Connection) -> list[Listener]:
    """The enabled endpoints."""
    rows = database.execute(
        "SELECT id, body, modes FROM objects LEFT JOIN labs ON endpoint = id "
        "WHERE kind = 'webhook_endpoint' AND json_extract(body, '$.status') = 'enabled' "
        "ORDER BY objects.seq"
    )
    found = []
    for row in rows:
        body = json.loads(row["body"])
        treated = modes.stored_modes(row["modes"]) if row["modes"] else None
        older = body["api_version"] in OLDER_VERSIONS
        found.append(Listener(row["id"], frozenset(body["enabled_events"]), older, treated))
    return found


def rows(
    database: sqlite3.Connection, listening: Iterable[Listener], event_id: str, kind: str
) -> list[Row]:
    """The deliveries the event is worth, decided by the laboratory where one is set up."""
    made: list[Row] = []
    for listener in listening:
        if listener.wants(kind):
            quirks = _decided(database, listener)
            made += [_row(event_id, listener.id, kind, quirks)] * quirks.copies
    return made


def store(database: sqlite3.Connection, made: Iterable[Row]) -> None:
    """The deliveries are in the database."""
    database.executemany(_INSERT, made)


def _decided(database: sqlite3.Connection, listener: Listener) -> Quirks:
    if listener.modes is None:
        return modes.USUAL
    row = database.execute(
        "UPDATE labs SET seen = seen + 1 WHERE endpoint = ? RETURNING seen", (listener.id,)
    ).fetchone()
    return modes.decide(listener.modes, int(row["seen"]))


def _row(event_id: str, endpoint_id: str, kind: str, quirks: Quirks) -> Row:
    now = time.time()
    state = "dropped" if quirks.dropped else "waiting"
    due_at = now + quirks.wait_ms / 1000
    return event_id, endpoint_id, kind, state, now, due_at, modes.written(quirks)
