"""A store looked at from outside: the file itself, and a sandbox that refuses it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox.running import Process


@contextmanager
def database_of(path: Path) -> Iterator[sqlite3.Connection]:
    """The file itself, past the sandbox."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def refusal_of(process: Process) -> str:
    """The one line of a sandbox that cannot use its store."""
    status = process.launch().wait(20)
    lines = process.log().splitlines()
    assert (status, len(lines)) == (2, 1), process.log()
    assert lines[0].startswith(f"stripe_sandbox: the store {process.store} ")
    return lines[0]
