"""Trials, worked by hand: what is billed when one begins, is changed, is extended and ends."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.plans import DAY, NEW_YEAR, Subscriber, price, subscriber
from tests.sandbox.running import Shop

Story = Callable[[Subscriber, Any, str], None]


def _nothing(who: Subscriber, plan: Any, pro: str) -> None:
    """The trial runs out by itself."""


def _to_pro(who: Subscriber, plan: Any, pro: str) -> None:
    who.wait(days=4)
    who.change(plan, pro, proration_behavior="always_invoice")


def _longer(who: Subscriber, plan: Any, pro: str) -> None:
    who.wait(days=4)
    who.v1.subscriptions.update(plan.id, params={"trial_end": NEW_YEAR + 20 * DAY})


def _over_now(who: Subscriber, plan: Any, pro: str) -> None:
    who.wait(days=4)
    who.v1.subscriptions.update(plan.id, params={"trial_end": "now"})


def _canceled(who: Subscriber, plan: Any, pro: str) -> None:
    who.v1.subscriptions.update(plan.id, params={"cancel_at_period_end": True})


@pytest.mark.parametrize(
    ("story", "totals", "renews_at"),
    [
        # Ten free days, then a month of 1999 from the tenth on.
        (_nothing, [0, 1999], 10 + 31),
        # Nothing was paid for the free days, so a change gives nothing back and charges nothing:
        # 0, and 4999 from the tenth day on.
        (_to_pro, [0, 4999], 10 + 31),
        # Twenty free days instead of ten: 0, and 1999 from the twentieth on.
        (_longer, [0, 1999], 20 + 31),
        # Ended after four days: the first month begins there, whole: 0 + 1999.
        (_over_now, [0, 1999], 4 + 31),
        # Canceled in the trial: it ends with it and nothing is ever billed.
        (_canceled, [0], None),
    ],
)
def test_a_trial_of_ten_days(
    shop: Shop, story: Story, totals: list[int], renews_at: int | None
) -> None:
    who = subscriber(shop)
    plan = who.subscribe(shop.plan, trial_period_days=10)
    story(who, plan, price(shop, 4999))
    # To the twenty-second day: later than every trial, earlier than every renewal.
    who.wait(days=22 - (who.now - NEW_YEAR) // DAY)
    assert [invoice.total for invoice in reversed(who.invoices(plan))] == totals
    after = who.reread(plan)
    if renews_at is None:
        assert (after.status, after.ended_at) == ("canceled", NEW_YEAR + 10 * DAY)
    else:
        ends = after["items"].data[0].current_period_end
        assert (after.status, ends) == ("active", NEW_YEAR + renews_at * DAY)


def test_a_coupon_for_one_invoice_is_not_used_up_by_a_trial_that_costs_nothing(
    shop: Shop,
) -> None:
    who = subscriber(shop)
    coupon = who.v1.coupons.create(params={"percent_off": 50, "duration": "once"})
    plan = who.subscribe(shop.plan, trial_period_days=10, discounts=[{"coupon": coupon.id}])
    who.wait(days=11)
    # Half of 1999 is 999.5, 1000 off: the first month costs 999, the second 1999.
    who.wait(days=31)
    assert [invoice.total for invoice in reversed(who.invoices(plan))] == [0, 999, 1999]
