"""New subscriptions: every way the first payment can go, trials, and what is refused."""

import pytest
import stripe

from tests.sandbox import plans
from tests.sandbox.plans import DAY, NEW_YEAR, subscriber
from tests.sandbox.running import Shop


def test_a_subscription_that_is_paid_at_once_is_active_and_says_what_happened(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan, expand=["latest_invoice.payments"])
    assert (made.status, made.currency, made.start_date) == ("active", "usd", NEW_YEAR)
    item = made["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (NEW_YEAR, NEW_YEAR + 31 * DAY)
    invoice = made.latest_invoice
    assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == (
        "paid",
        "subscription_create",
        1999,
    )
    assert invoice.parent.subscription_details.subscription == made.id
    assert invoice.payments.data[0].status == "paid"
    assert who.events(made.id, invoice.id)[-10:] == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]


def test_a_first_payment_that_fails_leaves_it_incomplete_until_it_is_paid(shop: Shop) -> None:
    who = subscriber(shop, card=plans.FAILS_LATER)
    made = who.subscribe(shop.plan)
    assert made.status == "incomplete"
    assert who.latest(made).status == "open"
    who.pay_with(plans.VISA)
    paid = who.v1.invoices.pay(made.latest_invoice)
    assert paid.status == "paid"
    assert who.reread(made).status == "active"


def test_nobody_pays_for_23_hours_and_the_subscription_will_not_begin(shop: Shop) -> None:
    who = subscriber(shop, card=plans.FAILS_LATER)
    made = who.subscribe(shop.plan)
    who.wait(hours=22)
    assert who.reread(made).status == "incomplete"
    who.wait(hours=2)
    ended = who.reread(made)
    assert (ended.status, ended.ended_at) == ("incomplete_expired", NEW_YEAR + 23 * 3600)
    assert who.latest(made).status == "void"


def test_default_incomplete_waits_for_whoever_confirms_its_payment(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(
        shop.plan,
        payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    )
    assert (made.status, made.latest_invoice.status) == ("incomplete", "open")
    intent = made.latest_invoice.payments.data[0].payment.payment_intent
    assert made.latest_invoice.confirmation_secret.client_secret.startswith(intent)
    who.v1.payment_intents.confirm(intent, params={"payment_method": "pm_card_visa"})
    assert who.reread(made).status == "active"
    assert who.latest(made).status == "paid"


def test_error_if_incomplete_refuses_and_keeps_nothing(shop: Shop) -> None:
    who = subscriber(shop, card=plans.FAILS_LATER)
    with pytest.raises(stripe.CardError) as refused:
        who.subscribe(shop.plan, payment_behavior="error_if_incomplete")
    assert refused.value.http_status == 402
    assert who.v1.subscriptions.list(params={"customer": who.customer, "status": "all"}).data == []
    assert who.v1.invoices.list(params={"customer": who.customer}).data == []


def test_without_a_method_a_subscription_is_refused_with_a_sentence(shop: Shop) -> None:
    who = subscriber(shop, card=None)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        who.subscribe(shop.plan)
    assert who.v1.subscriptions.list(params={"customer": who.customer, "status": "all"}).data == []


def test_a_bank_that_asks_leaves_it_incomplete_until_its_owner_agrees(shop: Shop) -> None:
    who = subscriber(shop)
    who.pay_with("pm_card_threeDSecure2Required")
    made = who.subscribe(shop.plan, expand=["latest_invoice.payments"])
    assert made.status == "incomplete"
    intent = who.v1.payment_intents.retrieve(
        made.latest_invoice.payments.data[0].payment.payment_intent
    )
    assert intent.status == "requires_action"
    assert "invoice.payment_action_required" in who.events(made.latest_invoice.id)


def test_a_trial_costs_nothing_announces_its_end_and_is_then_charged(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan, trial_period_days=14)
    assert (made.status, made.trial_end) == ("trialing", NEW_YEAR + 14 * DAY)
    first = who.latest(made)
    assert (first.status, first.total, first.billing_reason) == ("paid", 0, "subscription_create")
    who.wait(days=12)
    assert "customer.subscription.trial_will_end" in who.events(made.id)
    who.wait(days=2, hours=2)
    after = who.reread(made)
    assert (after.status, after.billing_cycle_anchor) == ("active", NEW_YEAR + 14 * DAY)
    assert who.latest(made).amount_paid == 1999
    assert who.latest(made).billing_reason == "subscription_cycle"


@pytest.mark.parametrize(
    ("behaviour", "status", "event"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "invoice.payment_failed"),
    ],
)
def test_a_trial_without_a_card_ends_as_it_was_told(
    shop: Shop, behaviour: str, status: str, event: str
) -> None:
    who = subscriber(shop, card=None)
    settings = {"end_behavior": {"missing_payment_method": behaviour}}
    made = who.subscribe(shop.plan, trial_period_days=3, trial_settings=settings)
    who.wait(days=3, hours=2)
    assert who.reread(made).status == status
    assert event in who.events(made.id)


