"""An account that is over: nothing runs for it, and what is paid for it later goes back."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from services.auth_service import AuthService
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.sandbox import free_port, of_type
from tests.support.shop import PASSWORD, Person, Shop


def money(shop: Shop, person: Person) -> list[tuple[str, int, int]]:
    """The person's payments: how each stands, what was paid and what went back."""
    shop.deliver(shop.new_events())  # of what went back Stripe tells
    query = text(
        "SELECT status, amount_minor, refunded_minor FROM payments WHERE user_id = :id ORDER BY id"
    )
    with shop.runtime.read_only() as session:
        return [tuple(row) for row in session.execute(query, {"id": person.id})]


def lots(shop: Shop, person: Person) -> int:
    """How many lots of bought credits the person was given."""
    query = text("SELECT count(*) FROM lots WHERE user_id = :id AND source IN ('plan', 'pack')")
    with shop.runtime.read_only() as session:
        return int(session.scalar(query, {"id": person.id}) or 0)


def newest(shop: Shop, resource: str) -> Any:
    """The newest object of a kind at Stripe."""
    asked = {"limit": 1} | ({"status": "all"} if resource == "subscriptions" else {})
    return getattr(shop.sandbox.client(shop.key).v1, resource).list(asked).data[0]


def refunded(shop: Shop) -> int:
    """What went back of the newest payment, by Stripe."""
    return int(newest(shop, "charges").amount_refunded)


def test_nobody_signs_in_to_a_deleted_account_and_its_plan_ends_at_once(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    shop.clock.advance(days=3)
    token = shop.sign_in(ada).partition("=")[2]
    shop.auth.delete_account(ada.id)
    shop.auth.delete_account(ada.id)
    assert shop.auth.current_user(token) is None
    with pytest.raises(errors.NotPermitted):
        shop.sign_in(ada)
    assert newest(shop, "subscriptions").status == "canceled"
    assert shop.payments.account(ada.id).plan is None
    assert money(shop, ada) == [("paid", 1999, 0)]


def test_the_address_is_free_again(shop: Shop) -> None:
    ada = shop.a_person()
    shop.auth.delete_account(ada.id)
    again = shop.auth.register(
        email=ada.email.upper(),
        password=PASSWORD,
        terms_accepted=True,
        ip="127.0.0.1",
        user_agent="test",
    )
    assert again.user.id != ada.id


def test_the_open_page_of_a_deleted_account_takes_no_money(shop: Shop) -> None:
    ada = shop.a_person()
    url = shop.opens(ada, "pack:10")
    shop.auth.delete_account(ada.id)
    assert shop.sandbox.pay(url).status != 303
    assert money(shop, ada) == []


@pytest.mark.parametrize(("item", "paid"), [("pack:10", 990), ("pro:month", 4999)])
def test_a_payment_that_arrives_after_the_deletion_goes_back_in_full_and_brings_nothing(
    shop: Shop, item: str, paid: int
) -> None:
    ada = shop.a_person()
    shop.pays(ada, item)
    forget_the_pages(shop)
    shop.auth.delete_account(ada.id)
    events = shop.new_events()
    with capture_logs() as logs:
        shop.deliver(events * 2)
        shop.reconciliation.run_due_work()
    assert "alert.payment_for_deleted_account" in {line["event"] for line in logs}
    assert money(shop, ada) == [("refunded", paid, paid)]
    assert refunded(shop) == paid
    assert lots(shop, ada) == 0
    shop.deliver(shop.new_events())
    shop.clock.advance(hours=1)
    shop.reconciliation.run_due_work()
    assert len(newest_refunds(shop)) == 1
    with shop.runtime.read_only() as session:
        templates = set(session.scalars(text("SELECT template FROM mails")))
    assert {"payment_returned", "needs_a_hand"} <= templates
    if item == "pro:month":
        assert newest(shop, "subscriptions").status == "canceled"


def forget_the_pages(shop: Shop) -> None:
    """We crashed before we wrote down which page we had opened."""
    with shop.runtime.transaction() as session:
        session.execute(text("UPDATE checkouts SET session_id = NULL"))


def newest_refunds(shop: Shop) -> list[Any]:
    """The refunds of the newest payment."""
    intent = newest(shop, "payment_intents").id
    client = shop.sandbox.client(shop.key)
    return list(client.v1.refunds.list({"payment_intent": intent}).data)


def test_a_deletion_and_the_webhook_of_the_same_instant_end_with_the_money_back(
    shop: Shop,
) -> None:
    for _ in range(3):
        ada = shop.a_person()
        shop.pays(ada, "pack:10")
        paid = of_type(shop.new_events(), "checkout.session.completed")
        begin = threading.Barrier(2)

        def told(paid: list[dict[str, Any]] = paid, begin: threading.Barrier = begin) -> None:
            begin.wait(10)
            shop.deliver(paid)

        webhook = threading.Thread(target=told)
        webhook.start()
        begin.wait(10)
        shop.auth.delete_account(ada.id)
        webhook.join(30)
        shop.clock.advance(hours=1)
        shop.reconciliation.run_due_work()
        assert money(shop, ada) == [("refunded", 990, 990)]
        assert refunded(shop) == 990


def test_what_was_used_before_the_deletion_does_not_go_back(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    with shop.runtime.transaction() as session:
        session.execute(
            text("ALTER TABLE lots DISABLE TRIGGER ALL"),
        )
        session.execute(text("UPDATE lots SET remaining = 9 WHERE source = 'pack'"))
    shop.auth.delete_account(ada.id)
    shop.reconciliation.run_due_work()
    assert money(shop, ada) == [("paid", 990, 0)]


def test_what_stripe_could_not_do_at_the_deletion_is_done_by_the_sweep(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    settings = shop.runtime.settings.model_copy(
        update={"stripe_api_base": f"http://127.0.0.1:{free_port()}"}
    )
    away = Runtime(settings, clock=shop.clock)
    AuthService(away).delete_account(ada.id)
    away.database.dispose()
    assert newest(shop, "subscriptions").status == "active"
    shop.clock.advance(seconds=timedelta(minutes=6).total_seconds())
    shop.reconciliation.run_due_work()
    assert newest(shop, "subscriptions").status == "canceled"


def test_a_renewal_that_raced_the_deletion_goes_back(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    shop.clock.advance(days=20)
    client = shop.sandbox.client(shop.key)
    plan = newest(shop, "subscriptions").id
    client.v1.subscriptions.update(
        plan, {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": "none"}
    )
    shop.auth.delete_account(ada.id)
    shop.deliver(shop.new_events())
    shop.reconciliation.run_due_work()
    assert sorted(money(shop, ada)) == [("paid", 1999, 0), ("refunded", 1999, 1999)]


def test_a_payment_that_another_hand_gave_back_is_no_second_refund(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    forget_the_pages(shop)
    shop.auth.delete_account(ada.id)
    shop.deliver(of_type(shop.new_events(), "checkout.session.completed"))
    client = shop.sandbox.client(shop.key)
    client.v1.refunds.create({"payment_intent": newest(shop, "payment_intents").id})
    shop.reconciliation.run_due_work()
    shop.deliver(shop.new_events())
    assert money(shop, ada) == [("refunded", 990, 990)]
    assert len(newest_refunds(shop)) == 1
