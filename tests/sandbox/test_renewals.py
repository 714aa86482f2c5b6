"""Renewals on the sandbox clock, and the calendar they follow."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from stripe_sandbox import months
from tests.sandbox.running import Shop

_MONTH = 32 * 24 * 3600


def _subscribed(shop: Shop) -> tuple[str, str]:
    """A paying customer's id and subscription."""
    customer = shop.customer()
    session = shop.checkout(customer=customer)
    shop.pay(session)
    return customer, str(shop.reread(session).subscription)


def _invoices(shop: Shop, subscription: str) -> list[Any]:
    return list(shop.client.v1.invoices.list(params={"subscription": subscription}).data)


def test_a_subscription_renews_each_month_and_is_charged(timed_shop: Shop) -> None:
    shop = timed_shop
    _, subscription = _subscribed(shop)
    before = shop.client.v1.subscriptions.retrieve(subscription)["items"].data[0]
    shop.sandbox.advance(_MONTH)
    after = shop.client.v1.subscriptions.retrieve(subscription)
    item = after["items"].data[0]
    assert after.status == "active"
    assert item.current_period_start == before.current_period_end
    newest = _invoices(shop, subscription)[0]
    assert (newest.billing_reason, newest.status) == ("subscription_cycle", "paid")
    assert newest.lines.data[0].period.start == before.current_period_end
    assert newest.created == before.current_period_end
    shop.sandbox.advance(11 * _MONTH)
    everything = shop.client.v1.invoices.list(params={"subscription": subscription, "limit": 100})
    assert len({invoice.number for invoice in everything.data}) == len(everything.data) >= 12


def test_a_renewal_emits_what_stripe_emits(timed_shop: Shop) -> None:
    shop = timed_shop
    customer, subscription = _subscribed(shop)
    shop.sandbox.advance(_MONTH)
    newest = _invoices(shop, subscription)[0]
    about = shop.events_about(customer, newest.id)
    assert about[-10:] == [
        "invoice.upcoming",
        "invoice.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_a_card_that_fails_later_makes_the_subscription_past_due(timed_shop: Shop) -> None:
    shop = timed_shop
    customer, subscription = _subscribed(shop)
    v1 = shop.client.v1
    failing = v1.payment_methods.attach("pm_card_chargeCustomerFail", params={"customer": customer})
    v1.subscriptions.update(subscription, params={"default_payment_method": failing.id})
    shop.sandbox.advance(_MONTH)
    assert v1.subscriptions.retrieve(subscription).status == "past_due"
    newest = _invoices(shop, subscription)[0]
    assert (newest.status, newest.attempt_count, newest.amount_remaining) == ("open", 1, 1999)
    about = shop.events_about(customer, newest.id)
    assert "invoice.payment_failed" in about
    assert "charge.failed" in about
    working = v1.payment_methods.attach("pm_card_visa", params={"customer": customer})
    v1.subscriptions.update(subscription, params={"default_payment_method": working.id})
    shop.sandbox.advance(_MONTH)
    assert v1.subscriptions.retrieve(subscription).status == "active"


def test_a_card_approved_once_renews_without_its_owner_and_the_other_does_not(
    timed_shop: Shop,
) -> None:
    shop = timed_shop
    found = {}
    for card in ("4000002500003155", "4000000000003220"):
        session = shop.checkout(customer=shop.customer())
        bank = shop.pay(session, card).headers["Location"]
        requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=5)
        found[card] = shop.reread(session).subscription
    shop.sandbox.advance(_MONTH)
    statuses = [shop.client.v1.subscriptions.retrieve(s).status for s in found.values()]
    assert statuses == ["active", "past_due"]
    types = [e.type for e in shop.client.v1.events.list(params={"limit": 50}).data]
    assert "invoice.payment_action_required" in types


