"""The objects one unit of work has touched: written together, when it ends or before a search."""

import json
import sqlite3
import time

from stripe_sandbox import Json, schema

_COLUMNS = ("id", "kind", "stored_at", *schema.COLUMNS, "body")
_ROW = f"({', '.join('?' * len(_COLUMNS))})"
_INSERT = f"INSERT INTO objects ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 - all our own
_UPDATE = (
    f"UPDATE objects SET ({', '.join(_COLUMNS[3:])}) = "  # noqa: S608 - all our own
    f"({', '.join('?' * len(_COLUMNS[3:]))}) WHERE id = ?"
)
written = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Shelf:
    """What was stored and changed, not yet in the database: every statement is a wait for others.

    A body is written as it was when it was given; what its owner does to it later stays outside.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._new: dict[str, list[object]] = {}
        self._changed: dict[str, list[object]] = {}

    def insert(self, body: Json) -> None:
        """The object is new; its place is after all that were stored before."""
        assert body["id"] not in self._new, "stored twice"
        self._new[body["id"]] = [
            *(body["id"], body["object"], int(time.time())),
            *schema.columns_of(body),
            written(body),
        ]

    def save(self, body: Json) -> None:
        """The object is as given."""
        facts = [*schema.columns_of(body), written(body)]
        row = self._new.get(body["id"])
        if row is not None:
            row[3:] = facts
        else:
            self._changed[body["id"]] = facts

    def find(self, object_id: str) -> Json | None:
        """The object as it is now, in a copy that is the caller's own."""
        row = self._new.get(object_id) or self._changed.get(object_id)
        if row is None:
            row = self._database.execute(
                "SELECT body FROM objects WHERE id = ?", (object_id,)
            ).fetchone()
        return None if row is None else dict(json.loads(str(row[-1])))

    def empty(self) -> None:
        """Everything is in the database."""
        if self._new:
            self._database.executemany(_INSERT + _ROW, self._new.values())
        for object_id, facts in self._changed.items():
            self._database.execute(_UPDATE, [*facts, object_id])
        self.forget()

    def forget(self) -> None:
        """What is not in the database yet will not get there."""
        self._new.clear()
        self._changed.clear()
