"""M12: our books and Stripe's are compared, and the report lists what is different and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from services.reconciliation_service import Run
from talkingphoto.billing import ledger, payments
from talkingphoto.foundation.money import Money
from tests.support.clock import TestClock
from tests.support.sandbox import VISA, SandboxProcess, of_type
from tests.support.shop import Person, Shop

Found = list[tuple[str, str, str, str]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of these stories' own: a comparison reads all of it."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def clock() -> TestClock:
    """What was made today is old enough to be compared."""
    return TestClock(datetime.now(UTC) + timedelta(hours=1))


def compared(shop: Shop, *, heal: bool = False) -> Run:
    """A whole run."""
    return shop.reconciliation.compare(heal=heal)


def found(run: Run) -> Found:
    """What it lists."""
    return sorted((one.kind, one.class_, one.object_id, one.state) for one in run.differences)


def change(shop: Shop, statement: str, **values: Any) -> None:
    """Our books are changed behind everybody's back."""
    with shop.runtime.transaction() as session:
        session.execute(text(statement), values)


def test_books_that_agree_have_no_differences(shop: Shop) -> None:
    ada, bob, eve = (shop.a_person() for _ in range(3))
    shop.buys(ada, "pack:10")
    shop.buys(ada, "starter:month")
    shop.buys(bob, "pro:year")
    shop.opens(eve, "pack:50")
    run = compared(shop)
    assert found(run) == []
    assert run.looked >= 8


