"""Billing where two things meet: changes that wait, plans that end, pauses, and who pays twice."""

from typing import Any

import pytest

from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.flows import (
    changing,
    ending,
    intents,
    invoicing,
    previewing,
    subscribing,
)
from stripe_sandbox.objects import coupons, customers, prices, test_clocks
from tests.sandbox.inside import Inside
from tests.sandbox.plans import DAY, FAILS_LATER, VISA

HOUR = 3600
PENDING = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
WHEN_PAID = {"payment_behavior": "resume_on_payment_success"}


def _plan(me: Inside, price: str, **extra: Any) -> tuple[str, str]:
    customer = me.customer()
    values = {"customer": customer, "items": [{"price": price}], **extra}
    return customer, str(me.do(subscribing.create, values)["id"])


def _change(me: Inside, plan: str, price: str, **extra: Any) -> Any:
    item = me.get(plan)["items"]["data"][0]["id"]
    return me.do(changing.update, {"items": [{"id": item, "price": price}], **extra}, plan)


def _bills(me: Inside) -> list[tuple[str, int]]:
    return [(invoice["status"], invoice["total"]) for invoice in me.all("invoice")]


def _newest(me: Inside) -> Any:
    return me.all("invoice")[-1]


def _sells(me: Inside, plan: str) -> int:
    return int(me.get(plan)["items"]["data"][0]["price"]["unit_amount"])


def _waiting(me: Inside) -> list[int]:
    return [item["amount"] for item in me.all("invoiceitem") if item["invoice"] is None]


def test_a_pending_change_lapses_with_its_period_and_bills_no_period_twice(me: Inside) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.wait(30.9 * DAY)
    me.pay_with(customer, FAILS_LATER)
    waits = _change(me, plan, me.price(90_000), **PENDING)["pending_update"]
    assert waits["expires_at"] == me.now + int(0.1 * DAY)
    unpaid = _newest(me)["id"]
    me.pay_with(customer, VISA)
    me.wait(0.2 * DAY)
    assert me.get(unpaid)["status"] == "void"
    with pytest.raises(StripeFault, match="void"):
        me.do(invoicing.pay, {}, unpaid)
    assert (_sells(me, plan), me.get(plan)["pending_update"]) == (1000, None)
    assert [bill for bill in _bills(me) if bill[0] == "paid"] == [("paid", 1000)] * 2


def test_a_newer_change_takes_the_place_of_one_that_waits(me: Inside) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.wait(10 * DAY)
    me.pay_with(customer, FAILS_LATER)
    _change(me, plan, me.price(3000), **PENDING)
    _change(me, plan, me.price(5000), **PENDING)
    # 21 of 31 days: 2000 and 4000 x 21/31, and only the second can be paid.
    assert _bills(me) == [("paid", 1000), ("void", 1355), ("open", 2710)]
    me.pay_with(customer, VISA)
    me.do(invoicing.pay, {}, _newest(me)["id"])
    assert _sells(me, plan) == 5000
    _change(me, plan, me.price(7000))
    assert (_sells(me, plan), me.get(plan)["pending_update"]) == (7000, None)


def test_what_waited_before_a_change_that_lapses_waits_again(me: Inside) -> None:
    customer, plan = _plan(me, me.price(3000))
    me.wait(10 * DAY)
    _change(me, plan, me.price(1000))
    assert _waiting(me) == [-2032, 677]
    me.pay_with(customer, FAILS_LATER)
    _change(me, plan, me.price(5000), **PENDING)
    assert _waiting(me) == []
    me.wait(1 * DAY)
    assert (_newest(me)["status"], _waiting(me)) == ("void", [-2032, 677])


def test_voiding_the_invoice_of_a_change_that_waits_ends_the_waiting(me: Inside) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.wait(10 * DAY)
    me.pay_with(customer, FAILS_LATER)
    _change(me, plan, me.price(3000), **PENDING)
    me.do(invoicing.void, {}, _newest(me)["id"])
    assert me.get(plan)["pending_update"] is None
    assert len(me.told("customer.subscription.pending_update_expired")) == 1


@pytest.mark.parametrize("verb", [ending.pause, ending.cancel])
def test_a_plan_that_pauses_or_ends_is_not_changed_by_a_late_payment(me: Inside, verb: Any) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.wait(10 * DAY)
    me.pay_with(customer, FAILS_LATER)
    _change(me, plan, me.price(3000), **PENDING)
    me.do(verb, {}, plan)
    assert _newest(me)["status"] == "void"
    assert me.get(plan)["status"] in ("paused", "canceled")


