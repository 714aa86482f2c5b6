"""Credits that may have to go back: frozen, taken back, owed, paid, forgiven, restored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.ledger_book import Book


@pytest.fixture
def book(runtime: Runtime, clock: TestClock) -> Book:
    return Book(runtime.database, clock)


def test_m11_of_a_lot_that_goes_back_the_unspent_part_is_taken_and_the_rest_is_owed(
    book: Book,
) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 100, source="plan", days=60, reference="payment")
    book.spend(user_id, 10)
    held = book.hold(user_id, 2)

    found = book.claw_back(lot.key, 100)

    assert found == ledger.ClawBack(taken=88, owed=12)
    assert book.claw_back(lot.key, 100) == found
    balance = book.balance(user_id)
    assert (balance.available, balance.held, balance.owed) == (0, 2, 12)
    taken, owed = book.statement(user_id)[:2]
    assert (taken.kind, taken.credits, taken.balance_after, taken.owed_after) == (
        "claw_back",
        -88,
        0,
        12,
    )
    assert (owed.credits, owed.owed_after, owed.reference) == (-12, 12, "payment")
    assert owed.description == "Refunded"
    # What was held comes back unused: it pays for itself.
    book.release(held.id)
    balance = book.balance(user_id)
    assert (balance.available, balance.owed) == (0, 10)
    assert book.statement(user_id)[0].kind == "repay"
    assert book.check() == ()


def test_m11_who_owes_can_spend_only_what_is_beyond_the_debt(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 5, days=1)
    book.spend(user_id, 5)
    book.grant(user_id, 8)
    book.claw_back(lot.key, 5)

    assert book.available(user_id) == 3
    with pytest.raises(errors.InsufficientCredits, match="You owe 5 videos") as owing:
        book.hold(user_id, 4)
    with pytest.raises(errors.InsufficientCredits) as too_few:
        book.hold(user_id, 9)
    assert (owing.value.code, too_few.value.code) == ("credits.owed", "credits.insufficient")
    assert book.hold(user_id, 3).state == "held"
    assert book.available(user_id) == 0


def test_m11_what_arrives_pays_the_oldest_debt_first(book: Book) -> None:
    user_id = book.customer()
    first, second = book.grant(user_id, 4, days=1), book.grant(user_id, 6, days=2)
    book.spend(user_id, 10)
    book.claw_back(first.key, 4)
    book.claw_back(second.key, 6)

    book.grant(user_id, 5, key="five")

    assert book.remaining(user_id)["five"] == 0
    assert (book.available(user_id), book.balance(user_id).owed) == (0, 5)
    debts = "SELECT reason || number, still_owed FROM debts WHERE user_id = :id ORDER BY number"
    assert list(book.numbers(debts, user_id).values()) == [0, 5]
    book.grant(user_id, 7)
    assert (book.available(user_id), book.balance(user_id).owed) == (2, 0)
    assert sum(book.accounts(user_id).values()) == 0
    assert book.check() == ()


def test_m11_a_lot_goes_back_in_parts_and_never_more_than_all_of_it(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10, days=5)
    book.spend(user_id, 6)

    parts = [book.claw_back(lot.key, 4, key=f"part {n}") for n in range(4)]

    assert [(part.taken, part.owed) for part in parts] == [(4, 0), (0, 4), (0, 2), (0, 0)]
    assert book.check() == ()


def test_m11_what_expired_is_neither_taken_nor_owed(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10, days=1)
    book.spend(user_id, 3)
    book.clock.advance(days=1)

    assert book.claw_back(lot.key, 10) == ledger.ClawBack(taken=0, owed=3)


def test_m11_credits_that_paid_a_debt_are_owed_again_when_their_own_lot_goes_back(
    book: Book,
) -> None:
    user_id = book.customer()
    first = book.grant(user_id, 5)
    book.spend(user_id, 5)
    book.claw_back(first.key, 5)
    second = book.grant(user_id, 5)

    assert book.claw_back(second.key, 5) == ledger.ClawBack(taken=0, owed=5)
    assert book.balance(user_id).owed == 5
    assert book.check() == ()


@pytest.mark.parametrize("paid", [0, 1, 3])
def test_m11_a_refund_that_failed_is_undone_exactly_and_once(book: Book, paid: int) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10, days=30)
    book.spend(user_id, 3)
    clean = book.available(user_id), book.accounts(user_id).get("spent")
    book.claw_back(lot.key, 10, key="refund")
    if paid:
        book.grant(user_id, paid, key="later")
        book.forgive(user_id, 1, key="gesture")

    back = [book.restore("refund") for _ in range(2)]

    assert back == [7 + paid] * 2
    assert book.remaining(user_id)[lot.key] == 7
    assert (book.available(user_id) - paid, book.accounts(user_id)["spent"]) == clean
    assert book.balance(user_id).owed == 0
    accounts = book.accounts(user_id)
    names = ("revoked", "owed", "repaid", "covered", "forgiven")
    assert not any(accounts.get(name) for name in names)
    assert book.restore("no such refund") == 0
    assert book.check() == ()


def test_m11_a_debt_is_forgiven_once_and_no_further_than_nothing(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 5)
    book.spend(user_id, 5)
    assert book.forgive(user_id, 2, key="too early") == 0
    book.claw_back(lot.key, 5)

    assert [book.forgive(user_id, 2, key="a") for _ in range(2)] == [2, 2]
    assert book.forgive(user_id, 9, key="b") == 3
    with pytest.raises(errors.Conflict):
        book.forgive(user_id, 3, key="a")

    assert book.balance(user_id).owed == 0
    assert [(line.kind, line.owed_after) for line in book.statement(user_id)[:2]] == [
        ("forgive", 0),
        ("forgive", 3),
    ]
    assert book.check() == ()


def test_m11_frozen_credits_cannot_be_spent_and_end_later_by_the_time_they_were_frozen(
    book: Book,
) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10, days=10, reference="payment")
    book.grant(user_id, 1, days=10)
    book.clock.advance(days=9)

    assert book.freeze("payment") == 10
    book.clock.advance(days=20)
    book.expire()

    found = book.balance(user_id)
    assert (found.available, found.frozen) == (0, 10)
    with pytest.raises(errors.InsufficientCredits):
        book.hold(user_id, 1)
    assert [book.thaw("payment") for _ in range(2)] == [10, 0]
    assert lot.expires_at is not None
    assert book.balance(user_id).next_expiry == lot.expires_at + timedelta(days=20)
    assert (book.available(user_id), book.balance(user_id).frozen) == (10, 0)
    book.clock.advance(days=1)
    assert (book.expire(), book.available(user_id)) == (1, 0)
    assert book.check() == ()


def test_m11_a_lot_frozen_twice_waits_for_both_and_time_counts_once(book: Book) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 10, days=10, reference="payment")
    book.freeze("payment", key="warning")
    book.clock.advance(days=1)
    book.freeze("payment", key="dispute")
    book.clock.advance(days=1)
    assert book.thaw("payment", key="warning") == 0
    book.clock.advance(days=1)

    assert book.thaw("payment", key="dispute") == 10
    assert lot.expires_at is not None
    assert book.balance(user_id).next_expiry == lot.expires_at + timedelta(days=3)


def test_m11_what_arrives_for_a_frozen_payment_is_frozen_and_pays_no_debt_until_the_thaw(
    book: Book,
) -> None:
    user_id = book.customer()
    used = book.grant(user_id, 4)
    book.spend(user_id, 4)
    book.claw_back(used.key, 4)
    book.freeze("payment")
    book.grant(user_id, 10, days=5, reference="payment")

    found = book.balance(user_id)
    assert (found.frozen, found.owed) == (10, 4)
    book.thaw("payment")
    found = book.balance(user_id)
    assert (found.available, found.frozen, found.owed) == (6, 0, 0)
    assert book.check() == ()


def test_m11_a_video_in_the_making_goes_on_while_its_credits_freeze(book: Book) -> None:
    user_id = book.customer()
    book.grant(user_id, 10, days=5, reference="payment")
    made, given_up = book.hold(user_id, 2), book.hold(user_id, 3)
    book.freeze("payment")

    assert book.settle(made.id).state == "settled"
    book.release(given_up.id)

    assert (book.available(user_id), book.balance(user_id).frozen) == (0, 8)
    assert book.claw_back(book.lots(user_id)[0].key, 10) == ledger.ClawBack(taken=8, owed=2)


def test_m11_frozen_spent_released_and_taken_back_at_once_leave_the_books_whole(
    book: Book,
) -> None:
    user_id = book.customer()
    lot = book.grant(user_id, 20, days=5, reference="payment")
    held = [book.hold(user_id, 1).id for _ in range(6)]
    verbs = [
        *(lambda h=h: book.release(h) for h in held[:3]),
        *(lambda h=h: book.settle(h) for h in held[3:]),
        *[lambda: book.claw_back(lot.key, 20)] * 3,
        *[lambda: book.freeze("payment")] * 2,
        *[lambda: book.thaw("payment")] * 2,
        lambda: book.restore(f"refund of {lot.key}"),
        lambda: book.grant(user_id, 4),
    ]
    gate = threading.Barrier(len(verbs))

    def act(verb: Callable[[], object]) -> None:
        gate.wait()
        verb()

    with ThreadPoolExecutor(len(verbs)) as threads:
        list(threads.map(act, verbs))
    book.thaw("payment")
    book.restore(f"refund of {lot.key}")

    found = book.balance(user_id)
    assert (found.available, found.held, found.frozen, found.owed) == (21, 0, 0, 0)
    assert book.check() == ()
