"""Disputes: a payer asked the bank for the money back."""

from stripe_sandbox import Json, clock, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.behaviours import Complaint
from stripe_sandbox.objects import balance
from stripe_sandbox.objects.balance import Move
from stripe_sandbox.unit import Unit

_ANSWER_WITHIN_DAYS = 8
# Texts of evidence; files are not served and stay empty.
TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
_FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)


def made(unit: Unit, charge: Json, complaint: Complaint, amount: int) -> Json:
    """A dispute of so much of the charge is stored; no money has moved yet."""
    body: Json = {
        "id": ids.new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": unit.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": _known(charge),
        "evidence_details": {
            "due_by": due_by(unit.now),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": complaint.inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": complaint.reason,
        "status": "warning_needs_response" if complaint.inquiry else "needs_response",
    }
    card = charge["payment_method_details"].get("card")
    if card is not None:
        body["payment_method_details"] = {"card": _case(card, complaint), "type": "card"}
    return unit.insert(body)


def due_by(moment: int) -> int:
    """The last second of the day on which an answer must have been given."""
    day = moment // clock.DAY + _ANSWER_WITHIN_DAYS
    return (day + 1) * clock.DAY - 1


def withdraw(unit: Unit, body: Json) -> None:
    """The disputed sum and the fee are gone from the balance."""
    move = Move(
        kind="adjustment",
        amount=-body["amount"],
        category="dispute",
        fee=balance.DISPUTE_FEE,
        description=f"Chargeback withdrawal for {body['charge']}",
        fee_name="Dispute fee",
        at_once=True,
    )
    body["balance_transactions"].append(balance.record(unit, body, move))


def reinstate(unit: Unit, body: Json) -> None:
    """The disputed sum is back in the balance; the fee is not."""
    move = Move(
        kind="adjustment",
        amount=body["amount"],
        category="dispute_reversal",
        description=f"Chargeback reversal for {body['charge']}",
        at_once=True,
    )
    body["balance_transactions"].append(balance.record(unit, body, move))


def all_of(unit: Unit, values: Json) -> Json:
    """The disputes, newest first."""
    wheres = [*lists.equal(values, "charge", "payment_intent"), *lists.within(values, "created")]
    return lists.page(unit, "dispute", "/v1/disputes", values, wheres)


def _known(charge: Json) -> Json:
    """The evidence there is from the start: who paid, as far as the charge says."""
    billing = charge["billing_details"]
    return {
        **dict.fromkeys((*TEXTS, *_FILES)),
        "customer_email_address": charge["receipt_email"] or billing["email"],
        "customer_name": billing["name"],
        "enhanced_evidence": {},
    }


def _case(card: Json, complaint: Complaint) -> Json:
    return {
        "brand": card["brand"],
        "case_type": "inquiry" if complaint.inquiry else "chargeback",
        "network": card["network"],
        "network_reason_code": complaint.network_code,
    }


ROUTES = (
    retrieve("dispute", "/v1/disputes"),
    Route(
        "GET",
        "/v1/disputes",
        all_of,
        {**lists.PAGING, "charge": TEXT, "created": params.span, "payment_intent": TEXT},
    ),
)
