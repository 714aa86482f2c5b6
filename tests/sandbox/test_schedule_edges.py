"""Schedules whose phases meet archived prices, pauses, and plans that never began."""

from typing import Any

import pytest

from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.flows import ending, scheduling, subscribing
from stripe_sandbox.objects import prices
from tests.sandbox.inside import Inside
from tests.sandbox.plans import DAY


def _plan(me: Inside, price: str, **extra: Any) -> tuple[str, str]:
    customer = me.customer()
    values = {"customer": customer, "items": [{"price": price}], **extra}
    return customer, str(me.do(subscribing.create, values)["id"])


def _bills(me: Inside) -> list[tuple[str, int]]:
    return [(invoice["status"], invoice["total"]) for invoice in me.all("invoice")]


def _sells(me: Inside, plan: str) -> int:
    return int(me.get(plan)["items"]["data"][0]["price"]["unit_amount"])


def _phases(*sold: list[str]) -> list[Any]:
    return [
        {"items": [{"price": price} for price in found], "duration": {"interval": "month"}}
        for found in sold
    ]


def test_a_schedule_goes_on_with_a_price_that_was_archived_meanwhile(me: Inside) -> None:
    first, second = me.price(1000), me.price(3000)
    values = {"customer": me.customer(), "phases": _phases([first], [second])}
    me.do(scheduling.create, values)
    me.do(prices.update, {"active": False}, second)
    me.wait(32 * DAY)
    assert _bills(me) == [("paid", 1000), ("paid", 3000)]


@pytest.mark.parametrize("wrong", ["currency", "interval", "twice"])
def test_a_phase_that_could_not_begin_is_refused_at_once(me: Inside, wrong: str) -> None:
    first, second = me.price(1000), me.price(2000)
    later = {
        "currency": [me.price(3000, currency="eur")],
        "interval": [first, me.price(3000, "year")],
        "twice": [second, second],
    }[wrong]
    values = {"customer": me.customer(), "phases": _phases([first], later)}
    with pytest.raises(StripeFault):
        me.do(scheduling.create, values)


def test_the_schedule_of_a_plan_nobody_paid_for_ends_with_it(me: Inside) -> None:
    _, plan = _plan(me, me.price(1000), payment_behavior="default_incomplete")
    schedule = me.do(scheduling.create, {"from_subscription": plan})["id"]
    me.wait(2 * DAY)
    assert me.get(plan)["status"] == "incomplete_expired"
    assert me.get(schedule)["status"] == "canceled"


def test_a_schedule_stands_still_while_its_plan_is_paused(me: Inside) -> None:
    first, second = me.price(1000), me.price(3000)
    _, plan = _plan(me, first)
    schedule = me.do(scheduling.create, {"from_subscription": plan})["id"]
    phases = _phases([first], [second])
    phases[0] = {"items": [{"price": first}], "end_date": me.now + 10 * DAY}
    me.do(scheduling.update, {"phases": phases}, schedule)
    me.do(ending.pause, {}, plan)
    me.wait(20 * DAY)
    me.do(ending.resume, {}, plan)
    assert _sells(me, plan) == 1000
    me.wait(60)
    assert _sells(me, plan) == 3000
