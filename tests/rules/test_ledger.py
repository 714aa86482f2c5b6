"""The ledger's verbs one by one: what they move, what they refuse, and what twice does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Database
from talkingphoto.foundation.money import Money
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.ledger_book import Book


@pytest.fixture(scope="module")
def database(postgres: TestServer) -> Iterator[Database]:
    """One for all these tests: each has customers of its own, and none of them sweeps."""
    with postgres.database() as url:
        made = Database(url)
        yield made
        made.dispose()


@pytest.fixture
def book(database: Database, clock: TestClock) -> Book:
    return Book(database, clock)


@pytest.mark.parametrize(
    ("price", "tax"),
    [
        (Money(1999, "usd"), Money(0, "usd")),
        (Money(500, "jpy"), Money(45, "jpy")),
        (Money.from_decimal("1.234", "kwd"), None),
        (Money(0, "eur"), Money(0, "eur")),
        (None, None),
    ],
)
def test_m1_a_lot_keeps_its_price_to_the_last_minor_unit(
    book: Book, price: Money | None, tax: Money | None
) -> None:
    granted = book.grant(book.customer(), 30, price=price, tax=tax, reference="in_1")

    assert (granted.price, granted.tax, granted.reference) == (price, tax, "in_1")


def test_a_lot_is_granted_once_whatever_its_words_are_the_second_time(book: Book) -> None:
    user_id = book.customer()
    lot = book.new_lot(user_id, 30, key=f"invoice:{user_id}", description="Starter")
    first = book.post(lot)
    book.spend(user_id, 1)

    again = book.post(dataclasses.replace(lot, description="Starter, one month"))

    assert again == dataclasses.replace(first, remaining=29)
    assert again.description == "Starter"
    assert book.available(user_id) == 29


@pytest.mark.parametrize(
    "other",
    [
        {"credits": 31},
        {"source": "promo"},
        {"price": Money(1998, "usd")},
        {"price": Money(1999, "eur"), "tax": Money(100, "eur")},
        {"tax": Money(99, "usd")},
        {"tax": None},
        {"expires_at": datetime(2026, 5, 2, tzinfo=UTC)},
        {"expires_at": None},
        {"reference": "in_2"},
    ],
    ids=str,
)
def test_a_key_used_for_other_credits_is_refused(book: Book, other: dict[str, Any]) -> None:
    user_id = book.customer()
    lot = ledger.NewLot(
        key=f"invoice:{user_id}",
        user_id=user_id,
        source="plan",
        credits=30,
        price=Money(1999, "usd"),
        tax=Money(100, "usd"),
        expires_at=datetime(2026, 5, 1, tzinfo=UTC),
        reference="in_1",
    )
    book.post(lot)

    with pytest.raises(errors.Conflict) as refused:
        book.post(dataclasses.replace(lot, **other))

    assert refused.value.code == "ledger.key_reused"
    assert book.available(user_id) == 30


def test_a_key_of_another_customer_is_refused(book: Book) -> None:
    first, second = book.customer(), book.customer()
    lot = book.grant(first, 30)

    with pytest.raises(errors.Conflict):
        book.grant(second, 30, key=lot.key)

    assert (book.available(first), book.available(second)) == (30, 0)


@pytest.mark.parametrize("credits", [0, -1, 1_000_001, True])
def test_a_number_of_credits_outside_the_limits_is_refused_by_every_verb(
    book: Book, credits: int
) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 1_000_000)

    for verb in (
        lambda: book.grant(user_id, credits),
        lambda: book.hold(user_id, credits),
        lambda: book.revoke(lot.key, credits),
    ):
        with pytest.raises(errors.InvalidRequest) as refused:
            verb()
        assert refused.value.code == "ledger.credits"
    assert book.available(user_id) == 1_000_000


def test_the_soonest_to_end_is_spent_first_and_then_what_cost_nothing(book: Book) -> None:
    user_id = book.customer()
    for key, source, days in (
        ("bought, no end", "pack", None),
        ("free, no end", "free", None),
        ("goodwill, no end", "goodwill", None),
        ("plan, last", "plan", 40),
        ("pack, second day", "pack", 2),
        ("plan, second day", "plan", 2),
        ("promo, second day", "promo", 2),
        ("free, second day", "free", 2),
        ("pack, first", "pack", 1),
    ):
        book.grant(user_id, 1, key=key, source=source, days=days)

    spent = []
    for _ in range(9):
        before = book.remaining(user_id)
        book.spend(user_id, 1)
        spent += [key for key, left in book.remaining(user_id).items() if left < before[key]]

    assert spent == [
        "pack, first",
        "promo, second day",
        "free, second day",
        "plan, second day",
        "pack, second day",
        "plan, last",
        "free, no end",
        "goodwill, no end",
        "bought, no end",
    ]


def test_a_hold_over_several_lots_takes_each_to_its_end_before_the_next(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 3, key="free", source="free", days=5)
    book.grant(user_id, 30, key="plan", source="plan", days=30)
    book.grant(user_id, 50, key="pack")

    held = book.hold(user_id, 35)

    assert book.remaining(user_id) == {"free": 0, "plan": 0, "pack": 48}
    assert book.balance(user_id).held == 35
    book.release(held.id)
    assert book.remaining(user_id) == {"free": 3, "plan": 30, "pack": 50}


@pytest.mark.parametrize(("credits", "left"), [(9, 1), (10, 0)])
def test_a_hold_up_to_the_whole_balance_is_granted(book: Book, credits: int, left: int) -> None:
    user_id = book.customer()
    book.grant(user_id, 4)
    book.grant(user_id, 6)

    assert book.hold(user_id, credits).state == "held"
    assert book.available(user_id) == left


def test_a_hold_of_one_more_than_the_balance_is_refused_and_takes_nothing(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 4)
    book.grant(user_id, 6)

    with pytest.raises(errors.InsufficientCredits) as refused:
        book.hold(user_id, 11)

    assert refused.value.code == "credits.insufficient"
    assert (book.available(user_id), book.balance(user_id).held) == (10, 0)
    assert len(book.statement(user_id)) == 2


def test_m7_the_same_hold_twice_is_one_hold_even_when_nothing_is_left(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 3)
    hold_id = str(uuid4())
    first = book.hold(user_id, 3, hold_id=hold_id)
    book.clock.advance(seconds=5)

    assert book.hold(user_id, 3, hold_id=hold_id) == first
    settled = book.settle(hold_id)
    assert book.hold(user_id, 3, hold_id=hold_id) == settled
    assert book.accounts(user_id)["spent"] == 3


def test_m7_a_hold_id_used_for_something_else_is_refused(book: Book) -> None:
    user_id, other = book.customer(), book.customer()
    book.grant(user_id, 10)
    book.grant(other, 10)
    hold_id = book.hold(user_id, 3).id

    for asking, credits in ((user_id, 4), (other, 3)):
        with pytest.raises(errors.Conflict) as refused:
            book.hold(asking, credits, hold_id=hold_id)
        assert refused.value.code == "ledger.key_reused"
    assert (book.available(user_id), book.available(other)) == (7, 10)


def test_a_hold_id_that_is_no_uuid_and_one_nobody_made_are_refused(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 1)

    with pytest.raises(errors.InvalidRequest):
        book.hold(user_id, 1, hold_id="'; DROP TABLE lots --")
    for verb in (book.settle, book.release):
        with pytest.raises(errors.NotFound):
            verb(str(uuid4()))


def test_a_revocation_takes_what_is_unspent_and_says_how_much_that_was(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10)
    book.grant(user_id, 5)
    book.spend(user_id, 3)
    book.hold(user_id, 2)

    assert book.revoke(lot.key, 10) == 5
    assert book.available(user_id) == 5
    assert book.accounts(user_id)["revoked"] == 5


def test_m11_the_same_revocation_twice_takes_once(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10)

    assert [book.revoke(lot.key, 4, key=f"refund:{user_id}") for _ in range(3)] == [4, 4, 4]
    assert book.revoke(lot.key, 4, key=f"second refund:{user_id}") == 4
    assert book.available(user_id) == 2


def test_a_revocation_key_used_for_something_else_is_refused(book: Book) -> None:
    user_id = book.customer()
    key = f"refund:{user_id}"
    lot, other = book.grant(user_id, 10), book.grant(user_id, 10)
    book.revoke(lot.key, 4, key=key)

    refused: tuple[Callable[[], int], ...] = (
        lambda: book.revoke(lot.key, 5, key=key),
        lambda: book.revoke(other.key, 4, key=key),
        lambda: book.revoke(lot.key, 4, key=key, reason="Disputed"),
    )
    for verb in refused:
        with pytest.raises(errors.Conflict):
            verb()
    with pytest.raises(errors.NotFound):
        book.revoke("no such lot", 4)
    assert book.available(user_id) == 16


def test_a_revocation_of_a_spent_or_ended_lot_finds_nothing(book: Book) -> None:
    user_id = book.customer()
    spent, ended = book.grant(user_id, 1, days=1), book.grant(user_id, 5, days=2)
    book.spend(user_id, 1)
    book.clock.advance(days=2)

    assert book.revoke(spent.key, 1, key="refund:gone") == 0
    assert book.revoke(ended.key, 5, key="refund:late") == 0
    assert "revoked" not in book.accounts(user_id)
