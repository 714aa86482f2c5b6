"""A renewal that fails: what the customer reads, what they can do, and what got it paid."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from services.retry_service import Recovered, RetryService
from talkingphoto.accounts import mails
from talkingphoto.events import invoices
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.flows.conftest import open_shop
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.sandbox import Event, SandboxProcess
from tests.support.shop import Person, Shop
from tests.support.visitors import Visitor, place
from web.app import create_app

MONTH = 32 * 24 * 3600
_EVENTS = {"paid": "paid", "void": "voided", "uncollectible": "marked_uncollectible"}
FAILS, ASKS, WORKS = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired", "pm_card_visa"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of its own: its clock is moved."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture(scope="module")
def stocked(postgres: TestServer, sandbox: SandboxProcess) -> Iterator[str]:
    """A database whose catalog is synced."""
    with postgres.database() as url:
        made = open_shop(url, sandbox, TestClock(datetime.now(UTC)))
        list(made.payments.sync_catalog())
        made.runtime.database.dispose()
        yield url


@pytest.fixture
def retries(shop: Shop) -> RetryService:
    """The service of what failed."""
    return RetryService(shop.runtime)


def with_card(shop: Shop, person: Person, card: str) -> str:
    """The person's plan is paid with that card from now on; the id of the plan."""
    client = shop.sandbox.client(shop.key)
    customer = customer_of(shop, person)
    method = client.v1.payment_methods.attach(card, {"customer": customer})
    plan = client.v1.subscriptions.list({"customer": customer}).data[0].id
    client.v1.subscriptions.update(plan, {"default_payment_method": method.id})
    return plan


def customer_of(shop: Shop, person: Person) -> str:
    """Who the person is at Stripe."""
    client = shop.sandbox.client(shop.key)
    return str(client.v1.customers.list({"email": person.email}).data[0].id)


def time_passes(shop: Shop, *people: Person, seconds: int = MONTH) -> None:
    """So much time has passed at Stripe and here, and we know what became of the invoices."""
    shop.sandbox.advance(advance_seconds=seconds)
    shop.clock.advance(seconds=seconds)
    for person in people:
        we_hear_of(shop, person)


def we_hear_of(shop: Shop, person: Person) -> None:
    """An event told us of each invoice of the person as it is now."""
    client, mine = shop.sandbox.client(shop.key), customer_of(shop, person)
    for invoice in client.v1.invoices.list({"customer": mine}).data:
        failed = invoice.status == "open"
        kind = "payment_failed" if failed else _EVENTS[str(invoice.status)]
        shop.deliver([told(f"invoice.{kind}", invoice.id, mine)])


def told(kind: str, invoice_id: str, customer_id: str) -> Event:
    """An event about an invoice; handlers look for themselves, so it holds ids alone."""
    about = {"id": invoice_id, "object": "invoice", "customer": customer_id}
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": kind,
        "data": {"object": about},
    }


def open_invoice(shop: Shop, person: Person) -> str:
    """The id of what the person owes at Stripe."""
    client, mine = shop.sandbox.client(shop.key), customer_of(shop, person)
    (found,) = client.v1.invoices.list({"customer": mine, "status": "open"}).data
    return str(found.id)


def owed(shop: Shop, person: Person) -> list[str]:
    """The messages about trouble that are owed to the person."""
    with shop.runtime.read_only() as session:
        found = mails.page(session, before="")
    return sorted(
        mail.template
        for mail in found
        if mail.user_id == person.id and mail.template in {"payment_failed", "bank_asks"}
    )


def a_subscriber(shop: Shop, card: str) -> Person:
    """Somebody on Starter whose next renewal meets that card."""
    person = shop.a_person()
    shop.buys(person, "starter:month")
    with_card(shop, person, card)
    return person


