"""Bank debits: promised now, decided later on the sandbox clock."""

from typing import Any

import pytest

from tests.sandbox.payer import ONLINE, Payer

# Account, seconds until it is decided, how that ends, the code if it failed.
ENDINGS = [
    ("usBankAccount_success", 3, "succeeded", None),
    ("usBankAccount_accountClosed", 3, "requires_payment_method", "account_closed"),
    ("usBankAccount_noAccount", 3, "requires_payment_method", "no_account"),
    ("usBankAccount_insufficientFunds", 3, "requires_payment_method", "insufficient_funds"),
    ("usBankAccount_debitNotAuthorized", 3, "requires_payment_method", "debit_not_authorized"),
    (
        "usBankAccount_weeklyLimitExceeded",
        3,
        "requires_payment_method",
        "charge_exceeds_source_limit",
    ),
    ("sepaDebit_success", 3, "succeeded", None),
    (
        "sepaDebit_failed",
        3,
        "requires_payment_method",
        "payment_intent_payment_attempt_failed",
    ),
    ("sepaDebit_successDelayed", 180, "succeeded", None),
    (
        "sepaDebit_failedDelayed",
        180,
        "requires_payment_method",
        "payment_intent_payment_attempt_failed",
    ),
]


@pytest.mark.parametrize(
    ("account", "seconds", "status", "code"), ENDINGS, ids=[ending[0] for ending in ENDINGS]
)
def test_a_debit_is_under_way_until_its_time_and_then_decided(
    timed_payer: Payer, account: str, seconds: int, status: str, code: str | None
) -> None:
    payer = timed_payer
    tried = payer.debit(account, expand=["latest_charge"])
    assert (tried.status, tried.amount_received) == ("processing", 0)
    charge = tried.latest_charge
    assert (charge.status, charge.paid, charge.id[:3]) == ("pending", False, "py_")
    assert charge.balance_transaction is None
    payer.sandbox.advance(seconds)
    ended = payer.v1.payment_intents.retrieve(tried.id, params={"expand": ["latest_charge"]})
    assert ended.status == status
    if code is None:
        # 2.9 % of 2000 is 58, and 30: 88.
        assert payer.moves(charge.id) == [("payment", 2000, 88)]
        last = ["charge.succeeded", "payment_intent.succeeded"]
    else:
        assert (ended.last_payment_error.code, ended.latest_charge.failure_code) == (code, code)
        last = ["charge.failed", "payment_intent.payment_failed"]
    assert payer.events(tried.id, charge.id) == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        *last,
    ]


def test_a_debit_that_is_never_decided_can_be_canceled(timed_payer: Payer) -> None:
    payer = timed_payer
    tried = payer.debit("usBankAccount_processing")
    payer.sandbox.advance(30 * 24 * 3600)
    assert payer.v1.payment_intents.retrieve(tried.id).status == "processing"
    assert payer.v1.payment_intents.cancel(tried.id).status == "canceled"
    assert payer.v1.charges.retrieve(tried.latest_charge).status == "failed"


def test_a_debit_needs_a_mandate_and_names_it(payer: Payer) -> None:
    params: dict[str, Any] = {
        "amount": 900,
        "currency": "usd",
        "payment_method": "pm_usBankAccount_success",
        "confirm": True,
    }
    error = payer.refused(payer.v1.payment_intents.create, params=params)
    assert error.code == "payment_intent_mandate_invalid"
    paid = payer.v1.payment_intents.create(
        params={**params, "mandate_data": ONLINE, "expand": ["latest_charge"]}
    )
    mandate = paid.latest_charge.payment_method_details.us_bank_account.mandate
    assert payer.v1.mandates.retrieve(mandate).payment_method == paid.payment_method


def test_a_debit_cannot_be_held_and_pays_in_its_own_currency_only(payer: Payer) -> None:
    error = payer.refused(payer.debit, "usBankAccount_success", capture_method="manual")
    assert "not allowed for this PaymentIntent" in str(error)
    error = payer.refused(payer.debit, "usBankAccount_success", currency="eur")
    assert "These are: card, sepa_debit" in str(error)


def test_a_risky_account_is_refused_at_once(payer: Payer) -> None:
    error = payer.refused(payer.debit, "usBankAccount_riskLevelHighest")
    assert error.code == "card_declined"


def test_a_disputed_debit_is_lost_from_its_first_moment(timed_payer: Payer) -> None:
    payer = timed_payer
    tried = payer.debit("sepaDebit_disputed")
    payer.sandbox.advance(3)
    paid = payer.v1.payment_intents.retrieve(tried.id, params={"expand": ["latest_charge"]})
    assert (paid.status, paid.latest_charge.disputed) == ("succeeded", True)
    dispute = payer.v1.disputes.list(params={"payment_intent": tried.id}).data[0]
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")
    assert [move.amount for move in dispute.balance_transactions] == [-2000]
    error = payer.refused(
        payer.v1.disputes.update, dispute.id, params={"evidence": {"uncategorized_text": "x"}}
    )
    assert "already closed" in str(error)


def test_a_checkout_by_debit_is_complete_before_it_is_paid(timed_payer: Payer) -> None:
    payer = timed_payer
    v1 = payer.v1
    session = v1.checkout.sessions.create(
        params={
            "mode": "payment",
            "success_url": "http://localhost:1/s",
            "line_items": [
                {
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 1500,
                        "product_data": {"name": "P"},
                    },
                    "quantity": 2,
                }
            ],
        }
    )
    assert session.payment_method_types == ["card", "sepa_debit"]
    method = v1.payment_methods.create(
        params={
            "type": "sepa_debit",
            "sepa_debit": {"iban": "IT60X0542811101000000123456"},
            "billing_details": {"name": "Jenny Rosen", "email": "jenny@example.com"},
        }
    )
    answer = payer.sandbox.post(
        f"/v1/payment_pages/{session.id}/confirm",
        {"payment_method": method.id, "expected_amount": "3000"},
    )
    assert answer.ok, answer.text
    assert (answer.json()["status"], answer.json()["payment_status"]) == ("complete", "unpaid")
    payer.sandbox.advance(3)
    assert payer.events(session.id) == [
        "checkout.session.completed",
        "checkout.session.async_payment_failed",
    ]
