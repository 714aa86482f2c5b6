"""When credits end, and what the balance and the statement tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.foundation.clock import add_months
from talkingphoto.foundation.database import Database
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.ledger_book import Book


@pytest.fixture
def book(runtime: Runtime, clock: TestClock) -> Book:
    """Alone in its database: these tests count what a sweep found."""
    return Book(runtime.database, clock)


@pytest.fixture(scope="module")
def database(postgres: TestServer) -> Iterator[Database]:
    with postgres.database() as url:
        made = Database(url)
        yield made
        made.dispose()


@pytest.fixture
def shared_book(database: Database, clock: TestClock) -> Book:
    """For tests that sweep nothing."""
    return Book(database, clock)


@pytest.mark.parametrize(
    ("begins", "months", "ends"),
    [
        (datetime(2028, 1, 29, 23, 59, 59, tzinfo=UTC), 1, datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2026, 1, 31, 0, 30, tzinfo=UTC), 2, datetime(2026, 3, 31, tzinfo=UTC)),
        (datetime(2026, 2, 28, 1, 30, tzinfo=UTC), 1, datetime(2026, 3, 28, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 2, datetime(2026, 12, 25, tzinfo=UTC)),
    ],
    ids=["leap day", "31st", "summer time begins", "summer time ends"],
)
def test_m13_credits_end_at_their_moment_in_utc_and_not_a_second_before(
    book: Book, begins: datetime, months: int, ends: datetime
) -> None:
    book.clock.move_to(begins)
    user_id = book.customer()
    moment = add_months(begins, months=months)
    assert moment.date() == ends.date()
    book.grant(user_id, 30, source="plan", expires_at=moment)
    book.grant(user_id, 50)

    book.clock.move_to(moment - timedelta(microseconds=1))
    assert (book.available(user_id), book.expire()) == (80, 0)
    book.clock.move_to(moment)
    assert book.available(user_id) == 50
    assert (book.expire(), book.expire()) == (1, 0)
    assert book.accounts(user_id) == {"granted": -80, "available": 50, "expired": 30}


def test_credits_past_their_end_cannot_be_held_before_any_sweep_has_run(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 30, days=1)
    book.grant(user_id, 2)
    book.clock.advance(days=1)

    with pytest.raises(errors.InsufficientCredits):
        book.hold(user_id, 3)
    assert book.hold(user_id, 2).state == "held"


def test_a_sweep_deals_with_no_more_than_it_was_allowed(book: Book) -> None:
    user_id = book.customer()
    for days in (3, 1, 2):
        book.grant(user_id, 1, key=f"day {days}", days=days)
    book.clock.advance(days=9)

    assert book.expire(limit=2) == 2
    assert book.remaining(user_id) == {"day 1": 0, "day 2": 0, "day 3": 1}
    assert (book.expire(limit=2), book.expire(limit=2)) == (1, 0)


def test_the_balance_says_where_credits_came_from_and_what_ends_next(shared_book: Book) -> None:
    user_id = shared_book.customer()
    shared_book.grant(user_id, 3, source="free")
    shared_book.grant(user_id, 50, source="pack")
    shared_book.grant(user_id, 30, source="plan", days=20)
    first = shared_book.grant(user_id, 30, source="plan", days=10)
    shared_book.grant(user_id, 4, source="promo", days=10)
    shared_book.spend(user_id, 5)

    found = shared_book.balance(user_id)

    assert (found.available, found.held) == (112, 0)
    assert found.by_source == {
        "free": 3, "plan": 59, "pack": 50, "promo": 0, "goodwill": 0, "gift": 0,
    }  # fmt: skip
    assert (found.next_expiry, found.next_expiring) == (first.expires_at, 29)


def test_the_balance_of_a_customer_without_credits_is_nothing(shared_book: Book) -> None:
    found = shared_book.balance(shared_book.customer())

    assert (found.available, found.held, found.next_expiry, found.next_expiring) == (0, 0, None, 0)
    assert set(found.by_source.values()) == {0}


def test_the_statement_tells_every_change_with_the_balance_after_it(book: Book) -> None:
    user_id, stranger = book.customer(), book.customer()
    book.grant(stranger, 7)
    plan = book.grant(
        user_id, 30, source="plan", days=30, reference="in_1", description="Starter, one month"
    )
    made, failed = book.hold(user_id, 1), book.hold(user_id, 2)
    book.settle(made.id)
    book.release(failed.id)
    book.revoke(plan.key, 9, reason="Refunded in part")
    book.clock.advance(days=30)
    book.expire()

    lines = book.statement(user_id)

    assert [(line.kind, line.credits, line.balance_after) for line in lines] == [
        ("expire", -20, 0),
        ("revoke", -9, 20),
        ("release", 2, 29),
        ("hold", -2, 27),
        ("hold", -1, 29),
        ("grant", 30, 30),
    ]
    assert [line.reference for line in lines] == [
        "in_1", "in_1", failed.id, failed.id, made.id, "in_1",
    ]  # fmt: skip
    assert [line.expires_at for line in lines] == [None] * 5 + [plan.expires_at]
    assert lines[0].description == lines[5].description == "Starter, one month"
    assert lines[1].description == "Refunded in part"
    assert lines[0].at == book.clock()


def test_the_statement_is_read_page_by_page_without_a_line_lost_or_doubled(
    shared_book: Book,
) -> None:
    user_id = shared_book.customer()
    for number in range(1, 8):
        shared_book.grant(user_id, number)
    whole = shared_book.statement(user_id)

    pages: list[ledger.StatementRow] = []
    while page := shared_book.statement(user_id, limit=3, before=pages[-1].id if pages else None):
        assert len(page) <= 3
        pages += page
        shared_book.grant(user_id, 100)  # A line that arrives meanwhile is on no later page.

    assert tuple(pages) == whole
    assert [line.balance_after for line in whole] == [28, 21, 15, 10, 6, 3, 1]


@pytest.mark.parametrize("before", ["", "x", "-1", "1.5", "٣", "9" * 19, "1; DROP TABLE lots"])
def test_a_page_of_the_statement_that_cannot_exist_is_refused(
    shared_book: Book, before: str
) -> None:
    with pytest.raises(errors.InvalidRequest):
        shared_book.statement(shared_book.customer(), before=before)