def test_a_coupon_for_once_is_not_used_up_by_a_change_nobody_paid(me: Inside) -> None:
    once = {"amount_off": 500, "currency": "usd", "duration": "once"}
    offer = [{"coupon": me.do(coupons.create, once)["id"]}]
    customer, plan = _plan(me, me.price(1000), discounts=offer, trial_period_days=7)
    me.pay_with(customer, FAILS_LATER)
    values = {"trial_end": "now", "payment_behavior": "pending_if_incomplete"}
    me.do(changing.update, values, plan)
    assert _bills(me)[1:] == [("open", 500)]
    me.pay_with(customer, VISA)
    me.wait(8 * DAY)
    assert _bills(me)[1:] == [("void", 500), ("paid", 500)]
    me.wait(31 * DAY)
    assert _bills(me)[-1] == ("paid", 1000)


def test_a_coupon_for_once_that_paid_for_a_change_is_used_up(me: Inside) -> None:
    once = {"amount_off": 500, "currency": "usd", "duration": "once"}
    offer = [{"coupon": me.do(coupons.create, once)["id"]}]
    _, plan = _plan(me, me.price(1000), discounts=offer, trial_period_days=7)
    values = {"trial_end": "now", "payment_behavior": "pending_if_incomplete"}
    me.do(changing.update, values, plan)
    assert (_bills(me)[1:], me.get(plan)["discounts"]) == ([("paid", 500)], [])


def test_a_coupon_for_once_reduces_one_extra_and_no_renewal_after_it(me: Inside) -> None:
    once = {"amount_off": 500, "currency": "usd", "duration": "once"}
    extra = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Setup"}}
    price = me.do(prices.create, extra)["id"]
    _, plan = _plan(me, me.price(1000))
    offer = [{"coupon": me.do(coupons.create, once)["id"]}]
    me.do(changing.update, {"discounts": offer}, plan)
    item = me.get(plan)["items"]["data"][0]["id"]
    wish = {"items": [{"id": item, "quantity": 1}], "add_invoice_items": [{"price": price}]}
    me.do(changing.update, wish, plan)
    me.wait(32 * DAY)
    assert _bills(me)[1:] == [("paid", 400), ("paid", 1000)]


def test_a_coupon_that_has_run_out_takes_nothing_off_a_later_change(me: Inside) -> None:
    month = {
        "amount_off": 500,
        "currency": "usd",
        "duration": "repeating",
        "duration_in_months": 1,
    }
    offer = [{"coupon": me.do(coupons.create, month)["id"]}]
    _, plan = _plan(me, me.price(1000, "year"), discounts=offer)
    me.wait(73 * DAY)
    _change(me, plan, me.price(3000, "year"), proration_behavior="always_invoice")
    # 292 of 365 days, four fifths: of the 500 that were paid, and of 3000.
    assert [line["amount"] for line in _newest(me)["lines"]["data"]] == [-400, 2400]


@pytest.mark.parametrize(("price", "due"), [(1029, 0), (1050, 50)])
def test_a_preview_asks_for_nothing_where_too_little_would_be_charged(
    me: Inside, price: int, due: int
) -> None:
    _, plan = _plan(me, me.price(1000))
    item = me.get(plan)["items"]["data"][0]["id"]
    details = {
        "items": [{"id": item, "price": me.price(price)}],
        "proration_behavior": "always_invoice",
    }
    named = {"subscription": plan, "subscription_details": details}
    preview = me.do(previewing.create, named)
    assert (preview["total"], preview["amount_due"]) == (price - 1000, due)


def test_a_preview_takes_a_discount_by_its_own_id(me: Inside) -> None:
    half = {"percent_off": 50, "duration": "forever"}
    offer = [{"coupon": me.do(coupons.create, half)["id"]}]
    _, plan = _plan(me, me.price(1000), discounts=offer)
    named = [{"discount": me.get(plan)["discounts"][0]}]
    preview = me.do(previewing.create, {"subscription": plan, "discounts": named})
    assert preview["total"] == 500


def test_resuming_twice_asks_for_one_payment_and_keeps_the_credit_of_the_pause(me: Inside) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.wait(5 * DAY)
    me.pay_with(customer, FAILS_LATER)
    me.do(ending.pause, {}, plan)
    for _ in range(2):
        me.do(ending.resume, dict(WHEN_PAID), plan)
    # 1000 less the 26 of 31 days that were not used.
    assert _bills(me)[1:] == [("void", 161), ("open", 161)]
    me.wait(1 * DAY)
    assert (me.get(plan)["status"], _newest(me)["status"]) == ("paused", "void")
    assert _waiting(me) == [-839]