def test_a_worker_that_saw_the_failure_and_writes_after_the_payment_asks_for_nothing(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    shop.sandbox.advance(advance_seconds=MONTH)
    shop.clock.advance(seconds=MONTH)
    invoice_id = open_invoice(shop, ada)
    late = invoices.write_of(look_at(shop.runtime), invoice_id)
    assert late is not None
    with_card(shop, ada, WORKS)
    shop.sandbox.client(shop.key).v1.invoices.pay(invoice_id)
    we_hear_of(shop, ada)

    with shop.runtime.transaction() as session:
        late(session)

    assert (retries.past_due(ada.id), owed(shop, ada)) == (None, [])


def test_a_failed_renewal_is_said_in_words_and_by_mail_once(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    assert retries.past_due(ada.id) is None
    time_passes(shop, ada)
    due = retries.past_due(ada.id)
    assert due is not None
    assert due.amount == Money(1999, "usd")
    assert due.card.startswith("Visa ending ")
    assert due.words.startswith("Your payment of $19.99 did not go through. ")
    assert due.card in due.words
    assert due.next_try_at is not None and "We try again on" in due.words
    # The page says the sum and the date by itself: neither may stand in the reason too.
    assert due.reason in due.words
    assert "$19.99" not in due.reason and "We try again" not in due.reason
    assert not due.needs_bank
    assert due.pay_url.startswith("http://localhost")
    assert owed(shop, ada) == ["payment_failed"]
    time_passes(shop, ada, seconds=4 * 24 * 3600)  # Stripe tries again, in vain
    assert owed(shop, ada) == ["payment_failed"]


def test_a_bank_that_asks_is_said_instead_of_a_failure(shop: Shop, retries: RetryService) -> None:
    ada = a_subscriber(shop, ASKS)
    time_passes(shop, ada)
    due = retries.past_due(ada.id)
    assert due is not None
    assert due.needs_bank
    assert due.words == "Your bank asks you to confirm $19.99. This takes a minute."
    assert owed(shop, ada) == ["bank_asks"]


def test_a_try_by_hand_with_a_new_card_pays_and_brings_the_month(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    time_passes(shop, ada)
    before = shop.balance(ada)
    with pytest.raises(errors.PaymentDeclined) as refusal:
        retries.retry_now(user_id=ada.id)
    assert "Nothing was charged" in refusal.value.message
    with_card(shop, ada, WORKS)
    assert retries.retry_now(user_id=ada.id)
    assert retries.past_due(ada.id) is None
    assert shop.balance(ada) == before + 30
    we_hear_of(shop, ada)
    assert shop.balance(ada) == before + 30
    with pytest.raises(errors.Conflict) as paid:
        retries.retry_now(user_id=ada.id)
    assert paid.value.message == "This is already paid. Nothing was charged again."


def test_what_was_paid_elsewhere_meanwhile_is_not_paid_again(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    time_passes(shop, ada)
    with_card(shop, ada, WORKS)
    shop.sandbox.client(shop.key).v1.invoices.pay(open_invoice(shop, ada))
    with pytest.raises(errors.Conflict):
        retries.retry_now(user_id=ada.id)
    assert retries.past_due(ada.id) is None


def test_the_sixth_try_of_a_day_is_refused_before_the_bank_is_asked(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    time_passes(shop, ada)
    for _ in range(5):
        with pytest.raises(errors.PaymentDeclined):
            retries.retry_now(user_id=ada.id)
    with pytest.raises(errors.RateLimited):
        retries.retry_now(user_id=ada.id)


def test_a_bank_that_asks_at_a_try_by_hand_leads_to_the_page_where_it_can(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, ASKS)
    time_passes(shop, ada)
    with pytest.raises(errors.ActionRequired) as asked:
        retries.retry_now(user_id=ada.id)
    due = retries.past_due(ada.id)
    assert due is not None
    assert asked.value.url == due.pay_url


def test_the_link_of_the_mail_leads_over_a_button_to_the_page_that_takes_the_money(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    time_passes(shop, ada)
    shop.runtime.settings = shop.runtime.settings.model_copy(update={"worker": "external"})
    visitor = Visitor(create_app(shop.runtime).test_client())
    assert place(visitor.get("/billing/pay")).endswith("/sign-in")
    assert place(visitor.post("/billing/pay")).endswith("/sign-in")
    token = shop.sign_in(ada).partition("=")[2]
    visitor.client.set_cookie("__Host-tp_session", token, domain="localhost", secure=True)
    page = visitor.get("/billing/pay")
    assert "Pay $19.99" in page.text
    due = retries.past_due(ada.id)
    assert due is not None
    assert visitor.post("/billing/pay").headers["Location"] == due.pay_url
    assert shop.sandbox.pay(due.pay_url).status == 303
    we_hear_of(shop, ada)
    assert retries.past_due(ada.id) is None
    report = today(shop, retries)["usd"]
    assert report.by_cause == {"mail_link": Money(1999, "usd")}
    assert place(visitor.get("/billing/pay")).endswith("/account")
    assert place(visitor.post("/billing/pay")).endswith("/account")


def test_the_report_says_what_failed_what_came_back_and_why(
    shop: Shop, retries: RetryService
) -> None:
    people = by_hand, by_card, lost = [a_subscriber(shop, FAILS) for _ in range(3)]
    time_passes(shop, *people)
    client = shop.sandbox.client(shop.key)
    with_card(shop, by_hand, WORKS)
    retries.retry_now(user_id=by_hand.id)
    with_card(shop, by_card, WORKS)
    client.v1.invoices.pay(open_invoice(shop, by_card))
    client.v1.invoices.void_invoice(open_invoice(shop, lost))
    for person in people:
        we_hear_of(shop, person)
    found = today(shop, retries)["usd"]
    assert (found.failed, found.failed_invoices) == (Money(5997, "usd"), 3)
    assert (found.recovered, found.recovered_invoices) == (Money(3998, "usd"), 2)
    assert (found.open, found.lost) == (Money(0, "usd"), Money(1999, "usd"))
    assert found.by_cause == {"manual": Money(1999, "usd"), "new_card": Money(1999, "usd")}
    assert found.rate_words == "66.6 %: $39.98 of $59.97 that failed (2 of 3 invoices)"
    report = retries.recovery_report(shop.clock.now.date(), shop.clock.now.date())
    assert sum(code["usd"].failed_invoices for code in report.by_code.values()) == 3


def today(shop: Shop, retries: RetryService) -> dict[str, Recovered]:
    """The report of the product's day."""
    day = shop.clock.now.date()
    return retries.recovery_report(day, day).by_currency


def test_what_was_owed_for_a_plan_that_ended_is_asked_for_no_more(
    shop: Shop, retries: RetryService
) -> None:
    ada = a_subscriber(shop, FAILS)
    time_passes(shop, ada)
    assert retries.past_due(ada.id) is not None
    client, mine = shop.sandbox.client(shop.key), customer_of(shop, ada)
    plan = client.v1.subscriptions.list({"customer": mine}).data[0].id
    client.v1.subscriptions.cancel(plan)
    about = told("customer.subscription.deleted", plan, mine)
    shop.deliver([about])
    assert retries.past_due(ada.id) is None
    we_hear_of(shop, ada)
    assert retries.past_due(ada.id) is None
    assert today(shop, retries)["usd"].lost == Money(1999, "usd")
