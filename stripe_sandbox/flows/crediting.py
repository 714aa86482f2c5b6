"""A credit note from its issue to what it does: less to pay, money back, or a credit kept."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors, lists
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import credit_notes, customer_balance, payment_intents, refunds
from stripe_sandbox.objects.credit_notes import Plan
from stripe_sandbox.unit import Unit

_UNPAID = ("requires_action", "requires_confirmation", "requires_payment_method")


def issue(unit: Unit, values: Json) -> Json:
    """The credit note exists: the invoice asks for less, and the rest goes back as asked."""
    plan = credit_notes.planned(unit, values)
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


def _lessen(unit: Unit, body: Json) -> None:
    invoice = _move(
        unit, body["invoice"], pre=body["pre_payment_amount"], post=body["post_payment_amount"]
    )
    if invoice["status"] == "open" and invoice["amount_remaining"] == 0:
        _close(unit, invoice)


def _move(unit: Unit, invoice_id: str, *, pre: int, post: int) -> Json:
    """The invoice asks for that much less, and its open payment with it."""
    before = unit.get("invoice", invoice_id)
    invoice = unit.get("invoice", invoice_id)
    invoice["pre_payment_credit_notes_amount"] += pre
    invoice["post_payment_credit_notes_amount"] += post
    invoice["amount_due"] -= pre
    invoice["amount_remaining"] -= pre
    unit.update("invoice.updated", invoice, before)
    for payment, intent in _open_payments(unit, invoice_id):
        payment["amount_requested"] -= pre
        unit.save(payment)
        if payment["amount_requested"] > 0 and intent["status"] in _UNPAID:
            intent["amount"] = payment["amount_requested"]
            unit.save(intent)
    return invoice


def _close(unit: Unit, invoice: Json) -> None:
    """The invoice that has nothing left to pay is paid, and nobody is asked for money any more."""
    for payment, intent in _open_payments(unit, invoice["id"]):
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = unit.now
        unit.save(payment)
        if intent["status"] in _UNPAID:
            payment_intents.abandon(unit, intent, "void_invoice")
    invoice.update(status="paid", auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"]["paid_at"] = unit.now
    unit.save(invoice)
    unit.emit("invoice.paid", invoice)
    unit.emit("invoice.payment_succeeded", invoice)


def _open_payments(unit: Unit, invoice_id: str) -> list[tuple[Json, Json]]:
    wanted = {"invoice": invoice_id, "status": "open"}
    return [
        (payment, unit.get("payment_intent", payment["payment"]["payment_intent"]))
        for payment in unit.select("invoice_payment", lists.equal(wanted, "invoice", "status"))
    ]


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
            refund = refunds.create(unit, {"payment_intent": intent["id"], "amount": share})
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