def test_a_paused_plan_goes_on_when_its_invoice_is_given_up(me: Inside) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.pay_with(customer, FAILS_LATER)
    me.do(ending.pause, {"bill_for": {"unused_time_from": {"type": "none"}}}, plan)
    me.do(ending.resume, dict(WHEN_PAID), plan)
    me.do(invoicing.give_up, {}, _newest(me)["id"])
    assert me.get(plan)["status"] == "active"


def test_a_plan_resumed_whatever_the_try_comes_to_is_past_due_and_tried_again(me: Inside) -> None:
    customer, plan = _plan(me, me.price(1000))
    me.pay_with(customer, FAILS_LATER)
    me.do(ending.pause, {"bill_for": {"unused_time_from": {"type": "none"}}}, plan)
    me.do(ending.resume, {}, plan)
    assert me.get(plan)["status"] == "past_due"
    me.pay_with(customer, VISA)
    me.wait(4 * DAY)
    assert (me.get(plan)["status"], _newest(me)["status"]) == ("active", "paid")


def test_nobody_charges_a_card_for_a_plan_whose_invoices_are_sent(me: Inside) -> None:
    sent = {"collection_method": "send_invoice", "days_until_due": 5}
    _, plan = _plan(me, me.price(1000), **sent)
    with pytest.raises(StripeFault, match="charge_automatically"):
        _change(me, plan, me.price(3000), **PENDING)
    me.do(ending.pause, {}, plan)
    with pytest.raises(StripeFault, match="charge_automatically"):
        me.do(ending.resume, {}, plan)


def test_a_sent_invoice_of_a_change_has_a_due_date_and_goes_overdue(me: Inside) -> None:
    sent = {"collection_method": "send_invoice", "days_until_due": 5}
    _, plan = _plan(me, me.price(1000), **sent)
    me.wait(3 * DAY)
    _change(me, plan, me.price(3000), proration_behavior="always_invoice")
    made = _newest(me)["id"]
    assert me.get(made)["due_date"] == me.now + 5 * DAY
    me.wait(6 * DAY)
    assert made in [invoice["id"] for invoice in me.told("invoice.overdue")]


def test_an_end_at_the_end_of_the_period_follows_the_period(me: Inside) -> None:
    _, plan = _plan(me, me.price(1000))
    me.wait(5 * DAY)
    me.do(changing.update, {"cancel_at_period_end": True}, plan)
    after = _change(me, plan, me.price(9000, "year"))
    ends = after["items"]["data"][0]["current_period_end"]
    assert after["cancel_at"] == ends == me.now + 365 * DAY
    me.wait(364 * DAY)
    assert me.get(plan)["status"] == "active"
    me.wait(1 * DAY)
    assert me.get(plan)["status"] == "canceled"


def test_a_plan_that_ends_with_its_period_bills_what_its_upgrade_left(me: Inside) -> None:
    _, plan = _plan(me, me.price(1000))
    me.wait(10 * DAY)
    _change(me, plan, me.price(3000))
    me.do(changing.update, {"cancel_at_period_end": True}, plan)
    me.wait(22 * DAY)
    assert me.get(plan)["status"] == "canceled"
    # 2000 x 21/31, which nobody had paid yet.
    assert _bills(me) == [("paid", 1000), ("paid", 1355)]


def test_a_trial_in_the_middle_of_a_paid_period_gives_its_rest_back(me: Inside) -> None:
    _, plan = _plan(me, me.price(1000))
    me.wait(10 * DAY)
    me.do(changing.update, {"trial_end": me.now + 5 * DAY}, plan)
    assert _waiting(me) == [-677]
    me.wait(6 * DAY)
    assert _bills(me) == [("paid", 1000), ("paid", 323)]


def test_a_draft_advances_by_itself_only_as_long_as_it_may(me: Inside) -> None:
    _plan(me, me.price(1000))
    me.wait(31 * DAY + 60)
    draft = _newest(me)["id"]
    me.do(invoicing.update, {"auto_advance": False}, draft)
    me.wait(1 * DAY)
    assert me.get(draft)["status"] == "draft"
    me.do(invoicing.update, {"auto_advance": True}, draft)
    me.wait(2 * HOUR)
    assert me.get(draft)["status"] == "paid"


