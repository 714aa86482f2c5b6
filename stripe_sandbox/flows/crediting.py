"""A credit note from its issue to what it does: less to pay, money back, or a credit kept."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors, lists
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import refunding, settling
from stripe_sandbox.objects import credit_notes, customer_balance, invoice_payments
from stripe_sandbox.objects.credit_notes import Plan
from stripe_sandbox.unit import Unit


def issue(unit: Unit, values: Json) -> Json:
    """The credit note exists: the invoice asks for less, and the rest goes back as asked."""
    plan = credit_notes.planned(unit, values)
    _check_no_payment_under_way(unit, plan)
    body = unit.insert(plan.body)
    body["refunds"] = [_link(refund, amount) for refund, amount in plan.linked]
    if values.get("refund_amount"):
        body["refunds"] += _refunded(unit, plan, values["refund_amount"])
    if values.get("credit_amount"):
        body["customer_balance_transaction"] = _kept(unit, body, values["credit_amount"])["id"]
    unit.save(body)
    unit.emit("credit_note.created", body)
    _lessen(unit, body)
    return body


def void(unit: Unit, values: Json, id: str) -> Json:
    """The credit note counts no more: the open invoice asks for what it did before."""
    body = unit.get(credit_notes.KIND, id)
    invoice = unit.get("invoice", body["invoice"])
    if body["status"] != "issued" or body["type"] != "pre_payment" or invoice["status"] != "open":
        raise errors.invalid(
            "You can only void an issued credit note of an open invoice that gave nothing back."
        )
    body.update(status="void", voided_at=unit.now)
    unit.save(body)
    unit.emit("credit_note.voided", body)
    _move(unit, invoice["id"], pre=-body["pre_payment_amount"], post=0)
    return body


def _check_no_payment_under_way(unit: Unit, plan: Plan) -> None:
    intent = invoice_payments.intent_of(unit, plan.invoice)
    if plan.body["pre_payment_amount"] and intent and intent["status"] == "processing":
        raise errors.invalid(
            "A payment of the invoice is being processed; wait until it has ended.",
            param="invoice",
        )


def _lessen(unit: Unit, body: Json) -> None:
    invoice = _move(
        unit, body["invoice"], pre=body["pre_payment_amount"], post=body["post_payment_amount"]
    )
    if invoice["status"] != "paid" and invoice["amount_remaining"] == 0:
        # Nobody is asked for money any more.
        invoice_payments.cancel(unit, invoice)
        settling.mark_paid(unit, invoice)


def _move(unit: Unit, invoice_id: str, *, pre: int, post: int) -> Json:
    """The invoice asks for that much less, and its open payment with it."""
    before = unit.get("invoice", invoice_id)
    invoice = unit.get("invoice", invoice_id)
    invoice["pre_payment_credit_notes_amount"] += pre
    invoice["post_payment_credit_notes_amount"] += post
    invoice["amount_due"] -= pre
    invoice["amount_remaining"] -= pre
    unit.update("invoice.updated", invoice, before)
    if pre and invoice["amount_remaining"]:
        invoice_payments.ask_for(unit, invoice)
    return invoice


def _refunded(unit: Unit, plan: Plan, amount: int) -> list[Json]:
    """Refunds of that sum, out of the payments of the invoice, the first one first."""
    wanted = {"invoice": plan.invoice["id"], "status": "paid"}
    paid = unit.select("invoice_payment", lists.equal(wanted, "invoice", "status"), order="ASC")
    links, left = [], amount
    for payment in paid:
        intent = unit.get("payment_intent", payment["payment"]["payment_intent"])
        charge = unit.get("charge", intent["latest_charge"])
        share = min(left, charge["amount_captured"] - charge["amount_refunded"])
        if share > 0:
            refund = refunding.create(unit, {"payment_intent": intent["id"], "amount": share})
            links.append(_link(refund, share))
            left -= share
    if left:
        raise errors.invalid(
            f"Only {amount - left} of the invoice's payments can still be refunded.",
            param="refund_amount",
        )
    return links


def _kept(unit: Unit, body: Json, amount: int) -> Json:
    return customer_balance.move(
        unit,
        body["customer"],
        -amount,
        "credit_note",
        currency=body["currency"],
        credit_note=body["id"],
        invoice=body["invoice"],
    )


def _link(refund: Json, amount: int) -> Json:
    return {
        "amount_refunded": amount,
        "payment_record_refund": None,
        "refund": refund["id"],
        "type": "refund",
    }


ROUTES = (
    Route(
        "POST",
        "/v1/credit_notes",
        issue,
        credit_notes.FIELDS,
        ("invoice",),
        credit_notes.MISSING,
    ),
    Route("POST", "/v1/credit_notes/<id>/void", void),
)
