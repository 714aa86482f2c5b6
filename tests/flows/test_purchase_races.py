"""Two purchases that meet, and news of one purchase in an unusual order."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.payment_service import PaymentService
from talkingphoto.billing import catalog
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.proxy import Proxy
from tests.support.sandbox import Event, of_type, sign
from tests.support.shop import Person, Shop


def test_a_plan_paid_in_another_tab_is_found_before_a_second_one_is_sold(shop: Shop) -> None:
    ada = shop.a_person()
    first = shop.opens(ada, "starter:month")
    assert shop.sandbox.pay(first).status == 303
    with pytest.raises(errors.Conflict) as refusal:
        shop.opens(ada, "pro:month")
    assert refusal.value.code == "billing.already_subscribed"
    assert subscriptions(shop, ada) == 1
    assert shop.balance(ada) == 33


def test_of_two_plans_chosen_in_the_same_moment_one_can_be_paid(shop: Shop) -> None:
    ada = shop.a_person()
    shop.opens(ada, "pack:10")
    urls: list[str] = []
    with Proxy(shop.sandbox.base, hold_after="/v1/checkout/sessions") as held:
        slow = payments_through(shop, held)
        thread = threading.Thread(
            target=lambda: urls.append(
                slow.start_checkout(
                    user_id=ada.id, item="starter:month", request_id=str(uuid.uuid4())
                )
            )
        )
        thread.start()
        assert held.held.wait(10)
        urls.append(shop.opens(ada, "pro:month"))
        held.released.set()
        thread.join(20)
    assert len(urls) == 2
    assert sorted(shop.sandbox.pay(url).status == 303 for url in urls) == [False, True]
    assert subscriptions(shop, ada) == 1


def test_two_purchases_that_are_written_at_once_do_not_block_each_other(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "starter:month")
    event = of_type(shop.new_events(), "invoice.paid")[0]
    shop.webhooks.receive(*sign(event, shop.secret))
    session_id = str(shop.pays(ada, "pack:10").location).rpartition("=")[2]
    faults: list[Exception] = []

    def tried(verb: Callable[[], object]) -> None:
        try:
            verb()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test shows it
            faults.append(fault)

    verbs = (
        lambda: shop.webhooks.process(event["id"]),
        lambda: shop.payments.confirm_return(user_id=ada.id, session_id=session_id),
    )
    threads = [threading.Thread(target=tried, args=(verb,)) for verb in verbs]
    with shop.runtime.transaction() as session:
        # Keeps both from having the customer alone until both have come that far.
        lock = text("SELECT FROM customers WHERE user_id = :id FOR KEY SHARE")
        session.execute(lock, {"id": ada.id})
        for thread in threads:
            thread.start()
        time.sleep(2)
    for thread in threads:
        thread.join(20)
    assert faults == []
    assert shop.balance(ada) == 43


def test_a_refund_that_is_told_before_its_payment_is_shown_all_the_same(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:50")
    client = shop.sandbox.client(shop.key)
    intent = client.v1.payment_intents.list({"limit": 1}).data[0]
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    shop.deliver(reversed(shop.new_events()))
    assert [row.status for row in shop.payments.account(ada.id).invoices] == ["partly_refunded"]
    # Ten dollars of 44.50 paid for eleven of the fifty.
    assert shop.balance(ada) == 42


def test_a_refund_of_a_payment_on_record_does_not_ask_what_its_price_sells_today(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    client = shop.sandbox.client(shop.key)
    intent = client.v1.payment_intents.list({"limit": 1}).data[0]
    with shop.runtime.transaction() as session:
        sold_at = catalog.current_price_id(session, item_key="starter:month")
        catalog.record_price(
            session,
            item_key="pro:month",
            price_id=sold_at,
            product_id="prod_pro",
            looked_at=shop.runtime.wall_clock(),
        )
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    shop.deliver(of_type(shop.new_events(), "charge.refunded"))
    assert [row.status for row in shop.payments.account(ada.id).invoices] == ["partly_refunded"]
    assert shop.balance(ada) == 18


def test_a_delayed_payment_that_failed_is_over_unless_it_is_paid(shop: Shop) -> None:
    ada = shop.a_person()
    url = shop.opens(ada, "pack:10")
    client = shop.sandbox.client(shop.key)
    session_id = client.v1.checkout.sessions.list({"limit": 1}).data[0].id
    for kind in ("async_payment_failed", "completed"):
        shop.deliver([told(shop, ada, f"checkout.session.{kind}", session_id)])
        found = shop.payments.confirm_return(user_id=ada.id, session_id=session_id)
        assert found.state == "failed", kind
    assert shop.sandbox.pay(url).status == 303
    shop.deliver(shop.new_events())
    assert shop.payments.confirm_return(user_id=ada.id, session_id=session_id).state == "paid"
    assert shop.balance(ada) == 13


@pytest.mark.parametrize("odd", ["", "\0", "cs_\0", "cs_é", "cs_\ud800", "cs_" + "x" * 9000])
def test_an_id_that_no_checkout_can_have_is_not_found(shop: Shop, odd: str) -> None:
    ada = shop.a_person()
    with pytest.raises(errors.NotFound):
        shop.payments.confirm_return(user_id=ada.id, session_id=odd)


def subscriptions(shop: Shop, person: Person) -> int:
    """How many plans the person pays for at Stripe."""
    client = shop.sandbox.client(shop.key)
    customer = client.v1.customers.list({"email": person.email}).data[0].id
    return len(client.v1.subscriptions.list({"customer": customer}).data)


def payments_through(shop: Shop, proxy: Proxy) -> PaymentService:
    """The payment service reaching Stripe by another way."""
    settings = shop.runtime.settings.model_copy(update={"stripe_api_base": proxy.base})
    return PaymentService(Runtime(settings, clock=shop.clock))


def told(shop: Shop, person: Person, kind: str, session_id: str) -> Event:
    """An event about a checkout that the sandbox never sent."""
    client = shop.sandbox.client(shop.key)
    customer = client.v1.customers.list({"email": person.email}).data[0].id
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": kind,
        "data": {"object": {"id": session_id, "object": "checkout.session", "customer": customer}},
    }
