"""One clock for the whole sandbox: the wall clock, moved forward when somebody asks.

It can be told to stand still: then it shows the same moment until somebody moves it, so that what
happens twice in the same order happens at the same moments.
"""

import sqlite3
import time

DAY = 24 * 3600
_STORE = (
    "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def now(connection: sqlite3.Connection) -> int:
    """The sandbox's present moment, in unix seconds."""
    known = _known(connection)
    stands_at = known.get("stands_at")
    return int(time.time()) + known.get("ahead_seconds", 0) if stands_at is None else stands_at


def move_to(connection: sqlite3.Connection, moment: int) -> int:
    """The clock shows the moment, or what it showed before if that is later; it never runs back."""
    known = _known(connection)
    if "stands_at" in known:
        shown = max(known["stands_at"], moment)
        connection.execute(_STORE, ("stands_at", str(shown)))
        return shown
    ahead = max(known.get("ahead_seconds", 0), moment - int(time.time()))
    connection.execute(_STORE, ("ahead_seconds", str(ahead)))
    return now(connection)


def stand_still(connection: sqlite3.Connection) -> None:
    """The clock shows this moment until it is moved or goes on."""
    connection.execute(_STORE, ("stands_at", str(now(connection))))


def go_on(connection: sqlite3.Connection) -> None:
    """Time passes from the moment that the clock shows."""
    shown = now(connection)
    connection.execute("DELETE FROM settings WHERE name = 'stands_at'")
    move_to(connection, shown)


def _known(connection: sqlite3.Connection) -> dict[str, int]:
    rows = connection.execute(
        "SELECT name, value FROM settings WHERE name IN ('ahead_seconds', 'stands_at')"
    )
    return {row["name"]: int(row["value"]) for row in rows}
