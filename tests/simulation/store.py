"""What the sandbox's store holds, read beside the sandbox: its objects and what it told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Store:
    """One store, only read."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        self._seen = 0

    def objects(self, kind: str) -> list[Json]:
        """Every object of the kind that there is now, oldest first."""
        rows = self._database.execute(
            "SELECT body FROM objects WHERE kind = ? AND deleted IS NULL ORDER BY seq", (kind,)
        )
        return [json.loads(row[0]) for row in rows]

    def news(self, types: Iterable[str]) -> list[Json]:
        """The events of these types since the last call, oldest first."""
        wanted = frozenset(types)
        rows = self._database.execute(
            "SELECT seq, type, body FROM objects WHERE kind = 'event' AND seq > ? ORDER BY seq",
            (self._seen,),
        ).fetchall()
        if rows:
            self._seen = rows[-1][0]
        return [json.loads(body) for _, kind, body in rows if kind in wanted]

    def has_waiting_deliveries(self) -> bool:
        """Whether a webhook is still to be sent for the first time."""
        waiting = "SELECT 1 FROM deliveries WHERE state = 'waiting' LIMIT 1"
        return self._database.execute(waiting).fetchone() is not None

    def ids(self, kind: str) -> list[str]:
        """The ids of every object of the kind."""
        rows = self._database.execute("SELECT id FROM objects WHERE kind = ?", (kind,))
        return [row[0] for row in rows]

    def close(self) -> None:
        """The store is left alone."""
        self._database.close()
