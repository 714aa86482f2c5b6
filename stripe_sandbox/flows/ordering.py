"""What a completed Checkout Session leads to: a subscription, an order with its invoice, a card."""

from stripe_sandbox import Json
from stripe_sandbox.flows import drafting, finalizing, subscribing
from stripe_sandbox.objects import discounts, invoiceitems
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_OF_SUBSCRIPTION = (
    "billing_mode",
    "description",
    "invoice_settings",
    "metadata",
    "trial_end",
    "trial_period_days",
    "trial_settings",
)


def fulfil(unit: Unit, session: Json, intent: Json | None) -> None:
    """What was bought exists, and the session names it."""
    if session["mode"] == "setup":
        return
    discount = _redeemed(unit, session)
    if session["mode"] == "subscription":
        invoice: Json | None = _subscribe(unit, session, intent, discount)
    else:
        session["payment_intent"] = intent["id"] if intent else None
        billed = session["invoice_creation"]["enabled"] and session["customer"]
        invoice = _bill(unit, session, intent, discount) if billed else None
    if invoice is not None:
        shown = session["amount_total"]
        assert invoice["total"] == shown, f"{invoice['total']} billed, {shown} shown"
        session["invoice"] = invoice["id"]


def _redeemed(unit: Unit, session: Json) -> Json | None:
    drawn = session["_discount"]
    if drawn is None:
        return None
    drawn["customer"] = session["customer"]
    return discounts.redeemed(unit, drawn)


def _subscribe(unit: Unit, session: Json, intent: Json | None, discount: Json | None) -> Json:
    lines = [line for line in session["_lines"] if line["quantity"]]
    data = session["_data"]
    order = {
        **{name: data[name] for name in _OF_SUBSCRIPTION if name in data},
        "automatic_tax": {"enabled": session["automatic_tax"]["enabled"]},
        "customer": session["customer"],
        "currency": session["currency"],
        "default_payment_method": intent["payment_method"] if intent else None,
        "default_tax_rates": [rate["id"] for rate in session["_rates"]],
        "discounts": [{"discount": discount["id"]}] if discount else [],
        "items": [_wanted(line) for line in lines if line["recurring"]],
        "add_invoice_items": [_wanted(line) for line in lines if not line["recurring"]],
    }
    subscription, invoice = subscribing.place(unit, order, paid=True)
    if discount:
        discount["subscription"] = subscription["id"]
    finalizing.finalize(unit, invoice, intent if session["amount_total"] else None, as_shown=True)
    session["subscription"] = subscription["id"]
    return invoice


def _wanted(line: Json) -> Json:
    return {
        "price": line["price"],
        "quantity": line["quantity"],
        "tax_rates": [rate["id"] for rate in line["rates"]],
    }


def _bill(unit: Unit, session: Json, intent: Json | None, discount: Json | None) -> Json:
    data = session["invoice_creation"]["invoice_data"]
    wishes = {name: data[name] for name in ("custom_fields", "description", "footer", "metadata")}
    if data["rendering_options"]:
        blank = dict.fromkeys(("pdf", "template_version"))
        wishes["rendering"] = {**blank, **data["rendering_options"]}
    bill = Bill(
        customer=unit.get("customer", session["customer"]),
        currency=session["currency"],
        reason="manual",
        period=(unit.now, unit.now),
        wishes={
            **wishes,
            "automatic_tax": {
                **dict.fromkeys(("disabled_reason", "liability", "provider", "status")),
                "enabled": session["automatic_tax"]["enabled"],
            },
            "discounts": [discount["id"]] if discount else [],
        },
    )
    items = [_item(unit, session, line) for line in session["_lines"] if line["quantity"]]
    invoice = drafting.of_items(unit, bill, items)
    if discount:
        discount["invoice"] = invoice["id"]
        unit.save(discount)
    return finalizing.finalize(unit, invoice, intent, as_shown=True)


def _item(unit: Unit, session: Json, line: Json) -> Json:
    item = invoiceitems.create(
        unit,
        {
            "customer": session["customer"],
            "currency": session["currency"],
            "metadata": line["metadata"],
            "quantity": line["quantity"],
            "pricing": {"price": line["price"]},
        },
    )
    item["tax_rates"] = line["rates"]
    return unit.save(item)
