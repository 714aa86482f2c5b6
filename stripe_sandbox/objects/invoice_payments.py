"""Invoice payments: which PaymentIntent pays which invoice."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.flows import paying
from stripe_sandbox.unit import Unit


def link(unit: Unit, invoice: Json, intent: Json) -> Json:
    """The PaymentIntent is the invoice's open payment."""
    return unit.insert(
        {
            "id": ids.new_id("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": unit.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def mark_paid(unit: Unit, invoice: Json) -> None:
    """The invoice's open payment is paid."""
    for body in _open(unit, invoice):
        body.update(status="paid", amount_paid=body["amount_requested"])
        body["status_transitions"]["paid_at"] = unit.now
        unit.save(body)
        unit.emit("invoice_payment.paid", body)


def ask_for(unit: Unit, invoice: Json) -> None:
    """The invoice's open payment is for what the invoice asks for now."""
    for body in _open(unit, invoice):
        body["amount_requested"] = invoice["amount_due"]
        unit.save(body)
        intent = unit.get("payment_intent", body["payment"]["payment_intent"])
        intent["amount"] = invoice["amount_due"]
        unit.save(intent)


def cancel(unit: Unit, invoice: Json) -> None:
    """The invoice's open payments will not be made; their PaymentIntents are canceled."""
    for body in _open(unit, invoice):
        body["status"] = "canceled"
        body["status_transitions"]["canceled_at"] = unit.now
        unit.save(body)
        intent = unit.get("payment_intent", body["payment"]["payment_intent"])
        if intent["status"] not in ("succeeded", "canceled"):
            paying.cancel(unit, intent, "void_invoice")


def intent_of(unit: Unit, invoice: Json) -> Json | None:
    """The PaymentIntent that is to pay the invoice, or None before there is one."""
    for body in _open(unit, invoice):
        return unit.get("payment_intent", body["payment"]["payment_intent"])
    return None


def invoice_of(unit: Unit, intent: Json) -> Json | None:
    """The invoice this PaymentIntent pays, or None."""
    field = "payment.payment_intent"
    for body in unit.select("invoice_payment", lists.equal({field: intent["id"]}, field), 1):
        return unit.get("invoice", body["invoice"])
    return None


def all_of(unit: Unit, values: Json) -> Json:
    """The invoice payments, newest first."""
    given = values.get("payment") or {}
    flat = {f"payment.{name}": value for name, value in given.items()}
    wheres = [
        *lists.equal(values, "invoice", "status"),
        *lists.equal(flat, *flat),
        *lists.within(values, "created"),
    ]
    return lists.page(unit, "invoice_payment", "/v1/invoice_payments", values, wheres)


def _open(unit: Unit, invoice: Json) -> list[Json]:
    wheres = lists.equal({"invoice": invoice["id"], "status": "open"}, "invoice", "status")
    return unit.select("invoice_payment", wheres)


ROUTES = (
    retrieve("invoice_payment", "/v1/invoice_payments"),
    Route(
        "GET",
        "/v1/invoice_payments",
        all_of,
        {
            **lists.PAGING,
            "created": params.span,
            "invoice": TEXT,
            "payment": params.hash_of(
                {"payment_intent": TEXT, "type": params.choice("payment_intent", "payment_record")},
                ("type",),
            ),
            "status": params.choice("canceled", "open", "paid"),
        },
    ),
)