def test_an_invoice_to_be_sent_is_due_on_its_day_and_late_after_it(shop: Shop) -> None:
    who = subscriber(shop, card=None)
    made = who.subscribe(shop.plan, collection_method="send_invoice", days_until_due=7)
    assert made.status == "active"
    who.wait(hours=2)
    sent = who.latest(made)
    assert (sent.status, sent.due_date) == ("open", NEW_YEAR + 7 * DAY)
    assert "invoice.sent" in who.events(sent.id)
    who.wait(days=8)
    assert who.reread(made).status == "past_due"
    who.v1.invoices.pay(sent.id, params={"paid_out_of_band": True})
    assert who.reread(made).status == "active"


def test_a_chosen_anchor_bills_the_days_until_it_and_then_whole_months(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan, billing_cycle_anchor=NEW_YEAR + 10 * DAY)
    # 11 Dec to 11 Jan has 31 days, of which 10 are left: 1999 x 10 / 31 = 644.8.
    assert who.latest(made).amount_paid == 645
    who.wait(days=10, hours=2)
    assert who.latest(made).amount_paid == 1999
    item = who.reread(made)["items"].data[0]
    assert item.current_period_start == NEW_YEAR + 10 * DAY
    assert item.current_period_end == NEW_YEAR + 41 * DAY


def test_what_a_coupon_takes_off_is_on_the_invoices_it_lasts_for(shop: Shop) -> None:
    who = subscriber(shop)
    coupon = who.v1.coupons.create(
        params={"percent_off": 25, "duration": "repeating", "duration_in_months": 2}
    )
    made = who.subscribe(shop.plan, discounts=[{"coupon": coupon.id}])
    who.wait(days=31, hours=2)
    who.wait(days=28, hours=2)
    # 25 % of 1999 is 499.75: 500 off, twice.
    assert [invoice.total for invoice in who.invoices(made)] == [1999, 1499, 1499]


def test_tax_is_on_top_where_the_customer_lives_and_refused_where_nobody_knows(
    shop: Shop,
) -> None:
    who = subscriber(shop)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.subscribe(shop.plan, automatic_tax={"enabled": True})
    assert refused.value.code == "customer_tax_location_invalid"
    address = {"country": "DE", "postal_code": "10115"}
    who.v1.customers.update(who.customer, params={"address": address})
    made = who.subscribe(shop.plan, automatic_tax={"enabled": True})
    invoice = who.latest(made)
    # 19 % of 1999 is 379.81.
    assert (invoice.subtotal, invoice.total_taxes[0].amount, invoice.total) == (1999, 380, 2379)
    assert invoice.automatic_tax.status == "complete"
    assert invoice.lines.data[0].taxes[0].taxability_reason == "standard_rated"


@pytest.mark.parametrize(
    ("extra", "param"),
    [
        ({"trial_period_days": 5, "trial_end": NEW_YEAR + DAY}, None),
        ({"trial_end": NEW_YEAR - 1}, "trial_end"),
        ({"billing_cycle_anchor": NEW_YEAR + 40 * DAY}, "billing_cycle_anchor"),
        ({"days_until_due": 3}, "days_until_due"),
        ({"default_payment_method": "pm_nobody"}, "payment_method"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_name(
    shop: Shop, extra: dict[str, object], param: str | None
) -> None:
    who = subscriber(shop)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.subscribe(shop.plan, **extra)
    assert refused.value.param == param
