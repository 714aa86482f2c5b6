"""What is unused of a payment is worth its exact share of what was paid."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import payments, refunds, unused
from talkingphoto.billing.plan_credits import DripRow
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.ledger_book import Book


def usd(minor: int) -> Money:
    return Money(minor, "usd")


@pytest.fixture
def book(runtime: Runtime, clock: TestClock) -> Book:
    return Book(runtime.database, clock)


def pays(book: Book, user_id: str, minor: int, *, item: str = "pro:month", tax: int = 0) -> str:
    """The id of a payment on record."""
    payment = payments.Payment(
        id=f"in_{user_id}",
        user_id=user_id,
        kind="plan",
        item=item,
        description="Pro, one month",
        amount=usd(minor),
        tax_minor=tax,
        status="paid",
        created_at=book.clock(),
        payment_intent_id=f"pi_{user_id}",
    )
    with book.database.transaction() as session:
        payments.record(session, payment, looked_at=book.clock())
    return payment.id


def found(book: Book, payment_id: str) -> unused.Unused:
    with book.database.read_only() as session:
        return unused.of_payment(session, payment_id=payment_id, now=book.clock())


def test_m11_twelve_of_a_hundred_used_leave_43_99_of_49_99(book: Book) -> None:
    user_id = book.customer()
    payment_id = pays(book, user_id, 49_99)
    book.grant(user_id, 100, price=usd(49_99), days=60, reference=payment_id)
    assert found(book, payment_id).refundable == usd(49_99)

    book.spend(user_id, 12)

    assert found(book, payment_id).words == "Pro, 12 of 100 used: refundable 43.99"
    assert found(book, payment_id).refundable == usd(43_99)


@pytest.mark.parametrize(
    ("used", "refundable", "tax"),
    [(0, 9_99, 1_67), (1, 6_66, 1_11), (2, 3_33, 56), (3, 0, 0)],
)
def test_m11_the_share_is_rounded_half_up_once_and_so_is_its_tax(
    book: Book, used: int, refundable: int, tax: int
) -> None:
    user_id = book.customer()
    payment_id = pays(book, user_id, 9_99, tax=1_67)
    book.grant(user_id, 3, price=usd(9_99), tax=usd(1_67), reference=payment_id)
    for _ in range(used):
        book.spend(user_id, 1)

    value = found(book, payment_id)

    assert (value.refundable, value.tax) == (usd(refundable), usd(tax))
    assert (value.credits, value.unused) == (3, 3 - used)


def test_m11_lots_of_an_upgrade_in_the_same_payment_are_valued_each_at_its_price(
    book: Book,
) -> None:
    user_id = book.customer()
    payment_id = pays(book, user_id, 30_01)
    book.grant(user_id, 3, price=usd(10_00), days=1, reference=payment_id)
    book.grant(user_id, 7, price=usd(20_01), reference=payment_id)
    book.spend(user_id, 4)  # all three of the first and one of the second

    assert found(book, payment_id).refundable == usd(17_15)  # 20.01 x 6/7 = 17.1514


def test_m11_of_a_year_the_months_that_have_not_begun_are_unused(book: Book) -> None:
    user_id = book.customer()
    payment_id = pays(book, user_id, 120_00, item="pro:year", tax=20_00)
    book.grant(user_id, 100, price=usd(10_00), tax=usd(1_67), days=60, reference=payment_id)
    book.spend(user_id, 50)
    with book.database.transaction() as session:
        months(session, user_id, payment_id, now_plus=[30, 60], clock=book.clock)

    value = found(book, payment_id)

    assert (value.credits, value.unused) == (300, 250)
    assert (value.refundable, value.tax) == (usd(25_00), usd(4_18))  # 0.835 + 1.67 + 1.67 = 4.175
    assert value.words == "Pro, 50 of 300 used: refundable 25.00"


def months(
    session: Session, user_id: str, payment_id: str, *, now_plus: list[int], clock: TestClock
) -> None:
    """Months of a year at 10.00 each that begin in so many days."""
    for day in now_plus:
        due = clock() + timedelta(days=day)
        session.add(
            DripRow(
                key=f"drip:{payment_id}:{day}",
                user_id=UUID(user_id),
                subscription_id="sub",
                reference=payment_id,
                description="Pro",
                credits=100,
                price_minor=10_00,
                tax_minor=1_67,
                currency="usd",
                due_at=due,
                expires_at=due + timedelta(days=60),
                state="pending",
            )
        )


def test_m11_what_ran_out_is_worth_nothing_and_what_is_frozen_its_price(book: Book) -> None:
    user_id = book.customer()
    payment_id = pays(book, user_id, 20_00)
    book.grant(user_id, 10, price=usd(20_00), days=1, reference=payment_id)
    book.freeze(payment_id)
    book.clock.advance(days=2)
    assert found(book, payment_id).refundable == usd(20_00)

    book.thaw(payment_id)
    book.clock.advance(days=2)

    assert found(book, payment_id).refundable == usd(0)


def test_m11_never_more_than_is_left_of_the_payment(book: Book) -> None:
    user_id = book.customer()
    payment_id = pays(book, user_id, 20_00)
    book.grant(user_id, 10, price=usd(20_00), reference=payment_id)
    with book.database.transaction() as session:
        facts = refunds.RefundFacts(
            id=f"re_{user_id}",
            refund_id=None,
            payment_intent_id=f"pi_{user_id}",
            amount=usd(12_00),
            status="succeeded",
            created_at=book.clock(),
        )
        refunds.follow(session, facts=facts, looked_at=book.clock(), now=book.clock())

    # Six of ten went back with 60 % of the money; one of the four that are left is used.
    book.spend(user_id, 1)
    assert found(book, payment_id).refundable == usd(6_00)
    with book.database.transaction() as session:
        session.execute(
            text("UPDATE payments SET refunded_minor = 1500 WHERE id = :id"), {"id": payment_id}
        )
    assert found(book, payment_id).refundable == usd(5_00)
