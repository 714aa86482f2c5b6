"""Checkout where nothing is paid now: trials, coupons for everything, and cards saved for later."""

import re
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.plans import DAY
from tests.sandbox.running import Process, Shop, open_shop

_WEEK = {"trial_period_days": 7}


def _free(session: Any, **fields: str) -> requests.Response:
    """The form of a page that asks for no card, sent as a browser would."""
    typed = {"email": "ada@example.com", "name": "Ada Lovelace", **fields}
    return requests.post(session.url, typed, allow_redirects=False, timeout=10)


def _setup(shop: Shop, **extra: Any) -> Any:
    params: Any = {
        "mode": "setup",
        "currency": "usd",
        "success_url": "http://localhost:1/success?session_id={CHECKOUT_SESSION_ID}",
        **extra,
    }
    return shop.client.v1.checkout.sessions.create(params=params)


def test_a_trial_takes_a_card_and_no_money(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer(), subscription_data=_WEEK)
    assert (session.amount_subtotal, session.amount_total) == (0, 0)
    page = requests.get(session.url, timeout=5).text
    assert "Start trial</button>" in page
    assert re.search(r"Free until \d+ \w+ \d+\. Then \$19\.99 a month, from this card,", page)
    assert shop.pay(session, "4000000000000002").status_code == 402
    assert shop.pay(session).status_code == 303
    done = shop.reread(session, "subscription.default_payment_method", "invoice")
    subscription, invoice = done.subscription, done.invoice
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert (subscription.status, subscription.trial_end - subscription.trial_start) == (
        "trialing",
        7 * DAY,
    )
    assert (invoice.status, invoice.total, invoice.lines.data[0].amount) == ("paid", 0, 0)
    assert subscription.default_payment_method.customer == done.customer
    assert (done.payment_intent, done.setup_intent, subscription.pending_setup_intent) == (
        None,
        None,
        None,
    )
    assert shop.events_about(done.customer, subscription.id, session.id) == [
        "customer.created",
        "setup_intent.created",
        "setup_intent.setup_failed",
        "payment_method.attached",
        "setup_intent.succeeded",
        "customer.updated",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]


def test_a_trial_that_ends_charges_the_card_it_took(own_sandbox: Process) -> None:
    shop = open_shop(own_sandbox)
    session = shop.checkout(subscription_data=_WEEK)
    shop.pay(session)
    own_sandbox.advance(7 * DAY + 3700)
    done = shop.reread(session, "subscription.latest_invoice")
    assert done.subscription.status == "active"
    assert done.subscription.latest_invoice.amount_paid == 1999


def test_the_bank_is_asked_about_the_card_of_a_trial(shop: Shop) -> None:
    session = shop.checkout(subscription_data=_WEEK)
    bank = shop.pay(session, "4000002500003155").headers["Location"]
    assert "/c/confirm/seti_" in bank
    assert "confirm that this card may be saved" in requests.get(bank, timeout=5).text
    failed = requests.post(bank, {"answer": "fail"}, timeout=5)
    assert "You did not confirm this card with your bank." in failed.text
    assert shop.reread(session).status == "open"
    bank = shop.pay(session, "4000002500003155").headers["Location"]
    done = requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=5)
    assert done.headers["Location"].endswith(session.id)
    assert shop.reread(session, "subscription").subscription.status == "trialing"


def test_a_trial_without_a_card_says_what_happens_then(shop: Shop) -> None:
    wanted = {
        **_WEEK,
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }
    session = shop.checkout(subscription_data=wanted, payment_method_collection="if_required")
    page = requests.get(session.url, timeout=5).text
    assert "Without a card your plan ends then." in page
    assert 'name="number"' not in page
    assert _free(session).status_code == 303
    done = shop.reread(session, "subscription")
    assert (done.subscription.status, done.subscription.default_payment_method) == (
        "trialing",
        None,
    )
    assert done.customer_details.email == "ada@example.com"


