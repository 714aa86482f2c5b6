"""Invoices by hand: drafted, changed, made final, paid, sent, voided or given up."""

from dataclasses import replace

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import collecting, drafting, finalizing, settling
from stripe_sandbox.objects import (
    automatic_tax,
    discounts,
    invoice_payments,
    invoices,
    payment_methods,
    tax_rates,
)
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit, public

_ASKS_OWNER = {
    "type": "card_error",
    "code": "invoice_payment_intent_requires_action",
    "message": "This payment requires additional user action before it can be completed "
    "successfully.",
}
_PLAIN = ("description", "footer", "custom_fields", "auto_advance", "statement_descriptor")


def create(unit: Unit, values: Json) -> Json:
    """A draft exists; it stays one until it is made final, unless it may advance by itself."""
    customer = unit.living("customer", values["customer"], "customer")
    plan = None
    if values.get("subscription"):
        plan = unit.get("subscription", values["subscription"], "subscription")
    currency = values.get("currency") or (plan or customer)["currency"] or "usd"
    bill = Bill(
        customer=customer,
        currency=currency,
        reason="manual",
        period=(unit.now, unit.now),
        subscription=plan,
        wishes=_wishes(unit, values, customer),
    )
    # A subscription's own draft takes what waits for it; another only if it was told to.
    default = "include" if plan else "exclude"
    take = (values.get("pending_invoice_items_behavior") or default) == "include"
    invoice = drafting.of_waiting(unit, bill, take=take)
    if plan:
        unit.save(plan)
    _set_due(unit, invoice, values)
    if values.get("discounts"):
        _discount(unit, invoice, values["discounts"])
    unit.save(invoice)
    if invoice["auto_advance"]:
        invoice.update(finalizing.soon(unit))
        unit.save(invoice)
        finalizing.wait(unit, invoice)
    return invoice


