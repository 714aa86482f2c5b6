"""One SQLite file that keeps everything: objects, deliveries, later work and answers to replay."""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_APPLICATION_ID = 0x53545258
_VERSION = 2

_SCHEMA = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX objects_kind ON objects (kind, seq);
CREATE INDEX objects_customer ON objects (kind, json_extract(body, '$.customer'), seq)
    WHERE json_extract(body, '$.customer') IS NOT NULL;
CREATE INDEX objects_payment_intent ON objects (kind, json_extract(body, '$.payment_intent'), seq)
    WHERE json_extract(body, '$.payment_intent') IS NOT NULL;
CREATE INDEX objects_lookup_key ON objects (kind, json_extract(body, '$.lookup_key'))
    WHERE json_extract(body, '$.lookup_key') IS NOT NULL;
CREATE INDEX objects_subscription ON objects (kind, json_extract(body, '$.subscription'))
    WHERE json_extract(body, '$.subscription') IS NOT NULL;
CREATE INDEX objects_paid_by ON objects (kind, json_extract(body, '$.payment.payment_intent'))
    WHERE json_extract(body, '$.payment.payment_intent') IS NOT NULL;
CREATE INDEX objects_invoice ON objects (kind, json_extract(body, '$.invoice'))
    WHERE json_extract(body, '$.invoice') IS NOT NULL;
CREATE INDEX objects_try ON objects (kind, json_extract(body, '$._intent'))
    WHERE json_extract(body, '$._intent') IS NOT NULL;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'succeeded', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL
);
CREATE INDEX deliveries_waiting ON deliveries (due_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_event ON deliveries (event);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL REFERENCES deliveries (id),
    at REAL NOT NULL,
    status INTEGER,
    seconds REAL NOT NULL,
    fault TEXT
);
CREATE TABLE timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    clock TEXT,
    UNIQUE (verb, object)
);
CREATE INDEX timers_due ON timers (clock, due_at, id);
CREATE TABLE replays (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX replays_at ON replays (at);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class StoreFault(Exception):
    """The store cannot be used; the message says why and what to do."""


class Store:
    """The open file; one writer at a time, so that what a request sees is what it changes."""

    def __init__(self, path: Path) -> None:
        """The file is open and has the tables, or StoreFault says why not."""
        self._lock = threading.Lock()
        self._connection = _opened(path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything done inside is kept together, or nothing is."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """The file is closed; what was committed is in it."""
        with self._lock:
            self._connection.close()


def claim(path: Path) -> IO[bytes]:
    """This process alone may open the store, until the returned file is closed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise StoreFault(
            f"the store {path} is in use by another sandbox; stop that one first"
        ) from error
    return handle


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        _make_ready(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreFault(
            f"the store {path} is damaged or no sandbox store ({error}); move it away or name "
            "another with --store"
        ) from error
    except StoreFault:
        connection.close()
        raise
    return connection


def _make_ready(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    elif application != _APPLICATION_ID:
        raise StoreFault(f"the file {path} belongs to another program; name another with --store")
    elif version != _VERSION:
        raise StoreFault(
            f"the store {path} has version {version}, this sandbox reads version {_VERSION}; "
            "move it away or name another with --store"
        )
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreFault(
            f"the store {path} is damaged ({verdict}); move it away or name another with --store"
        )
    # The process may die at any moment and lose nothing; a power cut may cost the last moments.
    connection.execute("PRAGMA synchronous = NORMAL")
