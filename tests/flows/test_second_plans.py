"""A second plan that was paid all the same: the newer one ends, and its payment goes back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from structlog.testing import capture_logs

from talkingphoto.billing import catalog, ledger
from tests.support.clocked import Clocked
from tests.support.jobs import run_due_jobs
from tests.support.shop import Shop

FREE = 3


def a_second_plan(ada: Clocked, item: str) -> str:
    """Another plan of the same customer, made and paid at Stripe."""
    with ada.shop.runtime.read_only() as session:
        price = catalog.current_price_id(session, item_key=item)
    order: Any = {"customer": ada.customer, "items": [{"price": price}]}
    return str(ada.client.v1.subscriptions.create(order).id)


def refunded(ada: Clocked) -> list[int]:
    found = ada.client.v1.charges.list({"customer": ada.customer}).data
    return [one.amount_refunded for one in found]


def test_the_newer_of_two_plans_is_ended_and_paid_back_and_brings_nothing(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    ada.lives(seconds=90)
    second = a_second_plan(ada, "pro:month")
    ada.hears()
    assert shop.balance(ada.person) == FREE + 30
    with capture_logs() as logs:
        run_due_jobs(shop)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "alert.duplicate_plan"
    ]
    assert ada.client.v1.subscriptions.retrieve(second).status == "canceled"
    assert refunded(ada) == [4999, 0]
    ada.hears()
    shop.changes.give_back_duplicate(second)
    assert shop.changes.sweep() == 0
    account = shop.payments.account(ada.person.id)
    assert account.plan is not None and account.plan.item == "starter:month"
    assert account.credits.available == FREE + 30
    assert sorted(row.status for row in account.invoices) == ["paid", "refunded"]
    with shop.runtime.read_only() as session:
        told = session.scalars(text("SELECT template FROM mails WHERE template ~ 'refund|return'"))
        assert list(told) == ["payment_returned"]


def test_what_the_newer_plan_brought_before_the_older_one_was_known_is_taken_back(
    shop: Shop,
) -> None:
    ada = Clocked(shop, "starter:month", hears=False)
    ada.lives(seconds=90)
    first = shop.new_events()
    a_second_plan(ada, "pro:month")
    ada.hears()
    assert shop.balance(ada.person) == FREE + 100
    shop.deliver([e for e in first if e["data"]["object"].get("customer") == ada.customer])
    assert shop.changes.sweep() == 1
    ada.hears()
    assert refunded(ada) == [4999, 0]
    assert shop.balance(ada.person) == FREE + 30
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_a_plan_bought_after_the_older_one_had_ended_unheard_is_no_second_one(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    ada.lives(seconds=90)
    ada.client.v1.subscriptions.cancel(ada.plan)
    a_second_plan(ada, "pro:month")
    news = [e for e in shop.new_events() if e["type"] != "customer.subscription.deleted"]
    shop.deliver([e for e in news if e["data"]["object"].get("customer") == ada.customer])
    assert shop.balance(ada.person) == FREE + 30
    assert shop.changes.sweep() == 1
    assert shop.balance(ada.person) == FREE + 130
    assert refunded(ada) == [0, 0]


def test_a_second_plan_whose_payment_is_disputed_is_not_said_to_be_paid_back(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    ada.lives(seconds=90)
    ada.uses("pm_card_createDispute")
    second = a_second_plan(ada, "pro:month")
    ada.hears()
    with capture_logs() as logs:
        shop.changes.give_back_duplicate(second)
    said = {line["event"] for line in logs if line["log_level"] == "error"}
    assert said == {"alert.duplicate_plan", "alert.payment_not_returned"}
    assert refunded(ada) == [0, 0]
    with shop.runtime.read_only() as session:
        told = set(session.scalars(text("SELECT template FROM mails")))
    assert "payment_returned" not in told
    assert "needs_a_hand" in told