def test_an_open_invoice_is_tried_again_only_as_long_as_it_may(me: Inside) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.pay_with(customer, FAILS_LATER)
    me.wait(31 * DAY + 2 * HOUR)
    bill = _newest(me)["id"]
    me.pay_with(customer, VISA)
    me.do(invoicing.update, {"auto_advance": False}, bill)
    me.wait(9 * DAY)
    assert (me.get(bill)["status"], me.get(bill)["next_payment_attempt"]) == ("open", None)
    me.do(invoicing.update, {"auto_advance": True}, bill)
    me.wait(2 * HOUR)
    assert me.get(bill)["status"] == "paid"


def test_a_draft_kept_by_a_pause_says_that_it_stays_one(me: Inside) -> None:
    _, plan = _plan(me, me.price(1000))
    me.wait(31 * DAY + 60)
    me.do(changing.update, {"pause_collection": {"behavior": "keep_as_draft"}}, plan)
    me.wait(1 * DAY)
    kept = _newest(me)
    assert (kept["status"], kept["auto_advance"]) == ("draft", False)
    assert kept["automatically_finalizes_at"] is None


def test_what_was_paid_elsewhere_cannot_be_paid_here_as_well(me: Inside) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.pay_with(customer, FAILS_LATER)
    me.wait(31 * DAY + 2 * HOUR)
    me.do(invoicing.pay, {"paid_out_of_band": True}, _newest(me)["id"])
    assert me.all("payment_intent")[-1]["status"] == "canceled"


def test_an_invoice_is_not_voided_while_a_bank_debit_is_on_its_way(me: Inside) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.pay_with(customer, "pm_usBankAccount_success")
    me.wait(31 * DAY + HOUR)
    assert me.all("payment_intent")[-1]["status"] == "processing"
    with pytest.raises(StripeFault, match="is being processed"):
        me.do(invoicing.void, {}, _newest(me)["id"])
    me.wait(1 * DAY)
    assert _newest(me)["status"] == "paid"


def test_a_plan_begins_with_a_debit_on_its_way_and_is_past_due_if_that_bounces(
    me: Inside,
) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.pay_with(customer, "pm_usBankAccount_insufficientFunds")
    made = me.do(subscribing.create, {"customer": customer, "items": [{"price": me.price(500)}]})
    assert made["status"] == "active"
    me.wait(1 * DAY)
    assert me.get(made["id"])["status"] == "past_due"


def test_nothing_is_collected_from_a_deleted_customer(me: Inside) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.do(customers.update, {"balance": -300}, customer)
    me.wait(31 * DAY + 60)
    me.do(customers.delete, {}, customer)
    me.wait(1 * DAY)
    assert (_newest(me)["status"], _newest(me)["auto_advance"]) == ("draft", False)


def test_an_open_invoice_of_a_deleted_customer_can_be_voided(me: Inside) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.do(customers.update, {"balance": -300}, customer)
    me.pay_with(customer, FAILS_LATER)
    me.wait(31 * DAY + 2 * HOUR)
    me.do(customers.delete, {}, customer)
    me.wait(4 * DAY)
    assert _newest(me)["attempt_count"] == 1
    assert me.do(invoicing.void, {}, _newest(me)["id"])["status"] == "void"


def test_a_payment_that_was_canceled_is_not_charged_by_a_later_try(me: Inside) -> None:
    customer, _ = _plan(me, me.price(1000))
    me.pay_with(customer, FAILS_LATER)
    me.wait(31 * DAY + 2 * HOUR)
    canceled = me.all("payment_intent")[-1]["id"]
    me.do(intents.cancel, {}, canceled)
    me.pay_with(customer, VISA)
    me.wait(4 * DAY)
    assert (_newest(me)["status"], me.get(canceled)["status"]) == ("paid", "canceled")


def test_a_coupon_for_once_is_not_taken_off_a_part_and_a_whole_period(me: Inside) -> None:
    once = {"amount_off": 500, "currency": "usd", "duration": "once"}
    offer = [{"coupon": me.do(coupons.create, once)["id"]}]
    _plan(me, me.price(3100), discounts=offer, billing_cycle_anchor=me.now + 10 * DAY)
    me.wait(11 * DAY)
    # 10 of 31 days in full, and then the first whole month with the coupon.
    assert [total for _, total in _bills(me)] == [1000, 2600]


@pytest.mark.parametrize(
    "parse",
    [
        test_clocks.ROUTES[0].fields["frozen_time"],
        changing.FIELDS["trial_end"],
        changing.FIELDS["cancel_at"],
    ],
)
def test_a_moment_beyond_the_calendar_is_refused(parse: Any) -> None:
    with pytest.raises(StripeFault, match="at most"):
        parse(str(2**62), "moment")
