"""Later work: what is due on the sandbox clock, done in order, each in a transaction of its own."""

import sqlite3

from stripe_sandbox.flows import completing, renewing
from stripe_sandbox.objects import sessions
from stripe_sandbox.unit import Unit


def next_due(connection: sqlite3.Connection) -> int | None:
    """When the earliest later work is due, or None if there is none."""
    row = connection.execute("SELECT min(due_at) AS due_at FROM timers").fetchone()
    return None if row["due_at"] is None else int(row["due_at"])


def run_next(unit: Unit) -> None:
    """The earliest work due by now is done and no longer due."""
    row = unit.connection.execute(
        "SELECT id, verb, object FROM timers WHERE due_at <= ? ORDER BY due_at, id LIMIT 1",
        (unit.now,),
    ).fetchone()
    if row is None:
        return
    unit.connection.execute("DELETE FROM timers WHERE id = ?", (row["id"],))
    _VERBS[row["verb"]](unit, row["object"])


def drop_next(connection: sqlite3.Connection) -> None:
    """The earliest later work is given up, so that one fault does not stop the clock."""
    connection.execute(
        "DELETE FROM timers WHERE id = (SELECT id FROM timers ORDER BY due_at, id LIMIT 1)"
    )


def _expire(unit: Unit, session_id: str) -> None:
    body = unit.get("checkout.session", session_id)
    if body["status"] == "open":
        sessions.close(unit, body)


_VERBS = {"renew": renewing.renew, "settle": completing.settle, "expire": _expire}
