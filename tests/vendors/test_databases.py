"""A view of the database, and what a test leaves of one for the next."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from talkingphoto.foundation.database import Database
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.ledger_book import Book
from tests.support.rewinding import contents

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend'"
)
_LOTS = text("SELECT count(*) FROM lots")


def test_a_view_shows_one_moment_and_writes_nothing(runtime: Runtime, clock: TestClock) -> None:
    book = Book(Database(runtime.database_url), clock)
    ada = book.customer()
    with ThreadPoolExecutor(1) as somebody_else, runtime.read_only() as view:
        before = view.execute(_LOTS).scalar_one()
        somebody_else.submit(book.grant, ada, 5).result()
        assert view.execute(_LOTS).scalar_one() == before
    with runtime.read_only() as view:
        assert view.execute(_LOTS).scalar_one() == before + 1
    with pytest.raises(InternalError, match="read-only"), runtime.read_only() as view:
        view.execute(text("UPDATE customers SET created_at = now()"))
    with runtime.transaction() as session:
        session.execute(text("UPDATE customers SET created_at = now()"))
    book.database.dispose()


def test_the_next_test_finds_the_rows_of_a_new_database_and_nobody_connected(
    postgres: TestServer, clock: TestClock
) -> None:
    with postgres.database() as url:
        used = Database(url)
        new = contents(url)
        book = Book(used, clock)
        ada = book.customer()
        book.grant(ada, 5)
        book.spend(ada, 1)
        assert contents(url) != new
    with postgres.database() as again:
        assert (again, contents(again)) == (url, new)
        with psycopg.connect(again.replace("+psycopg", "")) as connection:
            others = connection.execute(_OTHERS).fetchone()
        assert others == (0,)
    used.dispose()


def test_a_database_whose_tables_were_changed_is_not_handed_on(postgres: TestServer) -> None:
    with postgres.database() as url:
        changed = Database(url)
        with changed.engine.begin() as connection:
            connection.execute(text("ALTER TABLE lots DISABLE TRIGGER ALL"))
        changed.dispose()
    with postgres.database() as another:
        assert another != url
