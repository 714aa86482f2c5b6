"""PaymentIntents: made, changed, confirmed, captured and canceled."""

from typing import Any

import pytest
import stripe

from tests.sandbox.payer import Payer

DAY = 24 * 3600


def test_a_new_intent_names_the_methods_that_can_pay_in_its_currency(payer: Payer) -> None:
    for currency, kinds in (
        ("usd", ["card", "us_bank_account"]),
        ("eur", ["card", "sepa_debit"]),
        ("jpy", ["card"]),
    ):
        made = payer.v1.payment_intents.create(params={"amount": 500, "currency": currency})
        assert (made.status, made.payment_method_types) == ("requires_payment_method", kinds)


def test_methods_are_allowed_and_excluded_by_the_names_that_replaced_payment_method_types(
    payer: Payer,
) -> None:
    create = payer.v1.payment_intents.create
    only = create(
        params={"amount": 500, "currency": "usd", "allowed_payment_method_types": ["card"]}
    )
    assert only.payment_method_types == ["card"]
    without = create(
        params={"amount": 500, "currency": "usd", "excluded_payment_method_types": ["card"]}
    )
    assert without.payment_method_types == ["us_bank_account"]
    error = payer.refused(payer.pay, "visa", excluded_payment_method_types=["card"])
    assert "not allowed for this PaymentIntent" in str(error)
    old: Any = {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
    assert payer.refused(create, params=old).code == "parameter_unknown"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (50, "usd", None),
        (29, "gbp", "amount_too_small"),
        (30, "gbp", None),
        (49, "jpy", "amount_too_small"),
        (17499, "huf", "amount_too_small"),
        (99_999_999, "usd", None),
        (100_000_000, "usd", "amount_too_large"),
        (999_999_999, "inr", None),
    ],
)
def test_a_sum_below_or_above_what_stripe_charges_is_refused(
    payer: Payer, amount: int, currency: str, code: str | None
) -> None:
    create = payer.v1.payment_intents.create
    params = {"amount": amount, "currency": currency}
    if code is None:
        assert create(params=params).amount == amount
    else:
        error = payer.refused(create, params=params)
        assert (error.code, error.error and error.error.param) == (code, "amount")


def test_a_currency_without_parts_is_charged_in_whole_units(payer: Payer) -> None:
    create = payer.v1.payment_intents.create
    assert create(params={"amount": 5000, "currency": "isk"}).amount == 5000
    error = payer.refused(create, params={"amount": 5001, "currency": "isk"})
    assert "steps of 100" in str(error)


def test_a_method_named_at_creation_waits_to_be_confirmed(payer: Payer) -> None:
    made = payer.pay(confirm=False)
    assert made.status == "requires_confirmation"
    assert payer.v1.payment_intents.confirm(made.id).status == "succeeded"


def test_a_card_may_come_along_instead_of_a_method(payer: Payer) -> None:
    described = {
        "type": "card",
        "card": {"token": "tok_mastercard"},
        "billing_details": {"email": "ada@example.com"},
    }
    paid = payer.v1.payment_intents.create(
        params={
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "payment_method_data": described,
            "expand": ["payment_method"],
        }
    )
    assert (paid.status, paid.payment_method.card.brand) == ("succeeded", "mastercard")
    assert paid.payment_method.billing_details.email == "ada@example.com"
    error = payer.refused(payer.pay, "visa", payment_method_data=described)
    assert "only specify one" in str(error)


def test_what_belongs_to_a_try_is_refused_without_one(payer: Payer) -> None:
    error = payer.refused(payer.pay, "visa", confirm=False, off_session=True)
    assert "unless `confirm` is set to true" in str(error)


def test_a_customers_card_pays_only_for_that_customer(payer: Payer) -> None:
    v1 = payer.v1
    owner, other = v1.customers.create().id, v1.customers.create().id
    card = v1.payment_methods.attach("pm_card_visa", params={"customer": owner}).id
    error = payer.refused(payer.pay, payment_method=card)
    assert "belongs to a Customer" in str(error)
    error = payer.refused(payer.pay, payment_method=card, customer=other)
    assert "another customer" in str(error)
    assert payer.pay(payment_method=card, customer=owner).status == "succeeded"


def test_a_card_is_saved_with_the_payment_when_future_use_was_set_up(payer: Payer) -> None:
    customer = payer.v1.customers.create().id
    paid = payer.pay(customer=customer, setup_future_usage="off_session", expand=["payment_method"])
    assert paid.payment_method.customer == customer
    error = payer.refused(
        payer.pay, customer=customer, setup_future_usage="off_session", off_session=True
    )
    assert "off_session=true" in str(error)


