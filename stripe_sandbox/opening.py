"""Opening a store: made, or found in order, or refused with one sentence that says why."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from stripe_sandbox import schema

_ELSEWHERE = "move it away or name another with --store"
# What SQLite calls a file or disk it cannot use, as against one whose content is wrong.
_UNUSABLE = ("SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_READONLY")
# Pages written again and again go to the file once in so many, and the log stays this small.
_CHECKPOINT_PAGES = 4000
_BIGGEST_LOG_BYTES = 16 * 1024 * 1024
_CACHE_KIBIBYTES = 32 * 1024


class StoreFault(Exception):
    """The store cannot be used; the message says why and what to do."""


def claim(path: Path) -> IO[bytes]:
    """This process alone may open the store, until the returned file is closed."""
    with _in_words(path):
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


def opened(path: Path) -> sqlite3.Connection:
    """The store has the tables of this version: it had them, or they were made."""
    with _in_words(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,
            timeout=10,
            cached_statements=512,
        )
        connection.row_factory = sqlite3.Row
        try:
            _make_ready(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def examine(path: Path) -> None:
    """The whole store was read and can be written to; StoreFault if anything in it is damaged."""
    with closing(opened(path)) as connection, _in_words(path):
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _damaged(path, verdict)
        lacking = sorted(_wanted_shape() - _shape(connection))
        if lacking:
            raise _damaged(path, f"it lacks {lacking[0]}")
        for place, query in _UNREADABLE.items():
            row = connection.execute(query).fetchone()
            if row is not None:
                raise _damaged(path, f"{place} {row[0]} cannot be read")
        connection.execute(
            "INSERT OR REPLACE INTO settings VALUES ('opened_at', ?)", (str(int(time.time())),)
        )


# What was written whole and is no longer: the first such thing is enough to refuse the store.
_UNREADABLE = {
    "the object": "SELECT id FROM objects WHERE CASE WHEN json_valid(body) "
    "THEN json_extract(body, '$.id') IS NOT id ELSE 1 END LIMIT 1",
    "the delivery": "SELECT id FROM deliveries WHERE NOT json_valid(coalesce(quirks, '{}')) "
    "LIMIT 1",
    "the laboratory of": "SELECT endpoint FROM labs WHERE NOT json_valid(modes) LIMIT 1",
    "the fault": "SELECT id FROM faults WHERE NOT json_valid(rule) LIMIT 1",
    "the setting": "SELECT name FROM settings WHERE value = '' OR value GLOB '*[^0-9]*' LIMIT 1",
}


def _make_ready(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables == 0:
        _make(connection)
    elif application != schema.APPLICATION_ID:
        raise StoreFault(f"the file {path} belongs to another program; name another with --store")
    elif version != schema.VERSION:
        age = "newer" if version > schema.VERSION else "older"
        raise StoreFault(
            f"the store {path} has version {version}, of a sandbox {age} than this one, which "
            f"reads version {schema.VERSION}; {_ELSEWHERE}"
        )
    # The process may die at any moment and lose nothing; a power cut may cost the last moments.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_BIGGEST_LOG_BYTES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")


def _make(connection: sqlite3.Connection) -> None:
    # Before the first table, or it has no effect: pages of what was pruned go back to the disk.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    # In one piece: a process that dies meanwhile leaves no half of a store.
    connection.executescript(
        f"BEGIN IMMEDIATE;{schema.SCHEMA};PRAGMA application_id = {schema.APPLICATION_ID};"
        f"PRAGMA user_version = {schema.VERSION};COMMIT;"
    )


def _wanted_shape() -> set[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema.SCHEMA)
        return _shape(connection)


def _shape(connection: sqlite3.Connection) -> set[str]:
    """The indexes and the columns of the tables, by name."""
    indexes = connection.execute(
        "SELECT 'the index ' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    )
    columns = connection.execute(
        "SELECT 'the column ' || parts.name || ' of ' || tables.name FROM sqlite_master AS tables, "
        "pragma_table_info(tables.name) AS parts WHERE tables.type = 'table'"
    )
    return {row[0] for row in (*indexes, *columns)}


def _damaged(path: Path, how: str) -> StoreFault:
    # SQLite's own verdict may have several lines.
    return StoreFault(f"the store {path} is damaged ({' '.join(how.split())}); {_ELSEWHERE}")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """What SQLite or the system says about the file is said as one sentence about the store."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(_UNUSABLE):
            raise StoreFault(
                f"the store {path} cannot be written ({error}); see that its folder is writable "
                "and its disk not full, or name another with --store"
            ) from error
        if name.startswith("SQLITE_BUSY"):
            raise StoreFault(f"the store {path} is in use by another program") from error
        raise StoreFault(
            f"the store {path} is damaged or no sandbox store ({error}); {_ELSEWHERE}"
        ) from error
    except OSError as error:
        raise StoreFault(
            f"the store {path} cannot be opened ({error.strerror}); name another with --store"
        ) from error
