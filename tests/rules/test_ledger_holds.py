"""Credits of a video in the making: they are spent once, or come back once, to the same lots."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from talkingphoto.billing import ledger
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.ledger_book import Book


@pytest.fixture
def book(runtime: Runtime, clock: TestClock) -> Book:
    return Book(runtime.database, clock)


def _grace_of(lot: ledger.Lot) -> datetime:
    assert lot.expires_at is not None
    return lot.expires_at + ledger.RETURN_GRACE


def total(book: Book, user_id: str) -> int:
    """Everything that was ever granted must be somewhere."""
    found = book.accounts(user_id)
    assert sum(found.values()) == 0
    return -found["granted"]


def test_m6_a_video_that_is_made_takes_its_credits_for_good(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    hold_id = book.hold(user_id, 3).id

    assert book.settle(hold_id).state == "settled"

    assert (book.available(user_id), book.balance(user_id).held) == (7, 0)
    assert book.accounts(user_id)["spent"] == 3
    assert total(book, user_id) == 10


def test_m6_a_video_that_fails_gives_its_credits_back_once(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    hold_id = book.hold(user_id, 3).id

    assert [book.release(hold_id).state for _ in range(3)] == ["released"] * 3

    assert (book.available(user_id), book.balance(user_id).held) == (10, 0)
    assert total(book, user_id) == 10


def test_m6_a_killed_worker_s_hold_is_given_back_by_the_sweep_at_its_end(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    held = book.hold(user_id, 3, hours=1)

    book.clock.advance(seconds=3599)
    assert book.expire() == 0
    book.clock.advance(seconds=1)
    assert (book.expire(), book.expire()) == (1, 0)

    assert (book.available(user_id), book.balance(user_id).held) == (10, 0)
    assert book.release(held.id).state == "expired"
    assert total(book, user_id) == 10
    assert book.check() == ()


@pytest.mark.parametrize("first", ["settled", "released", "expired"])
@pytest.mark.parametrize("then", ["settle", "release"])
def test_m6_a_late_worker_changes_nothing(book: Book, first: str, then: str) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    hold_id = book.hold(user_id, 3, hours=1).id
    if first == "expired":
        book.clock.advance(hours=1)
        book.expire()
    else:
        ended = book.settle if first == "settled" else book.release
        ended(hold_id)
    before = book.accounts(user_id)

    late = book.settle if then == "settle" else book.release

    assert late(hold_id).state == first
    assert book.accounts(user_id) == before
    assert book.check() == ()


def test_a_hold_past_its_end_is_still_settled_when_no_sweep_was_faster(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10)
    hold_id = book.hold(user_id, 3, hours=1).id
    book.clock.advance(hours=2)

    assert book.settle(hold_id).state == "settled"
    assert book.expire() == 0


def test_one_sweep_gives_back_holds_of_many_customers_and_empties_their_lots(book: Book) -> None:
    people = [book.customer() for _ in range(5)]
    for person in people:
        book.grant(person, 10)
        book.grant(person, 4, days=2)
        book.hold(person, 3, hours=2)
        book.hold(person, 3, hours=2)
    book.clock.advance(hours=2)
    assert book.expire() == 10
    book.clock.advance(days=2)
    assert book.expire() == 5

    assert [book.available(person) for person in people] == [10] * 5
    assert book.check() == ()


@pytest.mark.parametrize("swept_first", [True, False])
def test_credits_that_ran_out_while_we_held_them_come_back_for_seven_more_days(
    book: Book, *, swept_first: bool
) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 30, source="plan", days=1)
    book.clock.advance(hours=23)
    hold_id = book.hold(user_id, 2, hours=3).id
    book.clock.advance(hours=2)
    if swept_first:
        book.expire()

    book.release(hold_id)

    back = book.balance(user_id)
    assert (back.available, back.next_expiry) == (2, _grace_of(lot))
    assert book.accounts(user_id)["expired"] == 28  # The grace is not for what was left unused.
    assert lot.key in book.remaining(user_id)
    book.clock.now = _grace_of(lot)
    assert book.available(user_id) == 0
    assert book.expire() == 1
    assert book.accounts(user_id) == {"granted": -30, "available": 0, "held": 0, "expired": 30}
    assert book.check() == ()


def test_the_sweep_grants_the_same_grace_as_a_release(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 30, days=1)
    book.clock.advance(hours=23)
    book.hold(user_id, 2, hours=3)
    book.clock.advance(hours=3)

    assert book.expire() == 2

    assert book.available(user_id) == 2
    assert book.balance(user_id).next_expiry == _grace_of(lot)


def test_m13_the_grace_of_a_lot_is_one_week_after_the_end_that_was_sold_however_often(
    book: Book,
) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 3, days=1)

    # Each is ordered an hour before the end that holds then, and given up after it.
    for _ in range(3):
        end = book.balance(user_id).next_expiry
        if end is None:
            break
        book.clock.now = end - timedelta(hours=1)
        hold_id = book.hold(user_id, 3, hours=3).id
        book.clock.advance(hours=2)
        book.release(hold_id)

    assert book.clock.now < _grace_of(lot) + timedelta(days=1)
    assert book.available(user_id) == 0
    assert book.expire() == 1
    assert book.accounts(user_id)["expired"] == 3
    assert book.check() == ()


def test_credits_given_back_before_their_end_keep_it(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 30, days=1)
    hold_id = book.hold(user_id, 2, hours=3).id

    book.release(hold_id)

    assert book.balance(user_id).next_expiry == lot.expires_at


def test_returned_credits_of_a_refunded_lot_are_still_found_by_its_refund(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 30, days=1)
    book.clock.advance(hours=23)
    hold_id = book.hold(user_id, 2, hours=3).id
    book.clock.advance(hours=2)
    book.release(hold_id)

    assert book.revoke(lot.key, 30) == 2
    assert book.available(user_id) == 0