def test_what_is_sold_once_is_paid_at_the_start_of_a_trial(shop: Shop) -> None:
    lines = [{"price": shop.pack, "quantity": 1}, {"price": shop.plan, "quantity": 1}]
    session = shop.checkout(line_items=lines, subscription_data=_WEEK)
    assert session.amount_total == 990
    assert shop.pay(session).status_code == 303
    done = shop.reread(session, "invoice", "subscription")
    assert (done.payment_status, done.subscription.status) == ("paid", "trialing")
    assert [line.amount for line in done.invoice.lines.data] == [0, 990]


def test_a_coupon_for_everything_leaves_nothing_to_pay_and_still_takes_a_card(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create(params={"percent_off": 100, "duration": "once"})
    session = shop.checkout(customer=shop.customer(), discounts=[{"coupon": coupon.id}])
    assert "Subscribe</button>" in requests.get(session.url, timeout=5).text
    assert shop.pay(session).status_code == 303
    done = shop.reread(session, "subscription", "invoice")
    assert (done.payment_status, done.subscription.status) == ("no_payment_required", "active")
    assert (done.invoice.total, done.invoice.status) == (0, "paid")
    # It counted for one invoice, and that was this one.
    assert done.subscription.discounts == []
    assert done.subscription.default_payment_method


def test_an_order_that_costs_nothing_is_completed_without_a_payment(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create(params={"percent_off": 100})
    session = shop.checkout_pack(discounts=[{"coupon": coupon.id}])
    assert "Complete order</button>" in requests.get(session.url, timeout=5).text
    assert _free(session).status_code == 303
    done = shop.reread(session)
    assert (done.status, done.payment_status, done.payment_intent) == (
        "complete",
        "no_payment_required",
        None,
    )
    assert "This is done" in requests.get(session.url, timeout=5).text
    assert shop.client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_a_code_for_everything_after_a_declined_card_takes_the_payment_back(shop: Shop) -> None:
    v1 = shop.client.v1
    coupon = v1.coupons.create(params={"percent_off": 100})
    code = v1.promotion_codes.create(params={"promotion": {"type": "coupon", "coupon": coupon.id}})
    session = shop.checkout_pack(customer=shop.customer(), allow_promotion_codes=True)
    assert shop.pay(session, "4000000000000002").status_code == 402
    begun = v1.payment_intents.list(params={"customer": session.customer}).data[0]
    assert shop.pay(session, code=code.code).status_code == 409
    assert _free(session).status_code == 303
    assert shop.reread(session).payment_status == "no_payment_required"
    assert v1.payment_intents.retrieve(begun.id).status == "canceled"


def test_a_setup_saves_a_card_for_later(shop: Shop) -> None:
    customer = shop.customer()
    session = _setup(shop, customer=customer, setup_intent_data={"metadata": {"for": "later"}})
    assert (session.amount_total, session.payment_status) == (None, "no_payment_required")
    assert session.setup_intent
    page = requests.get(session.url, timeout=5).text
    assert "Nothing is charged now." in page
    assert "Save card</button>" in page
    assert shop.pay(session).status_code == 303
    done = shop.reread(session, "setup_intent.payment_method")
    setup = done.setup_intent
    assert (done.status, setup.status, setup.metadata.to_dict()) == (
        "complete",
        "succeeded",
        {"for": "later"},
    )
    assert setup.payment_method.customer == customer
    assert shop.events_about(session.id, setup.id) == [
        "setup_intent.created",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_setup_that_expires_cancels_its_setup_intent(shop: Shop) -> None:
    session = _setup(shop)
    shop.client.v1.checkout.sessions.expire(session.id)
    assert shop.client.v1.setup_intents.retrieve(session.setup_intent).status == "canceled"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "can not pass `line_items`"),
        ({"currency": ""}, "currency"),
        ({"automatic_tax": {"enabled": True}}, "can not pass `automatic_tax`"),
        ({"submit_type": "pay"}, "can not pass `submit_type`"),
    ],
)
def test_a_setup_sells_nothing(shop: Shop, extra: dict[str, Any], message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        _setup(shop, **extra)


def test_a_trial_ends_two_days_from_now_at_the_earliest(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at least 2 days"):
        shop.checkout(subscription_data={"trial_end": 1})
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these"):
        shop.checkout(subscription_data={"trial_end": 4102444800, "trial_period_days": 1})
