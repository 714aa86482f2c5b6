"""Events about others' customers on the same Stripe account, and of kinds that we do not handle."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stripe
from stripe.params import WebhookEndpointCreateParams

from talkingphoto.billing import catalog
from talkingphoto.events.table import HANDLERS
from tests.support.sandbox import Event
from tests.support.shop import Person, Shop, rows
from tests.support.webhooks import made_up_event, results

MONTHLY = {"interval": "month"}
TOUCHED = ("payments", "subscriptions", "failed_attempts", "ledger_transactions", "drips", "mails")


def kinds_of_event() -> list[str]:
    """Every type of event that Stripe's SDK knows, but the star for all."""
    listed = WebhookEndpointCreateParams.__annotations__["enabled_events"]
    return re.findall(r"['\"]([a-z0-9_.]+)['\"]", str(listed))


def told(shop: Shop, before: set[str]) -> list[Event]:
    """Every event since then, also of types that we do not ask for."""
    return [event for event in shop.sandbox.events(shop.key) if event["id"] not in before]


def seen(shop: Shop) -> set[str]:
    """The ids of the events so far."""
    return {event["id"] for event in shop.sandbox.events(shop.key)}


def foreign_price(client: stripe.StripeClient, **recurring: Any) -> str:
    """A price of something that we do not sell."""
    product = client.v1.products.create({"name": "Somebody else's"})
    price: Any = {"product": product.id, "currency": "usd", "unit_amount": 700, **recurring}
    return client.v1.prices.create(price).id


def buys_at_stripe(shop: Shop, *prices: str, mode: str, **more: Any) -> str:
    """A checkout that another program opened was paid; its id."""
    params: Any = {
        "mode": mode,
        "line_items": [{"price": price, "quantity": 1} for price in prices],
        "success_url": "http://localhost/elsewhere",
        **more,
    }
    session = shop.sandbox.client(shop.key).v1.checkout.sessions.create(params)
    assert shop.sandbox.pay(str(session.url)).status == 303
    return session.id


def stripe_customer(shop: Shop, person: Person) -> str:
    """Who the person is at Stripe once they have opened a checkout."""
    shop.opens(person, "pack:10")
    client = shop.sandbox.client(shop.key)
    return client.v1.customers.list({"email": person.email}).data[0].id


def test_what_other_customers_do_is_ignored_and_never_a_dead_letter(shop: Shop) -> None:
    client = shop.sandbox.client(shop.key)
    before, was = seen(shop), rows(shop)
    intents = client.v1.payment_intents
    card = {"payment_method": "pm_card_visa", "confirm": True}
    guest: Any = {"amount": 500, "currency": "usd", **card}
    paid = intents.create(guest)
    client.v1.refunds.create({"payment_intent": paid.id})
    declined: Any = {**guest, "payment_method": "pm_card_chargeDeclined"}
    with pytest.raises(stripe.CardError):
        intents.create(declined)
    once, monthly = foreign_price(client), foreign_price(client, recurring=MONTHLY)
    buys_at_stripe(shop, once, mode="payment")
    buys_at_stripe(shop, monthly, mode="subscription")
    subscription = client.v1.subscriptions.list({"limit": 1}).data[0]
    client.v1.subscriptions.update(subscription.id, {"metadata": {"changed": "yes"}})
    client.v1.customers.delete(str(subscription.customer))
    events = told(shop, before)
    assert len({event["type"] for event in events} & set(HANDLERS)) >= 9
    shop.deliver(events)
    assert results(shop, events) == {"ignored"}
    now = rows(shop)
    assert {table: now[table] - was[table] for table in TOUCHED} == dict.fromkeys(TOUCHED, 0)


ABOUT_CARDS = ("customer.updated", "payment_method.attached", "payment_method.detached")


@pytest.mark.parametrize("whose", ["nobody's", "a stranger's", "ours"])
def test_every_type_that_stripe_knows_is_taken_and_ends_well(shop: Shop, whose: str) -> None:
    customer = {
        "nobody's": None,
        "a stranger's": "cus_of_somebody_else",
        "ours": stripe_customer(shop, shop.a_person()),
    }[whose]
    kinds = kinds_of_event()
    assert set(HANDLERS) < set(kinds)
    # Ours are looked for, and are gone at Stripe; but whose cards they are about is still there.
    events = {
        kind: made_up_event(kind, {"id": "obj_gone", "object": "thing", "customer": customer})
        for kind in kinds
    }
    shop.deliver(events.values())
    of_cards = [events.pop(kind) for kind in ABOUT_CARDS]
    assert results(shop, list(events.values())) == {"ignored"}
    assert results(shop, of_cards) == {"done" if whose == "ours" else "ignored"}


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("balance.available", {"object": "balance", "available": []}),
        ("coupon.created", {"object": "coupon", "id": "SOMMER-ÉTÉ-25"}),
        ("product.created", {"object": "product", "id": "p" * 300}),
        ("invoice.upcoming", {"object": "invoice", "customer": "cus_x", "lines": {"data": []}}),
        ("customer.deleted", {"object": "customer", "id": "cus_x", "deleted": True}),
        ("customer.discount.created", {"object": "discount", "id": "di_1", "customer": None}),
        ("invoice.paid", {"object": "invoice", "id": "in_é", "customer": "cus_x"}),
        ("charge.refunded", {"object": "charge", "id": "ch_1", "customer": {"id": "cus_x"}}),
    ],
)
def test_objects_without_an_id_or_with_an_odd_one_are_taken(
    shop: Shop, kind: str, subject: dict[str, Any]
) -> None:
    event = made_up_event(kind, subject)
    shop.deliver([event])
    assert results(shop, [event]) == {"ignored"}


def test_a_plan_of_ours_beside_another_price_is_the_plan(shop: Shop) -> None:
    ada = shop.a_person()
    customer = stripe_customer(shop, ada)
    client = shop.sandbox.client(shop.key)
    other = foreign_price(client, recurring=MONTHLY)
    with shop.runtime.read_only() as session:
        ours = catalog.current_price_id(session, item_key="pro:month")
    before = seen(shop)
    buys_at_stripe(shop, other, ours, mode="subscription", customer=customer)
    events = told(shop, before)
    shop.deliver(events)
    assert results(shop, events) == {"done", "ignored"}
    plan = shop.payments.account(ada.id).plan
    assert plan is not None
    assert plan.item == "pro:month"
    assert shop.balance(ada) == 3 + 100


def test_a_subscription_of_our_customer_to_something_else_is_no_plan(shop: Shop) -> None:
    ada = shop.a_person()
    customer = stripe_customer(shop, ada)
    other = foreign_price(shop.sandbox.client(shop.key), recurring=MONTHLY)
    before = seen(shop)
    buys_at_stripe(shop, other, mode="subscription", customer=customer)
    events = told(shop, before)
    shop.deliver(events)
    assert results(shop, events) == {"done", "ignored"}
    account = shop.payments.account(ada.id)
    assert account.plan is None
    assert account.credits.available == 3
    assert [(row.description, row.status) for row in account.invoices] == [("Invoice", "paid")]


def test_a_customer_of_ours_who_is_deleted_at_stripe_loses_the_plan_and_no_credits(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    before = seen(shop)
    shop.sandbox.client(shop.key).v1.customers.delete(stripe_customer(shop, ada))
    events = told(shop, before)
    shop.deliver(events)
    assert results(shop, events) == {"done", "ignored"}
    assert shop.payments.account(ada.id).plan is None
    assert shop.balance(ada) == 33
