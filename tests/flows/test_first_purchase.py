"""Somebody signs up and buys; credits are there, once."""

from __future__ import annotations

import itertools
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkingphoto.billing import ledger
from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import errors
from tests.support.sandbox import Event, of_type
from tests.support.shop import Person, Shop

PURCHASES = {
    "starter:month": 30,
    "starter:year": 30,
    "pro:month": 100,
    "pro:year": 100,
    "enterprise:month": 500,
    "enterprise:year": 500,
    "pack:10": 10,
    "pack:50": 50,
    "pack:200": 200,
}
FREE = 3


def test_a_new_person_has_three_free_videos(shop: Shop) -> None:
    ada = shop.a_person()
    account = shop.payments.account(ada.id)
    assert (account.credits.available, account.credits.free) == (FREE, FREE)
    assert account.plan is None
    assert [row.credits for row in account.statement] == [FREE]


@pytest.mark.parametrize(("item", "credits"), PURCHASES.items())
def test_what_was_paid_for_is_there(shop: Shop, item: str, credits: int) -> None:
    ada = shop.a_person()
    shop.buys(ada, item)
    account = shop.payments.account(ada.id)
    assert account.credits.available == FREE + credits
    assert account.statement[0].balance_after == FREE + credits
    assert [(row.status, row.total) for row in account.invoices] == [
        ("paid", shop.payments_price(item))
    ]
    expected_plan = None if item.startswith("pack") else item
    assert (account.plan.item if account.plan else None) == expected_plan


