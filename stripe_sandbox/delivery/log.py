"""The log of deliveries: what was sent where, every try of it, and what the laboratory did."""

import json
import sqlite3
from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.api import params

STATES = ("waiting", "succeeded", "failed", "dropped")
_PAGE = 100


@dataclass(frozen=True)
class Wanted:
    """Which deliveries are asked for; None of a field is all of them."""

    event: str | None = None
    endpoint: str | None = None
    state: str | None = None
    type: str | None = None
    starting_after: int | None = None
    limit: int = _PAGE


FIELDS: params.Fields = {
    "event": params.TEXT,
    "endpoint": params.TEXT,
    "state": params.choice(*STATES),
    "type": params.TEXT,
    "starting_after": params.integer(1),
    "limit": params.integer(1, _PAGE),
}
_CONDITIONS = {
    "event": "event = ?",
    "endpoint": "endpoint = ?",
    "state": "state = ?",
    "type": "type GLOB ?",
    "starting_after": "id < ?",
}


def page(database: sqlite3.Connection, wanted: Wanted) -> Json:
    """The deliveries asked for, newest first, each with its tries; and whether there are more."""
    given = {name: getattr(wanted, name) for name in _CONDITIONS}
    asked = {name: value for name, value in given.items() if value is not None}
    clause = " AND ".join(["TRUE", *(_CONDITIONS[name] for name in asked)])
    rows = database.execute(
        # The clause is of texts above; whatever a caller sent is bound by position.
        f"SELECT * FROM deliveries WHERE {clause} ORDER BY id DESC LIMIT ?",  # noqa: S608
        [*asked.values(), wanted.limit + 1],
    ).fetchall()
    shown = [_shown(database, row) for row in rows[: wanted.limit]]
    return {"data": shown, "has_more": len(rows) > wanted.limit}


def _shown(database: sqlite3.Connection, row: sqlite3.Row) -> Json:
    attempts = database.execute(
        "SELECT at, status, seconds, fault FROM attempts WHERE delivery = ? ORDER BY try",
        (row["id"],),
    )
    return {
        **dict(row),
        "quirks": json.loads(row["quirks"] or "{}"),
        "attempts": [dict(attempt) for attempt in attempts],
    }
