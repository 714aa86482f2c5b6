"""The list of payments, our own receipts, and the table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.invoice_service import BillingDetails
from talkingphoto.billing import payments, receipts
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.support.pdf import words_of
from tests.support.shop import Person, Shop

DISPUTED = "4000000000000259"


@pytest.fixture
def shop(storefront: Shop) -> Shop:
    storefront.clock.now = datetime.now(UTC)
    return storefront


def pay(shop: Shop, person: Person, number: int, *, description: str = "Starter") -> str:
    """A payment of some earlier day, put on record as a webhook puts it."""
    at = shop.clock.now - timedelta(days=number)
    payment = payments.Payment(
        id=f"in_{person.id[:8]}{number:03}",
        user_id=person.id,
        kind="plan",
        item="starter:month",
        description=description,
        amount=Money(19_99, "usd"),
        tax_minor=3_33,
        status="paid",
        created_at=at,
        paid_at=at,
    )
    with shop.runtime.transaction() as session:
        payments.record(session, payment, looked_at=shop.clock.now)
    return payment.id


def test_payments_are_listed_fifty_a_page_and_only_their_owner_s(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    made = [pay(shop, ada, number) for number in range(53)]
    his = pay(shop, bob, 0)
    first = shop.invoices.page(user_id=ada.id)
    second = shop.invoices.page(user_id=ada.id, before=first.next)
    assert [row.id for row in (*first.rows, *second.rows)] == made
    assert (len(first.rows), second.next) == (50, None)
    for stolen in (his, "in_nothing", "in_\0"):
        with pytest.raises(errors.NotFound):
            shop.invoices.page(user_id=ada.id, before=stolen)


def test_a_pack_has_a_receipt_of_ours_with_a_number_and_its_buyer(shop: Shop) -> None:
    ada = shop.a_person()
    shop.invoices.save_details(
        user_id=ada.id,
        details=BillingDetails(
            name="Łucja Żółć", company="Ακμή", line1="Street 1", city="Wien", country="AT"
        ),
    )
    shop.buys(ada, "pack:10")
    (row,) = shop.invoices.page(user_id=ada.id).rows
    assert row.has_receipt and row.number is not None
    assert re.fullmatch(r"R-\d{4}-\d{6}", row.number)
    pdf = shop.invoices.receipt_pdf(user_id=ada.id, payment_id=row.id)
    assert pdf == shop.invoices.receipt_pdf(user_id=ada.id, payment_id=row.id)
    words = words_of(pdf)
    for wanted in (
        *(row.number, "TalkingPhoto", "Łucja Żółć", "Ακμή", "Street 1", "Wien", "10 videos"),
        *("$9.90", "Visa ending in 4242", "Total paid", ada.email),
    ):
        assert wanted in words, wanted
    # What they call themselves later changes the next receipt, not this one.
    shop.invoices.save_details(user_id=ada.id, details=BillingDetails(name="Somebody else"))
    assert shop.invoices.receipt_pdf(user_id=ada.id, payment_id=row.id) == pdf


def test_a_receipt_shows_what_was_given_back(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    (row,) = shop.invoices.page(user_id=ada.id).rows
    with shop.runtime.read_only() as session:
        intent = payments.get(session, payment_id=row.id).payment_intent_id
    assert intent is not None
    shop.sandbox.client(shop.key).v1.refunds.create({"payment_intent": intent, "amount": 4_00})
    shop.deliver(shop.new_events())
    (row,) = shop.invoices.page(user_id=ada.id).rows
    assert row.refunded == Money(4_00, "usd")
    words = words_of(shop.invoices.receipt_pdf(user_id=ada.id, payment_id=row.id))
    assert "Refunded" in words and "4.00" in words and "$5.90" in words


def test_m9_nobody_has_another_s_receipt_nor_one_that_is_stripe_s(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    shop.buys(ada, "pack:10")
    (row,) = shop.invoices.page(user_id=ada.id).rows
    plan = pay(shop, bob, 1)
    for payment_id in (row.id, plan, "cs_nothing", "cs_\0"):
        with pytest.raises(errors.NotFound):
            shop.invoices.receipt_pdf(user_id=bob.id, payment_id=payment_id)


def test_numbers_of_receipts_have_no_gaps_whoever_asks_at_once(shop: Shop) -> None:
    people = [shop.a_person() for _ in range(4)]
    when = datetime(2031, 5, 1, tzinfo=UTC)
    wanted = [(person, f"cs_{person.id[:12]}{n}") for person in people for n in range(3)]

    def issue(one: tuple[Person, str]) -> str:
        person, payment_id = one
        with shop.runtime.transaction() as session:
            return receipts.issue(session, payment_id=payment_id, user_id=person.id, at=when).number

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(issue, wanted * 3))
    assert sorted(set(numbers)) == [f"R-2031-{n:06}" for n in range(1, 13)]
    with shop.runtime.transaction() as session:
        later = receipts.issue(
            session, payment_id="cs_next_year", user_id=people[0].id, at=when.replace(year=2032)
        )
        last = session.execute(text("SELECT last FROM receipt_counters WHERE year = 2031"))
        assert (later.number, last.scalar_one()) == ("R-2032-000001", 12)


@pytest.mark.parametrize("words", ["=1+1", "@x", "+x", "-x", "\tx", "\rx", 'plain, "x"'])
def test_b2_no_cell_of_the_table_is_a_formula(shop: Shop, words: str) -> None:
    ada = shop.a_person()
    pay(shop, ada, 1, description=words)
    head, row = csv.reader(io.StringIO(shop.invoices.csv(ada.id), newline=""))
    found = dict(zip(head, row, strict=True))
    safe = words if words.startswith("plain") else f"'{words}"
    assert found["description"] == safe
    sums = (found["net"], found["tax"], found["total"], found["currency"], found["refunded"])
    assert sums == ("16.66", "3.33", "19.99", "USD", "0.00")


def test_a_long_table_has_every_payment_once(shop: Shop) -> None:
    ada = shop.a_person()
    for number in range(101):
        pay(shop, ada, number)
    assert len(shop.invoices.csv(ada.id).splitlines()) == 102


def test_a_payment_that_is_disputed_says_so(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    assert shop.pays(ada, "pack:50", card=DISPUTED).status == 303
    shop.deliver(shop.new_events())
    rows = {row.description: row.dispute for row in shop.invoices.page(user_id=ada.id).rows}
    assert rows == {"50 videos": "Questioned at your bank", "10 videos": ""}
