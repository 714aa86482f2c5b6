"""Test clocks: customers who live in a time of their own."""

from typing import Any

import pytest
import stripe

from tests.sandbox.plans import DAY
from tests.sandbox.running import Shop, eventually


def _clock(shop: Shop, at: int) -> str:
    return shop.client.v1.test_helpers.test_clocks.create(params={"frozen_time": at}).id


def _advance(shop: Shop, clock: str, to: int) -> None:
    clocks = shop.client.v1.test_helpers.test_clocks
    clocks.advance(clock, params={"frozen_time": to})
    eventually(lambda: clocks.retrieve(clock).status == "ready")
    assert clocks.retrieve(clock).frozen_time == to


def test_a_customer_on_a_clock_renews_on_its_time_and_nobody_else_does(shop: Shop) -> None:
    start = 1_700_000_000
    clock = _clock(shop, start)
    v1 = shop.client.v1
    customer = v1.customers.create(params={"email": "t@example.com", "test_clock": clock})
    assert (customer.test_clock, customer.created) == (clock, start)
    session: Any = shop.checkout(customer=customer.id)
    shop.pay(session)
    other: Any = shop.checkout(customer=shop.customer())
    shop.pay(other)
    subscription = str(shop.reread(session).subscription)
    assert v1.subscriptions.retrieve(subscription).start_date == start
    _advance(shop, clock, start + 70 * DAY)
    listed = v1.invoices.list(params={"subscription": subscription})
    assert [invoice.billing_reason for invoice in listed.data] == [
        "subscription_cycle",
        "subscription_cycle",
        "subscription_create",
    ]
    assert all(start <= invoice.created <= start + 70 * DAY for invoice in listed.data)
    untouched = v1.invoices.list(params={"subscription": str(shop.reread(other).subscription)})
    assert len(untouched.data) == 1


def test_a_clock_is_refused_a_way_back_and_a_leap_of_years(shop: Shop) -> None:
    clock = _clock(shop, 1_700_000_000)
    clocks = shop.client.v1.test_helpers.test_clocks
    for moment in (1_700_000_000, 1_600_000_000, 1_700_000_000 + 3 * 366 * DAY):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            clocks.advance(clock, params={"frozen_time": moment})
        assert refused.value.param == "frozen_time"


def test_a_deleted_clock_takes_its_customers_along(shop: Shop) -> None:
    clock = _clock(shop, 1_700_000_000)
    v1 = shop.client.v1
    customer = v1.customers.create(params={"test_clock": clock})
    v1.test_helpers.test_clocks.delete(clock)
    assert v1.customers.retrieve(customer.id).deleted is True
    assert clock not in [found.id for found in v1.test_helpers.test_clocks.list().data]
