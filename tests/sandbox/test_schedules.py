"""Schedules: a change at the end of a period, phases, and how a schedule ends."""

from typing import Any

import pytest
import stripe

from tests.sandbox.plans import DAY, NEW_YEAR, Subscriber, price, subscriber
from tests.sandbox.running import Shop


def _scheduled(who: Subscriber, subscription: Any, next_price: str, **extra: Any) -> Any:
    """The subscription sells the next price from the end of its period on."""
    schedules = who.v1.subscription_schedules
    made = schedules.create(params={"from_subscription": subscription.id})
    now = made.phases[0]
    present = {
        "items": [{"price": item.price, "quantity": item.quantity} for item in now["items"]],
        "start_date": now.start_date,
        "end_date": now.end_date,
    }
    following = {"items": [{"price": next_price}], "duration": {"interval": "month"}}
    return schedules.update(made.id, params={"phases": [present, following], **extra})


def test_a_downgrade_waits_for_the_end_of_the_period_and_is_billed_by_the_renewal(
    shop: Shop,
) -> None:
    who = subscriber(shop)
    pro = price(shop, 4999)
    made = who.subscribe(pro)
    who.wait(days=10)
    schedule = _scheduled(who, made, shop.plan)
    assert who.reread(made).schedule == schedule.id
    assert who.reread(made)["items"].data[0].price.id == pro
    who.wait(days=21, hours=2)
    renewed = who.latest(made)
    assert (renewed.total, renewed.billing_reason, renewed.status) == (
        1999,
        "subscription_cycle",
        "paid",
    )
    assert who.reread(made)["items"].data[0].price.id == shop.plan
    who.wait(days=28, hours=2)
    ended = who.v1.subscription_schedules.retrieve(schedule.id)
    assert (ended.status, ended.released_subscription) == ("released", made.id)
    after = who.reread(made)
    assert (after.status, after.schedule) == ("active", None)
    assert who.latest(made).total == 1999


def test_yearly_to_monthly_at_the_end_of_the_year_counts_months_from_there(shop: Shop) -> None:
    who = subscriber(shop)
    yearly = price(shop, 19999, "year")
    made = who.subscribe(yearly)
    _scheduled(who, made, shop.plan)
    who.wait(days=365, hours=2)
    item = who.reread(made)["items"].data[0]
    assert (item.price.id, item.current_period_start) == (shop.plan, NEW_YEAR + 365 * DAY)
    assert item.current_period_end == NEW_YEAR + (365 + 31) * DAY
    assert who.latest(made).total == 1999


def test_a_release_undoes_what_was_planned(shop: Shop) -> None:
    who = subscriber(shop)
    pro = price(shop, 4999)
    made = who.subscribe(pro)
    schedule = _scheduled(who, made, shop.plan)
    released = who.v1.subscription_schedules.release(schedule.id)
    assert (released.status, released.subscription) == ("released", None)
    who.wait(days=31, hours=2)
    assert who.latest(made).total == 4999


def test_a_schedule_begins_its_subscription_on_its_day_and_ends_it(shop: Shop) -> None:
    who = subscriber(shop)
    phase = {"items": [{"price": shop.plan, "quantity": 2}], "duration": {"interval": "month"}}
    schedule = who.v1.subscription_schedules.create(
        params={
            "customer": who.customer,
            "start_date": NEW_YEAR + 5 * DAY,
            "end_behavior": "cancel",
            "phases": [phase],
        }
    )
    assert (schedule.status, schedule.subscription) == ("not_started", None)
    who.wait(days=5, hours=2)
    running = who.v1.subscription_schedules.retrieve(schedule.id)
    assert running.status == "active"
    subscription = who.v1.subscriptions.retrieve(running.subscription)
    assert (subscription.status, subscription["items"].data[0].quantity) == ("active", 2)
    assert who.v1.invoices.retrieve(subscription.latest_invoice).amount_paid == 3998
    who.wait(days=31)
    assert who.v1.subscription_schedules.retrieve(schedule.id).status == "completed"
    assert who.v1.subscriptions.retrieve(running.subscription).status == "canceled"
    assert "subscription_schedule.expiring" in who.events(schedule.id)


def test_what_a_schedule_rules_cannot_be_ended_beside_it(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    schedule = _scheduled(who, made, price(shop, 999))
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        who.v1.subscriptions.update(made.id, params={"cancel_at_period_end": True})
    who.v1.subscriptions.cancel(made.id)
    assert who.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


@pytest.mark.parametrize(
    ("phases", "param"),
    [
        ([{"end_date": NEW_YEAR - 1}], "phases[0][end_date]"),
        ([{}, {"start_date": NEW_YEAR + 5}], "phases[1][start_date]"),
    ],
)
def test_phases_that_do_not_follow_each_other_are_refused(
    shop: Shop, phases: list[dict[str, Any]], param: str
) -> None:
    who = subscriber(shop)
    given = [{"items": [{"price": shop.plan}], **phase} for phase in phases]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.v1.subscription_schedules.create(
            params={"customer": who.customer, "start_date": "now", "phases": given}
        )
    assert refused.value.param == param