def test_m12_one_missing_and_one_extra_payment_are_all_that_is_listed(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    shop.buys(ada, "pack:10")
    shop.buys(bob, "starter:month")
    extra = a_payment_that_nobody_told_of(shop, ada)
    missing = a_payment_that_stripe_does_not_know(shop, bob)
    with capture_logs() as logs:
        run = compared(shop)
    assert found(run) == [
        ("payment", "missing_here", extra, "alerted"),
        ("payment", "missing_there", missing, "alerted"),
    ]
    alerts = [line for line in logs if line["event"] == "alert.difference"]
    assert {line["object_id"] for line in alerts} == {extra, missing}
    query = text("SELECT facts->>'about' FROM mails WHERE template = 'needs_a_hand'")
    with shop.runtime.read_only() as session:
        assert set(session.scalars(query)) == {extra, missing}
    first = {one.object_id: one for one in run.differences}
    assert first[extra].user_id == ada.id
    assert first[extra].theirs == "700 usd succeeded"
    shop.clock.advance(days=1)
    with capture_logs() as logs:
        again = compared(shop)
    assert [line for line in logs if line["event"] == "alert.difference"] == []
    assert {one.object_id: one.since for one in again.differences} == {
        one.object_id: one.since for one in run.differences
    }


def a_payment_that_nobody_told_of(shop: Shop, person: Person) -> str:
    """Money taken at Stripe by another hand."""
    client = shop.sandbox.client(shop.key)
    made = client.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "customer": stripe_customer(shop, person),
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert made.status == "succeeded"
    return made.id


def a_payment_that_stripe_does_not_know(shop: Shop, person: Person) -> str:
    """A payment on record that never was."""
    at = shop.clock.now - timedelta(hours=2)
    payment = payments.Payment(
        id="cs_test_invented",
        user_id=person.id,
        kind="pack",
        item="pack:10",
        description="10 videos",
        amount=Money(990, "usd"),
        tax_minor=0,
        status="paid",
        created_at=at,
        payment_intent_id="pi_invented",
        paid_at=at,
    )
    with shop.runtime.transaction() as session:
        payments.record(session, payment, looked_at=at)
    return payment.id


def stripe_customer(shop: Shop, person: Person) -> str:
    """The person's customer at Stripe."""
    query = text("SELECT stripe_customer_id FROM customers WHERE user_id = :id")
    with shop.runtime.read_only() as session:
        return str(session.scalar(query, {"id": person.id}))


def test_what_no_event_told_of_is_healed_and_the_next_run_finds_nothing(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    shop.pays(ada, "pack:10")
    shop.pays(bob, "starter:month")
    run = compared(shop, heal=True)
    assert [(kind, what, state) for kind, what, _, state in found(run)] == [
        ("invoice", "missing_here", "healed"),
        ("payment", "missing_here", "healed"),
        ("subscription", "missing_here", "healed"),
    ]
    assert run.healed == 3
    assert (shop.balance(ada), shop.balance(bob)) == (13, 33)
    assert found(compared(shop, heal=True)) == []
    shop.deliver(shop.new_events())
    assert (shop.balance(ada), shop.balance(bob)) == (13, 33)
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_without_heal_it_is_only_said_and_what_is_gone_is_closed_later(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    told = shop.new_events()
    run = compared(shop)
    (one,) = run.differences
    assert (one.state, one.heals, one.since) == ("open", True, shop.clock.now)
    assert shop.balance(ada) == 3
    shop.deliver(told)
    assert found(compared(shop)) == []
    query = text("SELECT state, closed_at IS NULL FROM differences")
    with shop.runtime.read_only() as session:
        assert [tuple(row) for row in session.execute(query)] == [("healed", False)]


@pytest.mark.parametrize(
    ("statement", "kind", "what", "state"),
    [
        ("UPDATE subscriptions SET status = 'past_due'", "subscription", "status", "healed"),
        (
            "UPDATE subscriptions SET cancel_at_period_end = true",
            *("subscription", "status"),
            "healed",
        ),
        ("UPDATE subscriptions SET status = 'canceled'", "subscription", "status", "alerted"),
        (
            "UPDATE subscriptions SET period_end = period_end + interval '1 day'",
            *("subscription", "period", "healed"),
        ),
        ("UPDATE subscriptions SET item = 'pro:month'", "subscription", "item", "healed"),
        ("UPDATE payments SET status = 'open'", "invoice", "status", "healed"),
        ("UPDATE payments SET amount_minor = 5", "invoice", "amount", "healed"),
    ],
)
def test_what_is_written_otherwise_than_at_stripe_has_a_class_and_is_put_right_where_it_is_safe(
    shop: Shop, statement: str, kind: str, what: str, state: str
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    before = shop.payments.account(ada.id)
    change(shop, statement)
    run = compared(shop, heal=True)
    assert [(one.kind, one.class_, one.state) for one in run.differences] == [(kind, what, state)]
    if state == "healed":
        assert shop.payments.account(ada.id) == before


def test_the_owner_of_a_plan_is_never_changed_by_itself(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    shop.buys(ada, "starter:month")
    shop.buys(bob, "pack:10")
    change(shop, "UPDATE subscriptions SET user_id = :id", id=bob.id)
    run = compared(shop, heal=True)
    assert [(one.kind, one.class_, one.state) for one in run.differences] == [
        ("subscription", "owner", "alerted")
    ]


def test_a_paid_invoice_whose_credits_are_missing_is_found_and_brings_them(shop: Shop) -> None:
    ada = shop.a_person()
    for item in ("starter:month", "pack:10"):
        shop.pays(ada, item)
    for event in shop.new_events():
        if event["type"] in {"invoice.paid", "checkout.session.completed"}:
            records_without_granting(shop, ada, event["data"]["object"])
    run = compared(shop)
    found_ = {(kind, what) for kind, what, *_ in found(run)}
    assert {("invoice", "grant_missing"), ("payment", "grant_missing")} <= found_
    assert shop.balance(ada) == 3
    compared(shop, heal=True)
    assert shop.balance(ada) == 43
    assert found(compared(shop)) == []


def records_without_granting(shop: Shop, person: Person, paid: dict[str, Any]) -> None:
    """The payment is on record, and the crash came before its credits."""
    plan = paid["object"] == "invoice"
    if not plan and paid["mode"] == "subscription":
        return
    at = shop.clock.now - timedelta(hours=2)
    payment = payments.Payment(
        id=paid["id"],
        user_id=person.id,
        kind="plan" if plan else "pack",
        item="starter:month" if plan else "pack:10",
        description="",
        amount=Money(paid["total"] if plan else paid["amount_total"], paid["currency"]),
        tax_minor=0,
        status="paid",
        created_at=at,
        paid_at=at,
    )
    with shop.runtime.transaction() as session:
        payments.record(session, payment, looked_at=at)


def test_credits_of_a_payment_that_was_not_paid_are_an_alert(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    client = shop.sandbox.client(shop.key)
    customer = stripe_customer(shop, ada)
    client.v1.invoice_items.create({"customer": customer, "amount": 900, "currency": "usd"})
    draft = client.v1.invoices.create({"customer": customer})
    with shop.runtime.transaction() as session:
        lot = ledger.NewLot(
            key="forged", user_id=ada.id, source="plan", credits=9, reference=str(draft.id)
        )
        ledger.grant(session, lot, now=shop.clock.now)
    run = compared(shop, heal=True)
    assert found(run) == [("invoice", "grant_extra", draft.id, "alerted")]


def test_a_customer_that_we_forgot_to_write_down_is_attached(shop: Shop) -> None:
    ada = shop.a_person()
    made = shop.runtime.gateway.ensure_customer(user_id=ada.id, email=ada.email)
    run = compared(shop, heal=True)
    assert found(run) == [("customer", "missing_here", made, "healed")]
    assert stripe_customer(shop, ada) == made


def test_a_customer_that_is_gone_at_stripe_is_an_alert(shop: Shop) -> None:
    ada = shop.a_person()
    shop.opens(ada, "pack:10")
    customer = stripe_customer(shop, ada)
    shop.sandbox.client(shop.key).v1.customers.delete(customer)
    shop.clock.advance(hours=1)
    assert found(compared(shop, heal=True)) == [("customer", "missing_there", customer, "alerted")]


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    change(
        shop,
        "INSERT INTO comparisons (id, at, since, until, kind, looked, differences, healed)"
        " VALUES (gen_random_uuid(), :now, CAST(:now AS timestamptz) - interval '35 days',"
        " CAST(:now AS timestamptz) - interval '10 minutes', 'payment', 0, 0, 0)",
        now=shop.clock.now,
    )
    with shop.runtime.read_only() as session:
        begun = str(session.scalar(text("SELECT id FROM comparisons")))
    run = compared(shop)
    assert run.id == begun
    # Customers, listed before, were not read again: ours seems to be missing, and is looked for.
    assert [(one.kind, one.class_) for one in run.differences] == [("payment", "missing_here")]
    assert compared(shop).id != begun


def test_a_long_list_is_read_page_by_page(shop: Shop) -> None:
    client = shop.sandbox.client(shop.key)
    for _ in range(101):
        client.v1.customers.create({})
    ada = shop.a_person()
    paid = of_type(shop.buys(ada, "pack:10"), "checkout.session.completed")
    assert paid
    run = compared(shop)
    assert found(run) == []
    assert run.looked > 101
    with shop.runtime.read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM seen_objects")) == 0


@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_money_that_went_back_unheard_of_is_found_and_its_credits_follow(
    shop: Shop, kind: str
) -> None:
    ada = shop.a_person()
    card = "4000000000000259" if kind == "dispute" else VISA
    assert shop.pays(ada, "pack:10", card=card).status == 303
    shop.deliver(of_type(shop.new_events(), "checkout.session.completed"))
    before = shop.balance(ada)
    client = shop.sandbox.client(shop.key)
    if kind == "refund":
        intent = client.v1.payment_intents.list({"limit": 1}).data[0].id
        client.v1.refunds.create({"payment_intent": intent})
    run = compared(shop, heal=True)
    assert [(one.kind, one.class_, one.state) for one in run.differences] == [
        (kind, "missing_here", "healed")
    ]
    assert shop.balance(ada) == before - 10
    assert found(compared(shop)) == []
