"""Refunds: at once, after a while, in vain, refused, and taken back by hand."""

import pytest

from tests.sandbox.payer import Payer


def test_a_refund_names_its_charge_reason_and_movement(payer: Payer) -> None:
    paid = payer.pay()
    refund = payer.v1.refunds.create(
        params={
            "payment_intent": paid.id,
            "amount": 500,
            "reason": "requested_by_customer",
            "metadata": {"ticket": "7"},
        }
    )
    assert (refund.status, refund.charge, refund.reason) == (
        "succeeded",
        paid.latest_charge.id,
        "requested_by_customer",
    )
    assert refund.destination_details.card.type == "refund"
    assert payer.moves(refund.id) == [("refund", -500, 0)]
    listed = payer.sandbox.get(f"/v1/charges/{refund.charge}/refunds").json()["data"]
    assert [found["id"] for found in listed] == [refund.id]
    one = payer.sandbox.get(f"/v1/charges/{refund.charge}/refunds/{refund.id}").json()
    assert one["id"] == refund.id
    error = payer.refused(
        payer.v1.refunds.create, params={"charge": refund.charge, "reason": "no_reason"}
    )
    assert "must be one of duplicate, fraudulent, requested_by_customer" in str(error)


def test_a_changed_refund_is_told_under_both_names(payer: Payer) -> None:
    refund = payer.v1.refunds.create(params={"payment_intent": payer.pay().id})
    payer.v1.refunds.update(refund.id, params={"metadata": {"order_id": "6735"}})
    assert payer.events(refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
    ]


def test_a_pending_refund_arrives_later(timed_payer: Payer) -> None:
    payer = timed_payer
    paid = payer.pay("pendingRefund")
    refund = payer.v1.refunds.create(params={"payment_intent": paid.id, "amount": 700})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert payer.v1.charges.retrieve(refund.charge).amount_refunded == 700
    payer.sandbox.advance(5)
    arrived = payer.v1.refunds.retrieve(refund.id)
    assert arrived.status == "succeeded"
    assert "pending_reason" not in arrived
    assert payer.events(refund.id)[-2:] == ["refund.updated", "charge.refund.updated"]


def test_a_refund_that_fails_gives_its_money_back_to_the_merchant(timed_payer: Payer) -> None:
    payer = timed_payer
    paid = payer.pay("refundFail")
    before = payer.balance()
    refund = payer.v1.refunds.create(params={"payment_intent": paid.id, "expand": ["charge"]})
    assert (refund.status, refund.charge.refunded) == ("succeeded", True)
    payer.sandbox.advance(5)
    failed = payer.v1.refunds.retrieve(
        refund.id, params={"expand": ["failure_balance_transaction"]}
    )
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 2000
    assert payer.moves(refund.id) == [("refund", -2000, 0), ("refund_failure", 2000, 0)]
    charge = payer.v1.charges.retrieve(refund.charge.id)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    assert payer.balance() == before
    assert payer.events(refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]


def test_a_debit_is_given_back_after_a_while(timed_payer: Payer) -> None:
    payer = timed_payer
    promised = payer.debit("usBankAccount_processing")
    error = payer.refused(payer.v1.refunds.create, params={"payment_intent": promised.id})
    assert "does not have a successful charge" in str(error)
    paid = payer.debit("usBankAccount_success")
    payer.sandbox.advance(3)
    refund = payer.v1.refunds.create(params={"payment_intent": paid.id})
    assert (refund.status, refund.id[:4]) == ("pending", "pyr_")
    payer.sandbox.advance(5)
    assert payer.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert payer.moves(refund.id) == [("payment_refund", -2000, 0)]


def test_a_disputed_charge_is_not_refunded_besides(payer: Payer) -> None:
    paid = payer.pay("createDispute")
    error = payer.refused(payer.v1.refunds.create, params={"payment_intent": paid.id})
    assert error.code == "charge_disputed"
    assert payer.v1.refunds.list(params={"payment_intent": paid.id}).data == []


def test_stripes_api_does_not_cancel_a_card_refund_but_its_dashboard_does(
    timed_payer: Payer,
) -> None:
    payer = timed_payer
    paid = payer.pay()
    refund = payer.v1.refunds.create(params={"payment_intent": paid.id})
    error = payer.refused(payer.v1.refunds.cancel, refund.id)
    assert "Canceling this refund is unsupported" in str(error)
    answer = payer.desk(f"refunds/{refund.id}/cancel")
    assert answer.json()["status"] == "canceled", answer.text
    assert payer.v1.charges.retrieve(refund.charge).amount_refunded == 0
    assert payer.desk(f"refunds/{refund.id}/cancel").status_code == 400
    late = payer.v1.refunds.create(params={"payment_intent": paid.id})
    payer.sandbox.advance(29 * 60)
    assert payer.desk(f"refunds/{late.id}/cancel").ok
    later = payer.v1.refunds.create(params={"payment_intent": paid.id})
    payer.sandbox.advance(30 * 60 + 1)
    assert "30 minutes" in payer.desk(f"refunds/{later.id}/cancel").text


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_no_refund(payer: Payer, amount: int) -> None:
    paid = payer.pay()
    error = payer.refused(
        payer.v1.refunds.create, params={"payment_intent": paid.id, "amount": amount}
    )
    assert error.code == "parameter_invalid_integer"
