"""Many at once: nobody spends a credit twice, and one fact is one fact."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.ledger_book import Book


@pytest.fixture
def book(runtime: Runtime, clock: TestClock) -> Iterator[Book]:
    made = Book(runtime.database, clock)
    yield made
    assert made.check() == ()


def outcomes(verbs: list[Callable[[], object]]) -> Counter[object]:
    """How often each result or refusal came, all verbs having begun at the same moment."""
    gate = threading.Barrier(len(verbs))

    def attempt(verb: Callable[[], object]) -> object:
        gate.wait()
        try:
            return verb()
        except errors.AppError as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(verbs)) as threads:
        return Counter(threads.map(attempt, verbs))


def test_m5_fifty_at_once_spend_a_balance_of_ten_exactly_ten_times(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 4)
    book.grant(user_id, 6, days=1)

    found = outcomes([lambda: book.spend(user_id, 1).state] * 50)

    assert found == {"settled": 10, "credits.insufficient": 40}
    assert (book.available(user_id), book.balance(user_id).held) == (0, 0)
    assert book.accounts(user_id)["spent"] == 10


def test_m7_one_hold_asked_for_twenty_times_at_once_is_one_hold(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    hold_id = str(uuid4())

    found = outcomes([lambda: book.hold(user_id, 3, hold_id=hold_id).state] * 20)

    assert found == {"held": 20}
    assert book.available(user_id) == 7


def test_m7_one_hold_id_asked_for_by_two_customers_at_once_belongs_to_one(book: Book) -> None:
    people = [book.customer(), book.customer()]
    for person in people:
        book.grant(person, 10)
    hold_id = str(uuid4())

    def asked_by(person: str) -> Callable[[], object]:
        return lambda: book.hold(person, 3, hold_id=hold_id).state

    found = outcomes([asked_by(person) for person in people] * 10)

    assert found == {"held": 10, "ledger.key_reused": 10}
    assert sorted(book.available(person) for person in people) == [7, 10]


def test_w9_one_fact_granted_by_twenty_workers_at_once_is_granted_once(book: Book) -> None:
    user_id = book.customer()
    lot = book.new_lot(user_id, 30)

    assert outcomes([lambda: book.post(lot).credits] * 20) == {30: 20}
    assert book.available(user_id) == 30


def test_m6_a_hold_settled_released_and_swept_at_once_ends_in_one_way(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    held = [book.hold(user_id, 1).id for _ in range(5)]
    book.clock.advance(hours=1)

    def race(hold_id: str) -> list[Callable[[], object]]:
        return [lambda: book.settle(hold_id).id, lambda: book.release(hold_id).id]

    outcomes([verb for hold_id in held for verb in race(hold_id)] + [book.expire] * 3)

    accounts = book.accounts(user_id)
    assert book.balance(user_id).held == 0
    assert accounts["available"] + accounts.get("spent", 0) == 10


def test_sweeps_at_the_same_time_wait_for_each_other_in_one_order(book: Book) -> None:
    people = [book.customer() for _ in range(8)]
    for person in people:
        book.grant(person, 3, days=1)
        book.grant(person, 2)
        book.hold(person, 1)
    book.clock.advance(days=1)

    outcomes([book.expire] * 6)

    assert [book.available(person) for person in people] == [3] * 8
