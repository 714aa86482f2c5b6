"""Plan changes: previews that are kept to the cent, parts of periods, and payments that fail."""

from typing import Any

import pytest
import stripe

from tests.sandbox import plans
from tests.sandbox.plans import DAY, NEW_YEAR, Subscriber, price, subscriber
from tests.sandbox.running import Shop


@pytest.fixture(scope="module")
def pro(shop: Shop) -> str:
    return price(shop, 4999)


def _preview(who: Subscriber, subscription: Any, new_price: str, **details: Any) -> Any:
    item = subscription["items"].data[0].id
    return who.v1.invoices.create_preview(
        params={
            "subscription": subscription.id,
            "subscription_details": {"items": [{"id": item, "price": new_price}], **details},
        }
    )


def test_an_upgrade_charges_exactly_what_its_preview_said(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=11, hours=7)
    at = who.now
    details = {"proration_behavior": "always_invoice", "proration_date": at}
    preview = _preview(who, made, pro, **details)
    who.wait(hours=1)
    changed = who.change(made, pro, **details)
    charged = who.latest(changed)
    assert charged.status == "paid"
    assert (charged.total, charged.amount_paid) == (preview.total, preview.total)
    assert [line.amount for line in charged.lines.data] == [
        line.amount for line in preview.lines.data
    ]
    # 19 days and 17 hours of 31 days are left, 1,702,800 of 2,678,400 seconds:
    # 1999 x .635752 = 1270.87, 4999 x .635752 = 3178.13.
    assert [line.amount for line in charged.lines.data] == [-1271, 3178]
    assert charged.billing_reason == "subscription_update"
    assert all(line.parent.subscription_item_details.proration for line in charged.lines.data)