def test_a_subscription_to_be_canceled_ends_with_its_period(timed_shop: Shop) -> None:
    shop = timed_shop
    _, subscription = _subscribed(shop)
    _, kept = _subscribed(shop)
    v1 = shop.client.v1
    leaving = v1.subscriptions.update(subscription, params={"cancel_at_period_end": True})
    assert leaving.cancel_at == leaving["items"].data[0].current_period_end
    v1.subscriptions.update(kept, params={"cancel_at_period_end": True})
    v1.subscriptions.update(kept, params={"cancel_at_period_end": False})
    shop.sandbox.advance(_MONTH)
    ended = v1.subscriptions.retrieve(subscription)
    assert (ended.status, ended.ended_at) == ("canceled", leaving.cancel_at)
    assert len(_invoices(shop, subscription)) == 1
    assert "customer.subscription.deleted" in shop.events_about(subscription)
    assert v1.subscriptions.retrieve(kept).status == "active"


def test_an_unpaid_session_expires_on_the_clock(timed_shop: Shop) -> None:
    shop = timed_shop
    session = shop.checkout_pack()
    shop.sandbox.advance(24 * 3600 - 60)
    assert shop.reread(session).status == "open"
    shop.sandbox.advance(120)
    assert shop.reread(session).status == "expired"


def test_the_clock_moves_forward_only_and_by_whole_seconds(timed_shop: Shop) -> None:
    address = f"{timed_shop.sandbox.base}/_sandbox/clock"
    now = requests.get(address, timeout=5).json()["now"]
    assert requests.post(address, {"to": now + 500}, timeout=5).json()["now"] == now + 500
    for wrong in ({"to": now}, {"advance_seconds": "-1"}, {"advance_seconds": "x"}, {}):
        assert requests.post(address, wrong, timeout=5).status_code == 400
    both = {"to": now + 900, "advance_seconds": 1}
    assert requests.post(address, both, timeout=5).status_code == 400


def test_a_year_of_renewals_for_many_is_a_matter_of_seconds(timed_shop: Shop) -> None:
    shop = timed_shop
    subscriptions = [_subscribed(shop)[1] for _ in range(5)]
    shop.sandbox.advance(366 * 24 * 3600)
    for subscription in subscriptions:
        listed = shop.client.v1.invoices.list(params={"subscription": subscription, "limit": 100})
        assert [invoice.status for invoice in listed.data] == ["paid"] * 13


@pytest.mark.parametrize(
    ("start", "interval", "count", "end"),
    [
        ("2026-01-31", "month", 1, "2026-02-28"),
        ("2026-01-31", "month", 2, "2026-03-31"),
        ("2026-01-31", "month", 3, "2026-04-30"),
        ("2028-01-31", "month", 1, "2028-02-29"),
        ("2028-02-29", "year", 1, "2029-02-28"),
        ("2028-02-29", "year", 4, "2032-02-29"),
        ("2026-12-15", "month", 1, "2027-01-15"),
        ("2026-03-29", "week", 2, "2026-04-12"),
        ("2026-02-28", "day", 1, "2026-03-01"),
    ],
)
def test_a_period_keeps_the_day_it_began_on(
    start: str, interval: str, count: int, end: str
) -> None:
    def at(day: str) -> int:
        return int(datetime.fromisoformat(f"{day}T13:45:07").replace(tzinfo=UTC).timestamp())

    assert months.after(at(start), interval, count) == at(end)


def test_a_clock_that_stands_still_moves_only_by_hand(timed_shop: Shop) -> None:
    address = f"{timed_shop.sandbox.base}/_sandbox/clock"

    def told(**form: object) -> int:
        return int(requests.post(address, form, timeout=5).json()["now"])

    stood = told(stand="still")
    try:
        assert told(to=stood + 1000) == stood + 1000
        time.sleep(1.1)
        assert requests.get(address, timeout=5).json()["now"] == stood + 1000
        customer = timed_shop.client.v1.customers.create()
        assert customer.created == stood + 1000
    finally:
        assert told(stand="no", advance_seconds=5) == stood + 1005
    time.sleep(1.1)
    assert requests.get(address, timeout=5).json()["now"] > stood + 1005
