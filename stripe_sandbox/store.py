"""One SQLite file that keeps everything: objects, deliveries, later work and answers to replay."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stripe_sandbox import opening


class Store:
    """The open file; one writer at a time, so that what a request sees is what it changes."""

    def __init__(self, path: Path) -> None:
        """The file is open and has the tables, or StoreFault says why not."""
        self._lock = threading.Lock()
        self._connection = opening.opened(path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything done inside is kept together, or nothing is."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                # Also when the commit itself failed: a full disk must not block the next try.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """The file is closed; what was committed is in it."""
        with self._lock:
            self._connection.close()
