"""The hosted page as a program calls it: what Stripe's command line tool does."""

from typing import Any

import pytest

from tests.sandbox.payer import Payer
from tests.sandbox.running import Shop


def _confirm(payer: Payer, session: Any, method: str, **fields: str) -> Any:
    return payer.sandbox.post(
        f"/v1/payment_pages/{session.id}/confirm", {"payment_method": method, **fields}
    )


def _method(payer: Payer, token: str) -> str:
    method = payer.v1.payment_methods.create(
        params={
            "type": "card",
            "card": {"token": token},
            "billing_details": {
                "name": "Jenny Rosen",
                "email": "jenny@example.com",
                "address": {"country": "US", "postal_code": "94080"},
            },
        }
    )
    return str(method.id)


@pytest.fixture
def session(shop: Shop) -> Any:
    return shop.checkout_pack(
        payment_intent_data={
            "shipping": {
                "name": "Jenny Rosen",
                "address": {"line1": "510 Townsend St", "city": "San Francisco"},
            }
        }
    )


def test_a_session_is_looked_at_and_paid_with_a_token(payer: Payer, session: Any) -> None:
    looked = payer.sandbox.get(f"/v1/payment_pages/{session.id}").json()
    assert (looked["id"], looked["status"]) == (session.id, "open")
    answer = _confirm(payer, session, _method(payer, "tok_visa"), expected_amount="990")
    assert answer.ok, answer.text
    done = payer.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.customer_details.email == "jenny@example.com"
    assert done.payment_intent.shipping.address.city == "San Francisco"
    again = _confirm(payer, session, _method(payer, "tok_visa"))
    assert again.json()["error"]["code"] == "checkout_not_active_session"


def test_a_sum_that_is_not_due_is_refused_before_anything_is_tried(
    payer: Payer, session: Any
) -> None:
    answer = _confirm(payer, session, _method(payer, "tok_visa"), expected_amount="991")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "checkout_amount_mismatch"
    assert payer.v1.checkout.sessions.retrieve(session.id).payment_intent is None


def test_a_refused_card_is_a_card_error_and_the_session_stays_open(
    payer: Payer, session: Any
) -> None:
    answer = _confirm(payer, session, _method(payer, "tok_chargeDeclined"))
    assert answer.status_code == 402
    assert answer.json()["error"]["decline_code"] == "generic_decline"
    assert payer.v1.checkout.sessions.retrieve(session.id).status == "open"
    account = payer.v1.payment_methods.retrieve("pm_sepaDebit_success").id
    refused = _confirm(payer, session, account)
    assert "cannot pay this Checkout Session" in refused.json()["error"]["message"]


def test_a_bank_that_asks_is_answered_on_its_page(payer: Payer, session: Any) -> None:
    answer = _confirm(payer, session, _method(payer, "tok_threeDSecure2Required"))
    assert answer.json()["status"] == "open"
    intent = payer.v1.payment_intents.list(params={"limit": 1}).data[0]
    assert intent.status == "requires_action"
    payer.answer(intent, "approve")
    assert payer.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
