"""A view of the database, and what a test leaves of one for the next."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from talkingphoto.accounts import users
from talkingphoto.billing import ledger
from talkingphoto.foundation.database import Database
from talkingphoto.runtime import Runtime
from tests.support.databases import TestServer
from tests.support.ledger_book import Book

_COUNT = text("SELECT count(*) FROM users")


def test_a_view_shows_one_moment_and_writes_nothing(runtime: Runtime) -> None:
    with runtime.read_only() as view:
        before = view.execute(_COUNT).scalar_one()
        other = Database(runtime.database_url)
        with other.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO rate_counters (key, count, until) VALUES ('x', 1, now())")
            )
        other.dispose()
        counted = view.execute(text("SELECT count(*) FROM rate_counters")).scalar_one()
        assert (before, counted) == (0, 0)
    with pytest.raises(InternalError, match="read-only"), runtime.read_only() as view:
        view.execute(text("DELETE FROM rate_counters"))
    with runtime.transaction() as session:
        session.execute(text("DELETE FROM rate_counters"))
