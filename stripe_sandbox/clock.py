"""One clock for the whole sandbox: the wall clock, moved forward when somebody asks."""

import sqlite3
import time

DAY = 24 * 3600


def now(connection: sqlite3.Connection) -> int:
    """The sandbox's present moment, in unix seconds."""
    return int(time.time()) + _ahead(connection)


def move_to(connection: sqlite3.Connection, moment: int) -> int:
    """The clock shows the moment, or what it showed before if that is later; it never runs back."""
    ahead = max(_ahead(connection), moment - int(time.time()))
    connection.execute(
        "INSERT INTO settings VALUES ('ahead_seconds', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(ahead),),
    )
    return now(connection)


def _ahead(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM settings WHERE name = 'ahead_seconds'").fetchone()
    return int(row["value"]) if row else 0
