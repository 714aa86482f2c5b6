"""Later work: what is due on the sandbox clock, done in order, each in a transaction of its own."""

import sqlite3
from typing import cast

from stripe_sandbox.flows import (
    changing,
    charging,
    collecting,
    disputing,
    ending,
    finalizing,
    intents,
    outcomes,
    refunding,
    renewing,
    scheduling,
    settling,
    subscribing,
)
from stripe_sandbox.objects import (
    coupons,
    promotion_codes,
    schedules,
    sessions,
    tax_ids,
    test_clocks,
)
from stripe_sandbox.unit import Unit

_END_OF_TIME = 2**62


def next_due(connection: sqlite3.Connection) -> int | None:
    """When the earliest later work on the sandbox's own clock is due, or None if there is none."""
    row = connection.execute(
        "SELECT min(due_at) AS due_at FROM timers WHERE clock IS NULL"
    ).fetchone()
    return None if row["due_at"] is None else int(row["due_at"])


def run_next(unit: Unit) -> None:
    """The earliest work due by now is done and no longer due."""
    row = _first(unit.connection, None, unit.now)
    if row is not None:
        _run(unit, row)


def drop_next(connection: sqlite3.Connection) -> None:
    """The earliest later work is given up, so that one fault does not stop the clock."""
    row = _first(connection, None, _END_OF_TIME)
    if row is not None and row["verb"] == "advance":
        # What failed is what the test clock stands before, not its going on.
        row = _first(connection, row["object"], _END_OF_TIME) or row
    if row is not None:
        connection.execute("DELETE FROM timers WHERE id = ?", (row["id"],))


def _first(connection: sqlite3.Connection, clock: str | None, until: int) -> sqlite3.Row | None:
    found = connection.execute(
        "SELECT id, verb, object, due_at FROM timers WHERE clock IS ? AND due_at <= ? "
        "ORDER BY due_at, id LIMIT 1",
        (clock, until),
    ).fetchone()
    return None if found is None else cast(sqlite3.Row, found)


def _run(unit: Unit, row: sqlite3.Row) -> None:
    unit.connection.execute("DELETE FROM timers WHERE id = ?", (row["id"],))
    _VERBS[row["verb"]](unit, row["object"])


def _advance(unit: Unit, clock_id: str) -> None:
    """The test clock has gone as far as the next work due on it, and that is done; or arrived."""
    clock = unit.get(test_clocks.KIND, clock_id)
    row = _first(
        unit.connection, clock_id, clock["status_details"]["advancing"]["target_frozen_time"]
    )
    if row is None:
        test_clocks.arrive(unit, clock)
        return
    unit.schedule("advance", clock_id, unit.now)
    test_clocks.step_to(unit, clock, row["due_at"])
    unit.enter(clock_id)
    _run(unit, row)


def _expire(unit: Unit, session_id: str) -> None:
    body = unit.get("checkout.session", session_id)
    if body["status"] == "open":
        sessions.close(unit, body)


_VERBS = {
    "advance": _advance,
    "announce": renewing.announce,
    "cancel": ending.cancel_due,
    "charge_lapses": charging.lapse,
    "close_coupon": coupons.close,
    "close_promotion_code": promotion_codes.close,
    "dispute_decided": disputing.decide,
    "dispute_overdue": disputing.overdue,
    "expire": _expire,
    "expire_change": changing.expire,
    "expire_first": subscribing.expire_first,
    "expiring": schedules.tell_expiring,
    "finalize": finalizing.advance,
    "inquiry_ends": disputing.end_inquiry,
    "lapse": intents.lapse,
    "overdue": settling.overdue,
    "phase": scheduling.next_phase,
    "refund_arrives": refunding.arrive,
    "refund_fails": refunding.bounce,
    "renew": renewing.renew,
    "retry": collecting.retry,
    "settle": outcomes.settle,
    "unpause": changing.unpause,
    "verify_tax_id": tax_ids.verify,
}
