"""A plan change that is not paid at once, that was cut short, or that waits for its date."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
import requests

from services.change_service import ChangeOutcome
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from tests.support.clocked import Clocked
from tests.support.shop import Shop

FREE = 3
FAILS_LATER = "pm_card_chargeCustomerFail"


def asks(ada: Clocked, item: str, request: str = "") -> ChangeOutcome:
    """Looks at the change and says yes to it."""
    changes = ada.shop.changes
    seen = changes.preview(user_id=ada.person.id, item=item)
    return changes.confirm(
        user_id=ada.person.id, token=seen.token, request_id=request or str(uuid.uuid4())
    )


def plan_of(ada: Clocked) -> str:
    plan = ada.shop.payments.account(ada.person.id).plan
    assert plan is not None
    return plan.item


def test_an_upgrade_that_the_bank_refuses_leaves_the_plan_until_it_is_paid(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    ada.uses(FAILS_LATER)
    request = str(uuid.uuid4())
    outcome = asks(ada, "pro:month", request)
    assert (outcome.state, outcome.credits_added, outcome.charged) == ("waiting", 0, None)
    assert outcome.pay_url is not None
    assert shop.changes.options(ada.person.id).waiting_url == outcome.pay_url
    assert shop.payments.account(ada.person.id).change_pay_url == outcome.pay_url
    ada.hears()
    assert (plan_of(ada), shop.balance(ada.person)) == ("starter:month", FREE + 30)
    assert shop.sandbox.pay(outcome.pay_url).status < 400
    ada.hears()
    assert (plan_of(ada), shop.balance(ada.person)) == ("pro:month", FREE + 100)
    assert shop.changes.options(ada.person.id).waiting_url is None
    again = shop.changes.confirm(
        user_id=ada.person.id,
        token=shop.changes.preview(user_id=ada.person.id, item="enterprise:month").token,
        request_id=request,
    )
    assert (again.state, again.item, again.credits_added) == ("done", "pro:month", 70)


def test_another_change_takes_the_place_of_the_one_that_the_bank_refused(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    ada.uses(FAILS_LATER)
    refused_first = asks(ada, "pro:month")
    assert (refused_first.state, asks(ada, "pro:month").state) == ("waiting", "waiting")
    ada.uses("pm_card_visa")
    seen = shop.changes.preview(user_id=ada.person.id, item="enterprise:month")
    assert asks(ada, "enterprise:month").state == "done"
    ada.hears()
    assert ada.charged() == [seen.charge_today.minor, 1999]
    assert (plan_of(ada), shop.balance(ada.person)) == ("enterprise:month", FREE + 500)
    statuses = [row.status for row in shop.payments.account(ada.person.id).invoices]
    assert sorted(statuses) == ["paid", "paid", "void", "void"]


def test_an_upgrade_that_nobody_pays_has_lapsed_after_a_day(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    ada.uses(FAILS_LATER)
    assert asks(ada, "pro:month").state == "waiting"
    ada.lives(days=1)
    shop.changes.sweep()
    assert shop.changes.options(ada.person.id).waiting_url is None
    ada.hears()
    assert (plan_of(ada), shop.balance(ada.person)) == ("starter:month", FREE + 30)
    statuses = {row.status for row in shop.payments.account(ada.person.id).invoices}
    assert statuses == {"void", "paid"}


def test_a_cheaper_plan_begins_with_the_next_period_and_is_let_go_of(shop: Shop) -> None:
    ada = Clocked(shop, "pro:month")
    outcome = asks(ada, "starter:month")
    assert outcome.state == "scheduled"
    pending = shop.payments.account(ada.person.id).change
    assert pending is not None and pending.at == outcome.at
    shop.clock.move_to(outcome.at)
    ada.lives(seconds=7200)
    ada.hears()
    assert (plan_of(ada), shop.payments.account(ada.person.id).change) == ("starter:month", None)
    shop.changes.sweep()
    assert ada.client.v1.subscriptions.retrieve(ada.plan).schedule is None
    assert ada.charged() == [1999, 4999]
    assert shop.balance(ada.person) == FREE + 130


def test_a_new_change_takes_the_place_of_the_one_that_waits(shop: Shop) -> None:
    ada = Clocked(shop, "pro:month")
    assert asks(ada, "starter:month").state == "scheduled"
    assert asks(ada, "starter:year").state == "scheduled"
    pending = shop.changes.options(ada.person.id).pending
    assert pending is not None and pending.item == "starter:year"
    assert asks(ada, "enterprise:month").state == "done"
    assert shop.changes.options(ada.person.id).pending is None
    assert ada.client.v1.subscriptions.retrieve(ada.plan).schedule is None
    with pytest.raises(errors.Conflict) as refusal:
        shop.changes.undo(user_id=ada.person.id)
    assert refusal.value.code == "change.nothing"


def test_a_change_cut_off_after_its_effect_is_found_made_by_the_next_try(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    seen = shop.changes.preview(user_id=ada.person.id, item="pro:month")
    request = str(uuid.uuid4())
    rule = {"kind": "reset", "when": "after", "method": "POST", "times": "3"}
    path = f"/v1/subscriptions/{ada.plan}"
    faults = f"{shop.sandbox.base}/_sandbox/faults"
    assert requests.post(faults, data={**rule, "path": path}, timeout=10).ok
    with pytest.raises(errors.Unavailable):
        shop.changes.confirm(user_id=ada.person.id, token=seen.token, request_id=request)
    assert requests.delete(faults, timeout=10).ok
    shop.clock.advance(seconds=180)
    assert shop.changes.sweep() == 1
    outcome = shop.changes.confirm(user_id=ada.person.id, token=seen.token, request_id=request)
    assert (outcome.state, outcome.credits_added) == ("done", 70)
    assert ada.charged() == [3000, 1999]
    assert shop.changes.sweep() == 0


def test_two_tabs_that_say_yes_at_once_are_charged_once(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    tabs = [shop.changes.preview(user_id=ada.person.id, item="pro:month") for _ in range(2)]
    ended: list[str] = []

    def says_yes(token: str) -> None:
        try:
            done = shop.changes.confirm(
                user_id=ada.person.id, token=token, request_id=str(uuid.uuid4())
            )
            ended.append(done.state)
        except errors.Conflict as refusal:
            ended.append(refusal.code)

    threads = [threading.Thread(target=says_yes, args=(seen.token,)) for seen in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "done" in ended
    assert set(ended) <= {"done", "change.stale", "change.same"}
    assert ada.charged() == [3000, 1999]
    ada.hears()
    assert shop.balance(ada.person) == FREE + 100


@pytest.mark.parametrize("later", [timedelta(minutes=11), timedelta(minutes=1)])
def test_a_yes_to_what_was_shown_too_long_ago_or_costs_more_by_now_is_refused(
    shop: Shop, later: timedelta
) -> None:
    ada = Clocked(shop, "starter:month")
    seen = shop.changes.preview(user_id=ada.person.id, item="pro:month")
    if later < timedelta(minutes=10):
        client = ada.client.v1.customers
        client.update(ada.customer, {"balance": -1})
    shop.clock.advance(seconds=later.total_seconds())
    with pytest.raises(errors.Conflict) as refusal:
        shop.changes.confirm(user_id=ada.person.id, token=seen.token, request_id=str(uuid.uuid4()))
    assert refusal.value.code == "change.stale"
    assert ada.charged() == [1999]


def test_nobody_can_use_the_offer_of_somebody_else_or_one_that_was_altered(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    bob = shop.a_person()
    token = shop.changes.preview(user_id=ada.person.id, item="pro:month").token
    for user_id, text in ((bob.id, token), (ada.person.id, token[:-1] + "_"), (bob.id, "")):
        with pytest.raises(errors.InvalidRequest) as refusal:
            shop.changes.confirm(user_id=user_id, token=text, request_id=str(uuid.uuid4()))
        assert refusal.value.code == "change.token"


def refused(ada: Clocked) -> str:
    with pytest.raises(errors.Conflict) as refusal:
        ada.shop.changes.preview(user_id=ada.person.id, item="pro:month")
    return refusal.value.code


def test_a_plan_that_is_ending_paused_on_trial_or_arranged_is_not_changed(shop: Shop) -> None:
    ada = Clocked(shop, "starter:month")
    plans = ada.client.v1.subscriptions
    plans.update(ada.plan, {"cancel_at_period_end": True})
    assert refused(ada) == "change.ending"
    plans.update(
        ada.plan, {"cancel_at_period_end": False, "pause_collection": {"behavior": "void"}}
    )
    assert refused(ada) == "change.paused"
    plans.update(ada.plan, {"pause_collection": ""})
    schedule = ada.client.v1.subscription_schedules.create({"from_subscription": ada.plan})
    assert refused(ada) == "change.managed"
    ada.client.v1.subscription_schedules.release(schedule.id)
    assert asks(ada, "pro:month").state == "done"
    bob = Clocked(shop, "starter:month", trial_period_days=7)
    assert refused(bob) == "change.trial"
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


@pytest.mark.parametrize(("item", "credits"), [("pro:year", 100), ("enterprise:month", 500)])
def test_a_change_in_the_hour_before_the_new_month_is_billed_counts_that_month(
    shop: Shop, item: str, credits: int
) -> None:
    """A renewal is a draft for an hour: the month has begun, and is paid for a little later."""
    ada = Clocked(shop, "pro:month")
    items: Any = ada.client.v1.subscriptions.retrieve(ada.plan)["items"]
    ada.lives(seconds=items.data[0].current_period_end - int(shop.clock.now.timestamp()))
    ada.hears()
    seen = shop.changes.preview(user_id=ada.person.id, item=item)
    outcome = asks(ada, item)
    assert (outcome.state, outcome.credits_added) == ("done", seen.credits_now)
    ada.hears()
    assert shop.balance(ada.person) == FREE + credits
    ada.lives(seconds=7200)
    ada.hears()
    assert shop.balance(ada.person) == FREE + 100 + credits
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()
