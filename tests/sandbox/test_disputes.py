"""Disputes: complained, answered, decided, given up, overdue; inquiries and warnings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.payer import Payer
from tests.sandbox.running import eventually

DAY = 24 * 3600
START = 1_800_000_000


@dataclass
class Clocked:
    """A customer on a test clock: its moments are exact, however slow this machine is."""

    payer: Payer
    clock: str
    customer: str

    def disputed(self, card: str = "createDispute") -> Any:
        """The dispute of a payment that was just made."""
        paid = self.payer.pay(card, customer=self.customer)
        return self.payer.v1.disputes.list(params={"payment_intent": paid.id}).data[0]

    def dispute(self, dispute: Any) -> Any:
        """The dispute as it is now."""
        return self.payer.v1.disputes.retrieve(dispute.id)

    def answer(self, dispute: Any, words: str) -> Any:
        """The dispute with these words handed in as evidence."""
        return self.payer.v1.disputes.update(
            dispute.id, params={"evidence": {"uncategorized_text": words}}
        )

    def move_to(self, moment: int) -> None:
        """The clock shows the moment and all that was due until then is done."""
        clocks = self.payer.v1.test_helpers.test_clocks
        clocks.advance(self.clock, params={"frozen_time": moment})
        eventually(lambda: clocks.retrieve(self.clock).status == "ready")


@pytest.fixture
def clocked(payer: Payer) -> Iterator[Clocked]:
    clock = payer.v1.test_helpers.test_clocks.create(params={"frozen_time": START}).id
    customer = payer.v1.customers.create(params={"test_clock": clock}).id
    yield Clocked(payer, clock, customer)


@pytest.mark.parametrize(
    ("card", "reason", "network_code"),
    [
        ("createDispute", "fraudulent", "10.4"),
        ("createDisputeProductNotReceived", "product_not_received", "13.1"),
    ],
)
def test_a_dispute_takes_the_sum_and_a_fee_at_once(
    clocked: Clocked, card: str, reason: str, network_code: str
) -> None:
    payer = clocked.payer
    paid = payer.pay(card, customer=clocked.customer)
    dispute = payer.v1.disputes.list(params={"charge": paid.latest_charge.id}).data[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 2000)
    assert dispute.id.startswith("du_")
    assert dispute.payment_method_details.card.network_reason_code == network_code
    assert dispute.payment_method_details.card.case_type == "chargeback"
    assert not dispute.is_charge_refundable
    # To be answered by the end of the eighth day.
    assert dispute.evidence_details.due_by == (START // DAY + 9) * DAY - 1
    assert payer.moves(dispute.id) == [("adjustment", -2000, 1500)]
    assert [move.net for move in dispute.balance_transactions] == [-3500]
    assert payer.v1.charges.retrieve(paid.latest_charge.id).disputed
    assert payer.events(paid.id, paid.latest_charge.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
    ]


def test_winning_evidence_brings_the_sum_back_and_not_the_fee(clocked: Clocked) -> None:
    payer = clocked.payer
    dispute = clocked.disputed()
    handed_in = clocked.answer(dispute, "winning_evidence")
    assert handed_in.status == "under_review"
    details = handed_in.evidence_details
    assert (details.has_evidence, details.submission_count, details.submission_method) == (
        True,
        1,
        "manual",
    )
    clocked.move_to(START + 4)
    assert clocked.dispute(dispute).status == "under_review"
    clocked.move_to(START + 5)
    won = clocked.dispute(dispute)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    assert payer.moves(dispute.id) == [("adjustment", -2000, 1500), ("adjustment", 2000, 0)]
    assert payer.events(dispute.id) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    # What was won can be refunded again.
    assert payer.v1.refunds.create(params={"charge": dispute.charge}).status == "succeeded"
    error = payer.refused(payer.v1.disputes.close, dispute.id)
    assert "already closed" in str(error)


@pytest.mark.parametrize(
    ("words", "decided"), [("losing_evidence", START + 5), ("He was there.", START + 60 * DAY)]
)
def test_other_evidence_does_not_convince_the_bank(
    clocked: Clocked, words: str, decided: int
) -> None:
    dispute = clocked.disputed()
    clocked.answer(dispute, words)
    clocked.move_to(decided - 1)
    assert clocked.dispute(dispute).status == "under_review"
    clocked.move_to(decided)
    assert clocked.dispute(dispute).status == "lost"
    assert clocked.payer.moves(dispute.id) == [("adjustment", -2000, 1500)]


def test_evidence_is_kept_until_it_is_handed_in(clocked: Clocked) -> None:
    v1 = clocked.payer.v1
    dispute = clocked.disputed()
    kept = v1.disputes.update(
        dispute.id,
        params={
            "evidence": {
                "product_description": "A video",
                "uncategorized_text": "winning_evidence",
            },
            "metadata": {"case": "4"},
            "submit": False,
        },
    )
    assert (kept.status, kept.evidence.product_description) == ("needs_response", "A video")
    assert (kept.evidence_details.has_evidence, kept.evidence_details.submission_count) == (True, 0)
    noted = v1.disputes.update(dispute.id, params={"metadata": {"case": "5"}})
    assert noted.status == "needs_response"
    handed_in = v1.disputes.update(dispute.id, params={"submit": True})
    assert handed_in.status == "under_review"
    file = {"evidence": {"receipt": "file_1"}}
    assert clocked.payer.refused(v1.disputes.update, dispute.id, params=file).code == (
        "parameter_unknown"
    )


def test_a_dispute_nobody_answers_is_lost_when_its_time_is_over(clocked: Clocked) -> None:
    dispute = clocked.disputed()
    due_by = dispute.evidence_details.due_by
    clocked.move_to(due_by - 1)
    assert clocked.dispute(dispute).status == "needs_response"
    clocked.move_to(due_by)
    lost = clocked.dispute(dispute)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)
    assert clocked.payer.events(dispute.id)[-1] == "charge.dispute.closed"


def test_a_dispute_is_given_up(clocked: Clocked) -> None:
    dispute = clocked.disputed()
    assert clocked.payer.v1.disputes.close(dispute.id).status == "lost"
    clocked.move_to(START + 100 * DAY)
    assert clocked.payer.events(dispute.id).count("charge.dispute.closed") == 1


def test_an_inquiry_takes_nothing_and_may_be_refunded(clocked: Clocked) -> None:
    payer = clocked.payer
    dispute = clocked.disputed("createDisputeInquiry")
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    assert dispute.payment_method_details.card.case_type == "inquiry"
    assert payer.moves(dispute.id) == []
    assert payer.v1.refunds.create(params={"charge": dispute.charge}).status == "succeeded"
    clocked.move_to(dispute.evidence_details.due_by)
    assert clocked.dispute(dispute).evidence_details.past_due
    error = payer.refused(clocked.answer, dispute, "too late")
    assert "time to answer" in str(error)
    clocked.move_to(START + 120 * DAY - 1)
    assert clocked.dispute(dispute).status == "warning_needs_response"
    clocked.move_to(START + 120 * DAY)
    assert clocked.dispute(dispute).status == "warning_closed"
    assert "charge.dispute.funds_withdrawn" not in payer.events(dispute.id)


@pytest.mark.parametrize("words", ["winning_evidence", "losing_evidence"])
def test_an_answered_inquiry_is_closed(clocked: Clocked, words: str) -> None:
    dispute = clocked.disputed("createDisputeInquiry")
    assert clocked.answer(dispute, words).status == "warning_under_review"
    clocked.move_to(START + 5)
    assert clocked.dispute(dispute).status == "warning_closed"
    assert clocked.payer.moves(dispute.id) == []


def test_an_inquiry_is_closed_by_the_merchant(clocked: Clocked) -> None:
    dispute = clocked.disputed("createDisputeInquiry")
    assert clocked.payer.v1.disputes.close(dispute.id).status == "warning_closed"
    assert clocked.payer.events(dispute.id) == ["charge.dispute.created", "charge.dispute.closed"]


def test_an_inquiry_that_grows_takes_the_sum_and_undoes_refunds(clocked: Clocked) -> None:
    payer = clocked.payer
    dispute = clocked.disputed("createDisputeInquiry")
    refund = payer.v1.refunds.create(params={"charge": dispute.charge, "amount": 500})
    clocked.answer(dispute, "escalate_inquiry_evidence")
    clocked.move_to(START + 5)
    grown = clocked.dispute(dispute)
    assert (grown.status, grown.is_charge_refundable) == ("needs_response", False)
    assert grown.payment_method_details.card.case_type == "chargeback"
    assert payer.moves(dispute.id) == [("adjustment", -2000, 1500)]
    undone = payer.v1.refunds.retrieve(refund.id)
    assert (undone.status, undone.failure_reason) == (
        "failed",
        "charge_for_pending_refund_disputed",
    )
    assert clocked.answer(dispute, "winning_evidence").status == "under_review"
    clocked.move_to(START + 10)
    assert clocked.dispute(dispute).status == "won"


def test_one_charge_may_be_disputed_in_two_parts(clocked: Clocked) -> None:
    paid = clocked.payer.pay("createMultipleDisputes", customer=clocked.customer, amount=2001)
    found = clocked.payer.v1.disputes.list(params={"payment_intent": paid.id}).data
    assert sorted(dispute.amount for dispute in found) == [1000, 1001]


def test_who_confirmed_with_the_bank_cannot_call_it_fraud(payer: Payer) -> None:
    """A card that asks, whose charge is then said to be fraud: the payer had confirmed."""
    asked = payer.pay("threeDSecure2Required")
    payer.answer(asked, "approve")
    paid = payer.v1.payment_intents.retrieve(asked.id)
    payer.desk(f"charges/{paid.latest_charge}/complain", kind="fraudulent")
    assert payer.v1.disputes.list(params={"payment_intent": asked.id}).data == []
    payer.desk(f"charges/{paid.latest_charge}/complain", kind="product_not_received")
    assert len(payer.v1.disputes.list(params={"payment_intent": asked.id}).data) == 1


def test_a_held_sum_is_disputed_only_when_it_was_captured(payer: Payer) -> None:
    held = payer.pay("createDispute", capture_method="manual")
    assert payer.v1.disputes.list(params={"payment_intent": held.id}).data == []
    payer.v1.payment_intents.capture(held.id, params={"amount_to_capture": 800})
    dispute = payer.v1.disputes.list(params={"payment_intent": held.id}).data[0]
    assert dispute.amount == 800


def test_an_early_fraud_warning_can_be_acted_upon_by_a_refund(payer: Payer) -> None:
    paid = payer.pay("createIssuerFraudRecord")
    warnings = payer.v1.radar.early_fraud_warnings
    warning = warnings.list(params={"charge": paid.latest_charge.id}).data[0]
    assert (warning.actionable, warning.payment_intent) == (True, paid.id)
    payer.v1.refunds.create(params={"payment_intent": paid.id, "amount": 500})
    assert warnings.retrieve(warning.id).actionable
    payer.v1.refunds.create(params={"payment_intent": paid.id})
    assert not warnings.retrieve(warning.id).actionable
    assert payer.events(warning.id) == [
        "radar.early_fraud_warning.created",
        "radar.early_fraud_warning.updated",
    ]


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("fraudulent", "charge.dispute.funds_withdrawn"),
        ("inquiry", "charge.dispute.created"),
        ("warning", "radar.early_fraud_warning.created"),
    ],
)
def test_any_paid_charge_can_be_complained_about_at_the_desk(
    payer: Payer, kind: str, event: str
) -> None:
    charge = payer.pay().latest_charge.id
    assert payer.desk(f"charges/{charge}/complain", kind=kind).ok
    assert event in payer.events(charge)
    assert payer.desk(f"charges/{charge}/complain", kind="boredom").status_code == 400