def update(unit: Unit, values: Json, id: str) -> Json:
    """The invoice is as asked; sums and terms change only while it is a draft."""
    before = unit.living("invoice", id)
    invoice = unit.living("invoice", id)
    if invoice["status"] != "draft" and not set(values) <= {"metadata", "auto_advance"}:
        raise errors.invalid(
            "Finalized invoices can't be updated in this way.", code="invoice_not_editable"
        )
    _note(unit, invoice, values)
    _set_due(unit, invoice, values)
    if invoice["auto_advance"] != before["auto_advance"]:
        _advance_or_not(unit, invoice)
    if values.get("discounts") is not None:
        _discount(unit, invoice, values["discounts"])
    if invoice["status"] == "draft":
        unit.save(before)
        return drafting.again(unit, invoice)
    return unit.update("invoice.updated", invoice, before)


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The draft is gone; what waited for it waits for another."""
    invoice = unit.living("invoice", id)
    if invoice["status"] != "draft" or invoice["billing_reason"] != "manual":
        raise errors.invalid(
            "You can only delete draft invoices that were made by hand.",
            code="invoice_not_editable",
        )
    for line in invoices.lines_in(invoice):
        parent = line["parent"]
        waiting = unit.get("invoiceitem", parent[parent["type"]]["invoice_item"])
        waiting["invoice"] = None
        unit.save(waiting)
    unit.unschedule("finalize", id)
    unit.emit("invoice.deleted", invoice)
    invoice["deleted"] = True
    return unit.save(invoice)


def finalize(unit: Unit, values: Json, id: str) -> Json:
    """The draft is open, or paid if nothing is owed."""
    invoice = _in_status(unit, id, "draft", code="invoice_already_finalized")
    if "auto_advance" in values:
        invoice["auto_advance"] = values["auto_advance"]
    finalizing.finalize(unit, invoice)
    if invoice["status"] == "open" and invoice["auto_advance"]:
        if invoice["collection_method"] == "charge_automatically":
            # As at Stripe: what advances by itself is charged an hour after it was made final.
            unit.schedule("retry", id, unit.now + finalizing.DRAFT_SECONDS)
        else:
            finalizing.send(unit, invoice)
    return unit.get("invoice", id)


def pay(unit: Unit, values: Json, id: str) -> Json:
    """The invoice is paid; a refusal by the bank is raised, and what it did stays."""
    invoice = unit.living("invoice", id)
    if invoice["status"] == "draft":
        finalizing.finalize(unit, invoice)
        if invoice["status"] == "paid":
            return unit.get("invoice", id)
    _check_payable(invoice)
    if values.get("paid_out_of_band"):
        return _pay_outside(unit, invoice)
    wanted, absent = values.get("payment_method"), values.get("off_session", True)
    how = collecting.Try(wanted, absent, by_hand=True)
    if how.method:
        how = replace(how, method=_usable(unit, invoice, how.method))
    intent = collecting.attempt(unit, invoice, how)
    if intent["status"] == "requires_payment_method":
        raise errors.card_refused(intent["last_payment_error"], public(intent))
    if intent["status"] == "requires_action":
        raise errors.card_refused(_ASKS_OWNER, public(intent))
    return unit.get("invoice", id)


def void(unit: Unit, values: Json, id: str) -> Json:
    """The invoice counts for nothing."""
    invoice = _in_status(unit, id, "open", "uncollectible")
    _check_no_payment_under_way(unit, invoice)
    return settling.mark_void(unit, invoice)


def give_up(unit: Unit, values: Json, id: str) -> Json:
    """Nobody expects the invoice to be paid."""
    invoice = unit.living("invoice", id)
    if invoice["status"] == "draft":
        finalizing.finalize(unit, invoice)
    return settling.mark_uncollectible(unit, _in_status(unit, id, "open"))


def send(unit: Unit, values: Json, id: str) -> Json:
    """The invoice is final and with the customer."""
    invoice = unit.living("invoice", id)
    if invoice["collection_method"] != "send_invoice":
        raise errors.invalid(
            "You can only manually send an invoice whose collection_method is send_invoice."
        )
    if invoice["status"] == "draft":
        finalizing.finalize(unit, invoice)
    return finalizing.send(unit, invoice)


def _note(unit: Unit, invoice: Json, values: Json) -> None:
    """Everything of an update that is only written down."""
    if "metadata" in values:
        invoice["metadata"] = params.merged_metadata(invoice["metadata"], values["metadata"])
    plain = (*_PLAIN, "collection_method", "default_payment_method")
    invoice.update({name: values[name] for name in plain if name in values})
    if "default_tax_rates" in values:
        chosen = values["default_tax_rates"] or []
        invoice["default_tax_rates"] = tax_rates.chosen(unit, chosen, "default_tax_rates")
    if "automatic_tax" in values:
        invoice["automatic_tax"]["enabled"] = values["automatic_tax"]["enabled"]


def _advance_or_not(unit: Unit, invoice: Json) -> None:
    """What may advance is made final, or charged, in an hour; what may not waits for somebody."""
    for verb in ("finalize", "retry"):
        unit.unschedule(verb, invoice["id"])
    invoice.update(automatically_finalizes_at=None, next_payment_attempt=None)
    if not invoice["auto_advance"]:
        return
    if invoice["status"] == "draft":
        invoice.update(finalizing.soon(unit))
        finalizing.wait(unit, invoice)
    elif invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        unit.schedule("retry", invoice["id"], unit.now + finalizing.DRAFT_SECONDS)


def _in_status(unit: Unit, id: str, *wanted: str, code: str | None = None) -> Json:
    invoice = unit.living("invoice", id)
    if invoice["status"] not in wanted:
        raise errors.invalid(
            f"This invoice is {invoice['status']}; this works only for: {', '.join(wanted)}.",
            code=code,
        )
    return invoice


def _check_payable(invoice: Json) -> None:
    if invoice["status"] == "paid":
        raise errors.invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise errors.invalid(
            f"This invoice is {invoice['status']} and cannot be paid.", code="invoice_not_payable"
        )


def _pay_outside(unit: Unit, invoice: Json) -> Json:
    _check_no_payment_under_way(unit, invoice)
    # Whoever has paid outside is not charged besides, at the bank or by a program.
    invoice_payments.cancel(unit, invoice)
    settling.mark_paid(unit, invoice, outside=True)
    return unit.get("invoice", invoice["id"])


def _check_no_payment_under_way(unit: Unit, invoice: Json) -> None:
    intent = invoice_payments.intent_of(unit, invoice)
    if intent is not None and intent["status"] in ("processing", "requires_capture"):
        raise errors.invalid(
            "A payment of the invoice is being processed; wait until it has ended.",
        )


def _usable(unit: Unit, invoice: Json, method_id: str) -> str:
    """The method with this id; a ready-made name such as pm_card_visa is attached first."""
    method = payment_methods.usable(unit, method_id)
    if method["customer"] is None:
        payment_methods.attach_to(unit, method["id"], invoice["customer"], "payment_method")
    return str(method["id"])


def _wishes(unit: Unit, values: Json, customer: Json) -> Json:
    wishes = {name: values[name] for name in _PLAIN if name in values}
    wishes.setdefault("auto_advance", False)
    for name in ("collection_method", "default_payment_method"):
        if values.get(name):
            wishes[name] = values[name]
    if values.get("default_tax_rates"):
        wishes["default_tax_rates"] = tax_rates.chosen(
            unit, values["default_tax_rates"], "default_tax_rates"
        )
    if (values.get("automatic_tax") or {}).get("enabled"):
        if automatic_tax.status(automatic_tax.buyer_of(unit, customer)) != "complete":
            raise errors.invalid(
                "The customer's location isn't recognized. Set a valid customer address in order "
                "to automatically calculate tax.",
                code="customer_tax_location_invalid",
            )
        wishes["automatic_tax"] = {
            **dict.fromkeys(("disabled_reason", "liability", "provider", "status")),
            "enabled": True,
        }
    wishes["metadata"] = params.merged_metadata({}, values.get("metadata") or {})
    return wishes


def _set_due(unit: Unit, invoice: Json, values: Json) -> None:
    days, moment = values.get("days_until_due"), values.get("due_date")
    sent = invoice["collection_method"] == "send_invoice"
    if (days is not None or moment is not None) and not sent:
        raise errors.invalid(
            "You can only set a due date with collection_method=send_invoice.", param="due_date"
        )
    if moment is not None:
        invoice["due_date"] = moment
    elif sent and (days is not None or invoice["due_date"] is None):
        finalizing.due_after(unit, invoice, days)


def _discount(unit: Unit, invoice: Json, given: list[Json]) -> None:
    customer = unit.get("customer", invoice["customer"])
    target = discounts.Target(
        "invoice", invoice["id"], invoice["currency"], customer, invoice["subtotal"]
    )
    invoice["discounts"] = [made["id"] for made in discounts.applied(unit, given, target)]
    drafting.again(unit, invoice)


_FIELDS: params.Fields = {
    "auto_advance": params.boolean,
    "automatic_tax": params.hash_of({"enabled": params.boolean}, ("enabled",)),
    "collection_method": params.choice("charge_automatically", "send_invoice"),
    "custom_fields": params.list_of(
        params.hash_of({"name": params.text(40), "value": params.text(140)}, ("name", "value")), 4
    ),
    "days_until_due": params.integer(0, 365),
    "default_payment_method": TEXT,
    "default_tax_rates": params.list_of(TEXT, 5),
    "description": params.text(1500),
    "discounts": discounts.PARAMETER,
    "due_date": params.moment,
    "footer": TEXT,
    "metadata": params.metadata,
    "statement_descriptor": params.text(22),
}
_PATH = "/v1/invoices"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            **_FIELDS,
            "currency": params.currency,
            "customer": TEXT,
            "pending_invoice_items_behavior": params.choice("exclude", "include"),
            "subscription": TEXT,
        },
        ("customer",),
        partly="no shipping, revisions, rendering templates, Connect",
    ),
    Route(
        "POST", f"{_PATH}/<id>", update, _FIELDS, partly="no shipping, rendering templates, Connect"
    ),
    Route("DELETE", f"{_PATH}/<id>", delete),
    Route("POST", f"{_PATH}/<id>/finalize", finalize, {"auto_advance": params.boolean}),
    Route(
        "POST",
        f"{_PATH}/<id>/pay",
        pay,
        {
            "off_session": params.boolean,
            "paid_out_of_band": params.boolean,
            "payment_method": TEXT,
        },
        partly="no mandate, source, forgive",
    ),
    Route("POST", f"{_PATH}/<id>/void", void),
    Route("POST", f"{_PATH}/<id>/mark_uncollectible", give_up),
    Route("POST", f"{_PATH}/<id>/send", send),
)
