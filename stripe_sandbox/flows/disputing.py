"""A dispute from the complaint to its end: answered, decided, or lost because nobody answered."""

from stripe_sandbox import Json, clock
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.routes import Route
from stripe_sandbox.behaviours import BEHAVIOURS, Complaint
from stripe_sandbox.flows import refunding
from stripe_sandbox.objects import disputes, early_fraud_warnings, test_clocks
from stripe_sandbox.unit import Unit

# Stripe's words for evidence that ends a test dispute are acted upon this soon.
_SOON_SECONDS = 5
# Any other evidence does not convince; banks take their time to say so.
_REVIEWED_AFTER = 60 * clock.DAY
_INQUIRY_ENDS_AFTER = 120 * clock.DAY
_VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
_ESCALATES = "escalate_inquiry_evidence"
_ENDED = ("won", "lost", "warning_closed", "prevented")


def follow(unit: Unit, charge: Json) -> None:
    """What the payer or the bank has to say about a charge that was just taken is said."""
    behaviour = BEHAVIOURS[charge["_behaviour"]]
    if behaviour.warned:
        early_fraud_warnings.made(unit, charge)
    complaint = behaviour.complaint
    if complaint is None or (complaint.shielded and _confirmed(charge)):
        return
    # What was given back already is not taken from the merchant once more.
    taken = charge["amount"] - charge["amount_refunded"]
    for place in range(complaint.times):
        part = taken // complaint.times + (taken % complaint.times if place == 0 else 0)
        _complain(unit, charge, complaint, part)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The evidence is kept, and handed in unless the caller said not yet."""
    before, body = _open(unit, id), _open(unit, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    evidence = values.get("evidence")
    if evidence:
        body["evidence"].update(evidence)
        body["evidence_details"]["has_evidence"] = True
    if values.get("submit", bool(evidence)):
        _submit(unit, body)
    return unit.update("charge.dispute.updated", body, before)


def close(unit: Unit, values: Json, id: str) -> Json:
    """The merchant has given the dispute up."""
    body = _open(unit, id)
    return _end(unit, body, "lost")


def decide(unit: Unit, dispute_id: str) -> None:
    """The bank has read the evidence."""
    body = unit.get("dispute", dispute_id)
    if body["status"] not in ("under_review", "warning_under_review"):
        return
    words = body["evidence"]["uncategorized_text"]
    if words == _ESCALATES and body["status"] == "warning_under_review":
        _escalate(unit, body)
    else:
        _end(unit, body, _VERDICTS.get(words, "lost"))


def overdue(unit: Unit, dispute_id: str) -> None:
    """The time to answer is over: what was not answered is lost, an inquiry only noted."""
    before = unit.get("dispute", dispute_id)
    body = unit.get("dispute", dispute_id)
    if body["status"] not in ("needs_response", "warning_needs_response"):
        return
    body["evidence_details"]["past_due"] = True
    if body["status"] == "needs_response":
        _end(unit, body, "lost")
    else:
        unit.update("charge.dispute.updated", body, before)


def end_inquiry(unit: Unit, dispute_id: str) -> None:
    """An inquiry that nobody made into a dispute is over."""
    body = unit.get("dispute", dispute_id)
    if body["status"].startswith("warning_") and body["status"] not in _ENDED:
        _end(unit, body, "lost")


def _complain(unit: Unit, charge: Json, complaint: Complaint, amount: int) -> None:
    body = disputes.made(unit, charge, complaint, amount)
    charge["disputed"] = True
    unit.save(charge)
    unit.emit("charge.dispute.created", body)
    if complaint.inquiry:
        unit.schedule("inquiry_ends", body["id"], unit.now + _INQUIRY_ENDS_AFTER)
    else:
        _withdraw(unit, body)
    if complaint.final:
        _end(unit, body, "lost")
    else:
        unit.schedule("dispute_overdue", body["id"], body["evidence_details"]["due_by"])


def _confirmed(charge: Json) -> bool:
    card = charge["payment_method_details"].get("card")
    return bool(card and card["three_d_secure"])


def _open(unit: Unit, dispute_id: str) -> Json:
    body = unit.get("dispute", dispute_id, "dispute")
    if body["status"] in _ENDED:
        raise errors.invalid("This dispute is already closed")
    test_clocks.enter_for(unit, unit.get("charge", body["charge"]))
    return body


def _submit(unit: Unit, body: Json) -> None:
    details = body["evidence_details"]
    if details["past_due"]:
        raise errors.invalid("The time to answer this dispute is over.")
    details["submission_count"] += 1
    details["submission_method"] = "manual"
    inquiry = body["status"].startswith("warning_")
    body["status"] = "warning_under_review" if inquiry else "under_review"
    words = body["evidence"]["uncategorized_text"]
    if words in _VERDICTS or (inquiry and words == _ESCALATES):
        unit.schedule("dispute_decided", body["id"], unit.now + _SOON_SECONDS)
    elif not inquiry:
        unit.schedule("dispute_decided", body["id"], unit.now + _REVIEWED_AFTER)


def _escalate(unit: Unit, body: Json) -> None:
    """The inquiry has become a dispute; refunds it did not wait for come back."""
    before = unit.get("dispute", body["id"])
    charge = unit.get("charge", body["charge"])
    refunding.fail_all_of(unit, charge, "charge_for_pending_refund_disputed")
    body["evidence_details"].update(due_by=disputes.due_by(unit.now), past_due=False)
    body["payment_method_details"]["card"].update(
        case_type="chargeback", network_reason_code="10.4"
    )
    body.update(status="needs_response", is_charge_refundable=False)
    unit.update("charge.dispute.updated", body, before)
    _withdraw(unit, body)
    unit.unschedule("inquiry_ends", body["id"])
    unit.schedule("dispute_overdue", body["id"], body["evidence_details"]["due_by"])


def _withdraw(unit: Unit, body: Json) -> None:
    disputes.withdraw(unit, body)
    unit.save(body)
    unit.emit("charge.dispute.funds_withdrawn", body)


def _end(unit: Unit, body: Json, verdict: str) -> Json:
    inquiry = body["status"].startswith("warning_")
    body["status"] = "warning_closed" if inquiry else verdict
    for verb in ("dispute_overdue", "dispute_decided", "inquiry_ends"):
        unit.unschedule(verb, body["id"])
    if body["status"] == "won":
        body["is_charge_refundable"] = True
        disputes.reinstate(unit, body)
        unit.save(body)
        unit.emit("charge.dispute.funds_reinstated", body)
    unit.save(body)
    unit.emit("charge.dispute.closed", body)
    return body


ROUTES = (
    Route(
        "POST",
        "/v1/disputes/<id>",
        update,
        {
            "evidence": params.hash_of(dict.fromkeys(disputes.TEXTS, params.text(20_000))),
            "metadata": params.metadata,
            "submit": params.boolean,
        },
        partly="evidence in words, no files",
    ),
    Route("POST", "/v1/disputes/<id>/close", close),
)