def test_starter_then_a_pack_make_eighty_three(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    assert shop.balance(ada) == 33
    shop.buys(ada, "pack:50")
    assert shop.balance(ada) == 83


def test_the_return_page_needs_no_webhook(shop: Shop) -> None:
    ada = shop.a_person()
    paid = shop.pays(ada, "starter:month")
    assert paid.location is not None
    session_id = paid.location.rpartition("=")[2]
    confirmed = shop.payments.confirm_return(user_id=ada.id, session_id=session_id)
    assert (confirmed.state, confirmed.title, confirmed.balance) == ("paid", "Starter", 33)
    shop.deliver(shop.new_events())
    again = shop.payments.confirm_return(user_id=ada.id, session_id=session_id)
    assert (again.state, again.balance) == ("paid", 33)


def test_somebody_elses_checkout_is_not_found(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    paid = shop.pays(ada, "pack:10")
    assert paid.location is not None
    session_id = paid.location.rpartition("=")[2]
    for user, asked in ((bob, session_id), (ada, "cs_test_unknown"), (ada, "../../v1/customers")):
        with pytest.raises(errors.NotFound):
            shop.payments.confirm_return(user_id=user.id, session_id=asked)
    assert shop.balance(bob) == FREE


def test_w11_one_payment_told_by_three_events_in_any_order_grants_once(shop: Shop) -> None:
    for order in itertools.permutations(range(3)):
        ada = shop.a_person()
        shop.pays(ada, "starter:month")
        told = of_type(
            shop.new_events(),
            "checkout.session.completed",
            "invoice.paid",
            "payment_intent.succeeded",
        )
        assert len(told) == 3
        shop.deliver([told[index] for index in order])
        assert shop.balance(ada) == 33, order


def test_w12_an_older_update_does_not_revive_what_ended(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    plan = shop.payments.account(ada.id).plan
    assert plan is not None
    client = shop.sandbox.client(shop.key)
    subscription = client.v1.subscriptions.list({"limit": 1}).data[0]
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    client.v1.subscriptions.cancel(subscription.id)
    events = shop.new_events()
    deleted = of_type(events, "customer.subscription.deleted")
    updated = of_type(events, "customer.subscription.updated")
    assert deleted and updated
    shop.deliver([*deleted, *updated])
    assert shop.payments.account(ada.id).plan is None


def test_w12_updated_before_created_ends_the_same(shop: Shop) -> None:
    snapshots = []
    for backwards in (False, True):
        ada = shop.a_person()
        shop.pays(ada, "pro:month")
        events = shop.new_events()
        shop.deliver(reversed(events) if backwards else events)
        snapshots.append(snapshot(shop, ada))
    assert snapshots[0] == snapshots[1]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    item=st.sampled_from(["starter:month", "pro:year", "pack:50"]),
    seed=st.integers(0, 2**32),
    copies=st.integers(1, 3),
)
def test_w14_any_order_and_number_of_deliveries_ends_the_same(
    shop: Shop, item: str, seed: int, copies: int
) -> None:
    ada = shop.a_person()
    paid = shop.pays(ada, item)
    assert paid.status == 303
    events = shop.new_events()
    storm: list[Event] = [event for event in events for _ in range(copies)]
    Random(seed).shuffle(storm)  # noqa: S311 - a test's order, not a secret
    shop.deliver(storm)
    assert snapshot(shop, ada) == expected_snapshot(item)
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_unused_plan_videos_roll_over_one_period_and_bought_ones_stay(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    shop.buys(ada, "pack:10")
    began = shop.runtime.clock()
    shop.clock.move_to(clocks.add_months(began, months=2) - timedelta(hours=1))
    shop.payments.run_due_work()
    assert shop.balance(ada) == FREE + 30 + 10
    shop.clock.move_to(clocks.add_months(began, months=2) + timedelta(hours=1))
    shop.payments.run_due_work()
    assert shop.balance(ada) == FREE + 10
    shop.clock.advance(days=3650)
    shop.payments.run_due_work()
    assert shop.balance(ada) == FREE + 10


def test_a_paid_year_drips_every_month_and_ends_after_twelve(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:year")
    began = shop.runtime.clock()
    granted = []
    for month in range(15):
        shop.clock.move_to(clocks.add_months(began, months=month) + timedelta(hours=1))
        shop.payments.run_due_work()
        shop.payments.run_due_work()
        granted.append(shop.balance(ada) - FREE)
    # Each month brings 30 that live for two, so two months' worth are there at most.
    assert granted == [30, *[60] * 11, 30, 0, 0]


def test_two_people_with_the_same_request_id_are_independent(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    request_id = shop.runtime.new_id()
    first = shop.opens(ada, "pack:10", request_id=request_id)
    assert shop.opens(ada, "pack:10", request_id=request_id) == first
    assert shop.opens(bob, "pack:10", request_id=request_id) != first
    with pytest.raises(errors.Conflict):
        shop.opens(ada, "pack:50", request_id=request_id)


def test_a_second_plan_is_refused_and_nothing_is_charged(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    with pytest.raises(errors.Conflict) as refusal:
        shop.opens(ada, "pro:month")
    assert refusal.value.code == "billing.already_subscribed"


def snapshot(shop: Shop, person: Person) -> tuple[object, ...]:
    """What the person sees, without ids and times."""
    account = shop.payments.account(person.id)
    return (
        account.plan and (account.plan.item, account.plan.status),
        account.credits.available,
        tuple((row.kind, row.credits, row.balance_after) for row in account.statement),
        tuple((row.status, row.total, row.description) for row in account.invoices),
        account.pending,
    )


def expected_snapshot(item: str) -> tuple[object, ...]:
    """The same for one purchase, from the price list."""
    credits = PURCHASES[item]
    plan = None if item.startswith("pack") else (item, "active")
    words = {
        "starter:month": "Starter, one month",
        "pro:year": "Pro, one year",
        "pack:50": "50 videos",
    }
    total = FREE + credits
    return (
        plan,
        total,
        (("grant", credits, total), ("grant", FREE, FREE)),
        (("paid", Shop.payments_price(item), words[item]),),
        False,
    )


def test_choosing_another_plan_closes_the_page_of_the_first(shop: Shop) -> None:
    ada = shop.a_person()
    first = shop.opens(ada, "starter:month")
    second = shop.opens(ada, "pro:month")
    assert shop.sandbox.pay(first).status != 303
    assert shop.sandbox.pay(second).status == 303
    shop.deliver(shop.new_events())
    assert shop.balance(ada) == FREE + 100


@pytest.mark.parametrize("ending", ["paid", "expired"])
def test_a_used_up_request_is_said_so_and_charges_nothing(shop: Shop, ending: str) -> None:
    ada = shop.a_person()
    request_id = shop.runtime.new_id()
    url = shop.opens(ada, "pack:10", request_id=request_id)
    client = shop.sandbox.client(shop.key)
    if ending == "paid":
        shop.sandbox.pay(url)
    else:
        client.v1.checkout.sessions.expire(client.v1.checkout.sessions.list().data[0].id)
    shop.deliver(shop.new_events())
    before = shop.balance(ada)
    with pytest.raises(errors.Conflict) as refusal:
        shop.opens(ada, "pack:10", request_id=request_id)
    assert (
        refusal.value.code
        == {
            "paid": "billing.already_paid",
            "expired": "billing.checkout_expired",
        }[ending]
    )
    assert shop.balance(ada) == before
