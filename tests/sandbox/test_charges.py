"""Tokens and the older charges API."""

import pytest
import stripe

from tests.sandbox.payer import Payer

CARD = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}


def test_a_token_is_made_of_a_card_used_once_and_keeps_no_number(payer: Payer) -> None:
    v1 = payer.v1
    token = v1.tokens.create(params={"card": {**CARD, "name": "Ada Lovelace"}})
    assert (token.type, token.used, token.card.last4) == ("card", False, "4242")
    assert token.card.name == "Ada Lovelace"
    charge = v1.charges.create(params={"amount": 500, "currency": "usd", "source": token.id})
    assert (charge.status, charge.captured, charge.payment_intent) == ("succeeded", True, None)
    assert charge.source.last4 == "4242"
    assert v1.tokens.retrieve(token.id).used
    error = payer.refused(
        v1.charges.create, params={"amount": 500, "currency": "usd", "source": token.id}
    )
    assert error.code == "token_already_used"


def test_a_token_becomes_a_payment_method(payer: Payer) -> None:
    token = payer.v1.tokens.create(params={"card": CARD})
    method = payer.v1.payment_methods.create(params={"type": "card", "card": {"token": token.id}})
    assert (method.card.last4, method.card.exp_year) == ("4242", 2040)
    assert payer.pay(payment_method=method.id).status == "succeeded"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "4111111111111111"}, "card_declined"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 1995}, "invalid_expiry_year"),
        ({"exp_year": 2199}, "invalid_expiry_year"),
        ({"cvc": "99"}, "invalid_cvc"),
    ],
)
def test_a_card_that_cannot_be_is_refused_by_name(
    payer: Payer, change: dict[str, object], code: str
) -> None:
    error = payer.refused(payer.v1.tokens.create, params={"card": {**CARD, **change}})
    assert isinstance(error, stripe.CardError)
    assert error.code == code


def test_ready_made_tokens_behave_as_their_cards(payer: Payer) -> None:
    create = payer.v1.charges.create
    params = {"amount": 500, "currency": "usd"}
    assert create(params={**params, "source": "tok_mastercard"}).source.brand == "MasterCard"
    error = payer.refused(
        create, params={**params, "source": "tok_chargeDeclinedInsufficientFunds"}
    )
    assert isinstance(error, stripe.CardError) and error.error is not None
    assert error.error.decline_code == "insufficient_funds"
    failed = payer.v1.charges.retrieve(str(error.error.charge))
    assert (failed.status, failed.paid) == ("failed", False)
    # The older API cannot ask the payer anything.
    error = payer.refused(create, params={**params, "source": "tok_threeDSecure2Required"})
    assert error.code == "authentication_required"
    error = payer.refused(create, params={**params, "source": "tok_nonsense"})
    assert error.code == "resource_missing"
    assert "source or customer" in str(payer.refused(create, params=params))
    nobody = {**params, "customer": payer.v1.customers.create().id}
    assert "has no active card" in str(payer.refused(create, params=nobody))


def test_a_held_charge_is_captured_in_part_once(payer: Payer) -> None:
    v1 = payer.v1
    held = v1.charges.create(
        params={"amount": 900, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    assert (held.paid, held.captured) == (True, False)
    taken = v1.charges.capture(held.id, params={"amount": 600})
    assert (taken.captured, taken.amount_captured, taken.amount_refunded) == (True, 600, 300)
    error = payer.refused(v1.charges.capture, held.id)
    assert error.code == "charge_already_captured"
    through_intent = payer.pay(capture_method="manual")
    error = payer.refused(v1.charges.capture, through_intent.latest_charge.id)
    assert "Capture the PaymentIntent" in str(error)


def test_a_held_charge_is_let_go_by_a_refund(payer: Payer) -> None:
    v1 = payer.v1
    held = v1.charges.create(
        params={"amount": 900, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    v1.refunds.create(params={"charge": held.id})
    assert v1.charges.retrieve(held.id).refunded
    assert payer.moves(held.id) == []
    assert "nothing is held" in str(payer.refused(v1.charges.capture, held.id))


def test_a_charge_is_described_and_reported_as_fraud(payer: Payer) -> None:
    charge = payer.pay().latest_charge
    changed = payer.v1.charges.update(
        charge.id,
        params={
            "description": "Order 6735",
            "metadata": {"order": "6735"},
            "fraud_details": {"user_report": "fraudulent"},
        },
    )
    assert changed.description == "Order 6735"
    assert changed.fraud_details.to_dict() == {"user_report": "fraudulent"}
    assert payer.events(charge.id)[-1] == "charge.updated"


def test_a_held_charge_nobody_captures_lapses_after_a_week(timed_payer: Payer) -> None:
    v1 = timed_payer.v1
    held = v1.charges.create(
        params={"amount": 900, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    timed_payer.sandbox.advance(7 * 24 * 3600)
    assert v1.charges.retrieve(held.id).refunded
    assert timed_payer.events(held.id)[-2:] == ["charge.expired", "charge.refunded"]