def test_a_preview_changes_nothing_and_tells_nobody(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    before = who.events(made.id)
    assert _preview(who, made, pro, proration_behavior="always_invoice").id.startswith("upcoming")
    assert who.events(made.id) == before
    assert who.reread(made)["items"].data[0].price.id == shop.plan
    assert who.v1.invoice_items.list(params={"customer": who.customer}).data == []


def test_the_next_invoice_is_previewed_with_what_waits_for_it(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=15.5)
    changed = who.change(made, pro)
    # Half of 31 days is left: 1000 back (999.5), 2500 more (2499.5), and a month of 4999.
    preview = who.v1.invoices.create_preview(params={"subscription": changed.id})
    assert preview.total == -1000 + 2500 + 4999
    who.wait(days=15.5, hours=2)
    renewed = who.latest(made)
    assert (renewed.billing_reason, renewed.total) == ("subscription_cycle", preview.total)


def test_down_and_up_at_one_moment_leaves_no_money_behind(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(pro)
    who.wait(days=9, hours=5)
    for target in (shop.plan, pro):
        who.change(made, target, proration_behavior="always_invoice")
    totals = [invoice.total for invoice in who.invoices(made)]
    assert totals[0] + totals[1] == 0
    assert who.v1.customers.retrieve(who.customer).balance == 0


def test_a_downgrade_at_once_is_credit_that_the_next_invoice_uses(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(pro)
    who.wait(days=15.5)
    who.change(made, shop.plan, proration_behavior="always_invoice")
    credit = who.latest(made)
    assert (credit.total, credit.status, credit.amount_due) == (-1500, "paid", 0)
    assert who.v1.customers.retrieve(who.customer).balance == -1500
    who.wait(days=15.5, hours=2)
    renewed = who.latest(made)
    assert (renewed.total, renewed.starting_balance, renewed.amount_paid) == (1999, -1500, 499)
    assert who.v1.customers.retrieve(who.customer).balance == 0


def test_no_proration_means_the_new_price_from_the_next_period_on(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=10)
    who.change(made, pro, proration_behavior="none")
    assert len(who.invoices(made)) == 1
    who.wait(days=21, hours=2)
    assert who.latest(made).total == 4999


def test_a_change_to_yearly_begins_a_new_period_and_gives_back_the_rest(shop: Shop) -> None:
    who = subscriber(shop)
    yearly = price(shop, 19999, "year")
    made = who.subscribe(shop.plan)
    who.wait(days=15.5)
    changed = who.change(made, yearly)
    invoice = who.latest(made)
    assert invoice.total == 19999 - 1000
    item = changed["items"].data[0]
    assert (changed.billing_cycle_anchor, item.current_period_start) == (who.now, who.now)
    assert item.current_period_end == who.now + 365 * DAY


def test_a_payment_that_fails_leaves_the_old_plan_and_a_change_that_waits(
    shop: Shop, pro: str
) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=10)
    who.pay_with(plans.FAILS_LATER)
    wish = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    waiting = who.change(made, pro, **wish)
    assert (waiting.status, waiting["items"].data[0].price.id) == ("active", shop.plan)
    assert waiting.pending_update.subscription_items[0].price.id == pro
    assert waiting.pending_update.expires_at == who.now + 23 * 3600
    who.pay_with(plans.VISA)
    who.v1.invoices.pay(waiting.latest_invoice)
    applied = who.reread(made)
    assert applied["items"].data[0].price.id == pro
    assert applied.pending_update is None
    assert "customer.subscription.pending_update_applied" in who.events(made.id)


def test_a_change_that_nobody_pays_for_lapses(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=10)
    who.pay_with(plans.FAILS_LATER)
    wish = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    waiting = who.change(made, pro, **wish)
    who.wait(days=1)
    after = who.reread(made)
    assert (after.pending_update, after["items"].data[0].price.id) == (None, shop.plan)
    assert who.v1.invoices.retrieve(waiting.latest_invoice).status == "void"
    assert "customer.subscription.pending_update_expired" in who.events(made.id)
    who.pay_with(plans.VISA)
    who.wait(days=20, hours=2)
    # The void change left nothing behind: the renewal bills the old plan alone.
    assert who.latest(made).total == 1999


def test_a_change_that_must_be_paid_is_refused_whole(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=10)
    who.pay_with(plans.FAILS_LATER)
    with pytest.raises(stripe.CardError):
        who.change(
            made,
            pro,
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert who.reread(made)["items"].data[0].price.id == shop.plan
    assert len(who.invoices(made)) == 1


def test_a_change_that_need_not_be_paid_is_in_force_and_past_due(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=10)
    who.pay_with(plans.FAILS_LATER)
    changed = who.change(made, pro, proration_behavior="always_invoice")
    assert (changed.status, changed["items"].data[0].price.id) == ("past_due", pro)


def test_items_come_and_go_with_their_part_of_the_period(shop: Shop) -> None:
    who = subscriber(shop)
    extra = price(shop, 3100)
    made = who.subscribe(shop.plan)
    who.wait(days=15.5)
    added = who.v1.subscription_items.create(
        params={
            "subscription": made.id,
            "price": extra,
            "quantity": 2,
            "proration_behavior": "always_invoice",
        }
    )
    # Half of two times 3100.
    assert who.latest(made).total == 3100
    who.v1.subscription_items.delete(added.id, params={"proration_behavior": "always_invoice"})
    assert who.latest(made).total == -3100
    assert [item.price.id for item in who.reread(made)["items"].data] == [shop.plan]


def test_a_stale_moment_and_an_empty_subscription_are_refused(shop: Shop, pro: str) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.change(made, pro, proration_date=NEW_YEAR - DAY)
    assert refused.value.param == "proration_date"
    item = made["items"].data[0].id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.v1.subscriptions.update(made.id, params={"items": [{"id": item, "deleted": True}]})
    assert refused.value.param == "items"


def test_an_end_now_gives_the_rest_back_when_asked(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=15.5)
    ended = who.v1.subscriptions.cancel(made.id, params={"prorate": True, "invoice_now": True})
    assert ended.status == "canceled"
    assert who.v1.customers.retrieve(who.customer).balance == -1000
    assert who.v1.invoices.retrieve(ended.latest_invoice).total == -1000


def test_collection_that_is_paused_bills_nothing_and_goes_on_by_itself(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    pause = {"behavior": "void", "resumes_at": NEW_YEAR + 40 * DAY}
    who.v1.subscriptions.update(made.id, params={"pause_collection": pause})
    who.wait(days=31, hours=2)
    assert who.latest(made).status == "void"
    who.wait(days=10)
    assert who.reread(made).pause_collection is None
    who.wait(days=18, hours=2)
    assert who.latest(made).status == "paid"


def test_a_paused_subscription_resumes_in_a_new_period_once_it_is_paid(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=15.5)
    paused = who.v1.subscriptions.pause(made.id)
    assert paused.status == "paused"
    assert paused.status_details.paused.subscription.type == "pause_requested"
    who.wait(days=30)
    assert len(who.invoices(made)) == 1
    resumed = who.v1.subscriptions.resume(made.id)
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", who.now)
    # The half month that was paid and not used comes off.
    assert who.latest(made).total == 1999 - 1000
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(
        who.events(made.id)
    )