def test_an_intent_is_changed_until_it_is_paid(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    made = v1.payment_intents.create(params={"amount": 500, "currency": "usd"})
    changed = v1.payment_intents.update(
        made.id,
        params={
            "amount": 700,
            "customer": customer,
            "description": "Order 6735",
            "metadata": {"order": "6735"},
            "payment_method": "pm_card_visa",
            "shipping": {"name": "Ada", "address": {"line1": "1 Main Street"}},
        },
    )
    assert (changed.amount, changed.customer, changed.status) == (
        700,
        customer,
        "requires_confirmation",
    )
    assert changed.shipping.address.to_dict()["city"] is None
    assert v1.payment_intents.confirm(made.id).amount_received == 700
    error = payer.refused(v1.payment_intents.update, made.id, params={"amount": 800})
    assert error.code == "payment_intent_unexpected_state"
    later = v1.payment_intents.update(made.id, params={"metadata": {"order": ""}})
    assert later.metadata.to_dict() == {}


def test_a_held_sum_is_captured_in_part_and_the_rest_let_go(payer: Payer) -> None:
    v1 = payer.v1
    held = payer.pay(capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == (
        "requires_capture",
        2000,
        0,
    )
    charge = held.latest_charge
    assert (charge.paid, charge.captured, charge.balance_transaction) == (True, False, None)
    assert payer.moves(charge.id) == []
    error = payer.refused(v1.payment_intents.capture, held.id, params={"amount_to_capture": 2001})
    assert error.code == "amount_too_large"
    taken = v1.payment_intents.capture(held.id, params={"amount_to_capture": 1500})
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 1500)
    charge = v1.charges.retrieve(charge.id, params={"expand": ["refunds"]})
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (1500, 500, False)
    assert [(r.amount, r.balance_transaction) for r in charge.refunds.data] == [(500, None)]
    # 2.9 % of 1500 is 43.5, rounded up 44, and 30: 74.
    assert payer.moves(charge.id) == [("charge", 1500, 74)]
    assert payer.events(held.id, charge.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]
    error = payer.refused(v1.payment_intents.capture, held.id)
    assert "may be captured: requires_capture" in str(error)
    assert v1.refunds.create(params={"charge": charge.id}).amount == 1500


def test_a_held_sum_is_let_go_when_the_intent_is_canceled(payer: Payer) -> None:
    held = payer.pay(capture_method="manual")
    error = payer.refused(payer.v1.refunds.create, params={"payment_intent": held.id})
    assert "must cancel the PaymentIntent" in str(error)
    gone = payer.v1.payment_intents.cancel(
        held.id, params={"cancellation_reason": "requested_by_customer"}
    )
    assert (gone.status, gone.amount_capturable) == ("canceled", 0)
    charge = payer.v1.charges.retrieve(held.latest_charge.id)
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 2000)
    assert payer.moves(charge.id) == []


def test_a_held_sum_nobody_captures_is_let_go_after_a_week(timed_payer: Payer) -> None:
    payer = timed_payer
    held = payer.pay(capture_method="manual")
    until = held.latest_charge.payment_method_details.card.capture_before
    assert until - held.created == 7 * DAY
    payer.sandbox.advance(7 * DAY - 60)
    assert payer.v1.payment_intents.retrieve(held.id).status == "requires_capture"
    payer.sandbox.advance(60)
    lapsed = payer.v1.payment_intents.retrieve(held.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert "charge.expired" in payer.events(held.latest_charge.id)
    refunds = payer.v1.refunds.list(params={"payment_intent": held.id}).data
    assert [refund.reason for refund in refunds] == ["expired_uncaptured_charge"]


def test_confirmed_by_hand_means_once_more_after_the_bank_was_asked(payer: Payer) -> None:
    asked = payer.pay("threeDSecure2Required", confirmation_method="manual")
    assert asked.status == "requires_action"
    payer.answer(asked, "approve")
    waiting = payer.v1.payment_intents.retrieve(asked.id)
    assert waiting.status == "requires_confirmation"
    assert payer.v1.payment_intents.confirm(asked.id).status == "succeeded"


def test_who_cannot_ask_the_payer_gets_an_error_instead_of_a_page(payer: Payer) -> None:
    error = payer.declined("authenticationRequired", error_on_requires_action=True)
    assert error.code == "authentication_required"
    assert error.payment_intent.status == "requires_payment_method"


def test_three_d_secure_is_asked_for_by_the_merchant_where_the_card_has_it(payer: Payer) -> None:
    wish = {"card": {"request_three_d_secure": "any"}}
    assert payer.pay("threeDSecureOptional").status == "succeeded"
    asked = payer.pay("threeDSecureOptional", payment_method_options=wish)
    assert asked.status == "requires_action"
    assert payer.pay("visa", payment_method_options=wish).status == "succeeded"
    assert payer.pay("amex_threeDSecureNotSupported", payment_method_options=wish).status == (
        "succeeded"
    )
    payer.answer(asked, "approve")
    paid = payer.v1.payment_intents.retrieve(asked.id, params={"expand": ["latest_charge"]})
    assert paid.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_a_client_secret_opens_its_own_intent_only(payer: Payer) -> None:
    v1 = payer.v1
    made = v1.payment_intents.create(params={"amount": 500, "currency": "usd"})
    with_it = v1.payment_intents.retrieve(made.id, params={"client_secret": made.client_secret})
    assert with_it.id == made.id
    with pytest.raises(stripe.InvalidRequestError, match="does not match"):
        v1.payment_intents.retrieve(made.id, params={"client_secret": "pi_x_secret_y"})


def test_a_card_can_be_held_or_saved_by_its_own_options(payer: Payer) -> None:
    held = payer.pay(payment_method_options={"card": {"capture_method": "manual"}})
    assert (held.status, held.capture_method) == ("requires_capture", "automatic_async")
    customer = payer.v1.customers.create().id
    saved = payer.pay(
        customer=customer,
        payment_method_options={"card": {"setup_future_usage": "off_session"}},
        expand=["payment_method"],
    )
    assert saved.payment_method.customer == customer
    loose = payer.pay(
        customer=customer,
        setup_future_usage="off_session",
        payment_method_options={"card": {"setup_future_usage": "none"}},
        expand=["payment_method"],
    )
    assert loose.payment_method.customer is None


def test_changing_the_sum_takes_back_the_banks_question(payer: Payer) -> None:
    asked = payer.pay("threeDSecure2Required")
    changed = payer.v1.payment_intents.update(asked.id, params={"amount": 2100})
    assert (changed.status, changed.next_action) == ("requires_confirmation", None)
