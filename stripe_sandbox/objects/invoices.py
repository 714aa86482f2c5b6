"""Invoices: what was owed for, in which lines, and how it was paid."""

from dataclasses import dataclass

from stripe_sandbox import Json, amounts, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import invoice_payments, prices
from stripe_sandbox.unit import Unit

_EMPTY = (
    "account_tax_ids",
    "amount_paid_off_stripe",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "due_date",
    "effective_at",
    "ending_balance",
    "footer",
    "from_invoice",
    "hosted_invoice_url",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "number",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "status_details",
    "test_clock",
    "webhooks_delivered_at",
)
_ZERO = (
    "amount_overpaid",
    "amount_paid",
    "amount_shipping",
    "attempt_count",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
    "starting_balance",
)
_NO_LIST = (
    "customer_tax_ids",
    "default_tax_rates",
    "discounts",
    "total_discount_amounts",
    "total_pretax_credit_amounts",
    "total_taxes",
)
_NO_TAX = {
    **dict.fromkeys(("disabled_reason", "liability", "provider", "status")),
    "enabled": False,
}
_SETTINGS = ("default_mandate", "payment_method_options", "payment_method_types")
_TRANSITIONS = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")


@dataclass(frozen=True)
class Line:
    """One thing owed for: a price, how many, and for which time; ``item`` if a subscription's."""

    price: Json
    quantity: int
    period: tuple[int, int]
    item: str | None = None


@dataclass(frozen=True)
class Bill:
    """An invoice to write: to whom, why, for what."""

    customer: Json
    currency: str
    reason: str
    lines: tuple[Line, ...]
    period: tuple[int, int]
    subscription: Json | None = None
    metadata: Json | None = None


def write(unit: Unit, bill: Bill) -> Json:
    """A finalized, open invoice exists with its number and pages."""
    invoice_id = ids.new_id("in")
    lines = [_line(unit, invoice_id, bill, line) for line in bill.lines]
    body = _draft(unit, invoice_id, bill, lines)
    unit.insert(body)
    unit.emit("invoice.created", body)
    customer = unit.get("customer", bill.customer["id"])
    body.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        effective_at=unit.now,
        hosted_invoice_url=f"{unit.public_url}/i/{invoice_id}",
        invoice_pdf=f"{unit.public_url}/i/{invoice_id}/pdf",
    )
    body["status_transitions"]["finalized_at"] = unit.now
    customer["next_invoice_sequence"] += 1
    unit.save(customer)
    unit.save(body)
    unit.emit("invoice.finalized", body)
    return body


def mark_paid(unit: Unit, body: Json) -> Json:
    """The invoice and its payment are paid in full."""
    body.update(
        status="paid",
        attempted=True,
        attempt_count=body["attempt_count"] + 1,
        amount_paid=body["amount_due"],
        amount_remaining=0,
        auto_advance=False,
        ending_balance=0,
    )
    body["status_transitions"]["paid_at"] = unit.now
    unit.save(body)
    invoice_payments.mark_paid(unit, body)
    unit.emit("invoice.paid", body)
    unit.emit("invoice.payment_succeeded", body)
    return body


def mark_failed(unit: Unit, body: Json, *, needs_owner: bool = False) -> Json:
    """A try to pay the invoice has failed; it stays open."""
    body.update(attempted=True, attempt_count=body["attempt_count"] + 1)
    unit.save(body)
    unit.emit("invoice.payment_failed", body)
    if needs_owner:
        unit.emit("invoice.payment_action_required", body)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The invoices, newest first."""
    wheres = [
        *lists.equal(values, "customer", "status", "collection_method"),
        *lists.within(values, "created"),
    ]
    if values.get("subscription"):
        wanted = {"parent.subscription_details.subscription": values["subscription"]}
        wheres += lists.equal(wanted, *wanted)
    return lists.page(unit, "invoice", "/v1/invoices", values, wheres)


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """The lines of the invoice."""
    return dict(unit.get("invoice", id)["lines"])


def payments_of(unit: Unit, body: Json) -> Json:
    """The payments of the invoice, for expansion."""
    rows = unit.select("invoice_payment", lists.equal({"invoice": body["id"]}, "invoice"))
    return lists.listed(f"/v1/invoice_payments?invoice={body['id']}", rows)


def confirmation_of(unit: Unit, body: Json) -> Json | None:
    """The client secret of the invoice's payment, for expansion."""
    for payment in payments_of(unit, body)["data"]:
        intent = unit.get("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _draft(unit: Unit, invoice_id: str, bill: Bill, lines: list[Json]) -> Json:
    total = sum(line["amount"] for line in lines)
    customer = bill.customer
    url = f"/v1/invoices/{invoice_id}"
    return {
        "id": invoice_id,
        "object": "invoice",
        **dict.fromkeys(_EMPTY),
        **dict.fromkeys(_ZERO, 0),
        **{name: [] for name in _NO_LIST},
        "account_country": "US",
        "account_name": unit.brand,
        "amount_due": total,
        "amount_remaining": total,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": dict(_NO_TAX),
        "billing_reason": bill.reason,
        "collection_method": "charge_automatically",
        "created": unit.now,
        "currency": bill.currency,
        "customer": customer["id"],
        **{f"customer_{name}": customer[name] for name in ("address", "email", "name", "phone")},
        "customer_tax_exempt": customer["tax_exempt"],
        "description": None,
        "issuer": {"type": "self"},
        "lines": {**lists.listed(f"{url}/lines", lines), "total_count": len(lines)},
        "livemode": False,
        "metadata": bill.metadata or {},
        "parent": _parent(bill.subscription),
        "payment_settings": dict.fromkeys(_SETTINGS),
        "period_end": bill.period[1],
        "period_start": bill.period[0],
        "status": "draft",
        "status_transitions": dict.fromkeys(_TRANSITIONS),
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }


def _parent(subscription: Json | None) -> Json | None:
    if subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription["metadata"]),
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }


def _line(unit: Unit, invoice_id: str, bill: Bill, line: Line) -> Json:
    unit_amount = prices.amount_in(line.price, bill.currency)
    amount = unit_amount * line.quantity
    return {
        "id": ids.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": bill.currency,
        "description": _words(unit, line, unit_amount, bill.currency),
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {},
        "parent": _line_parent(bill.subscription, line),
        "period": {"end": line.period[1], "start": line.period[0]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": str(unit_amount),
        },
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subtotal": amount,
        "taxes": [],
    }


def _line_parent(subscription: Json | None, line: Line) -> Json:
    common = {
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"] if subscription else None,
    }
    if line.item is None:
        return {
            "invoice_item_details": {**common, "invoice_item": ids.new_id("ii")},
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            **common,
            "invoice_item": None,
            "subscription_item": line.item,
        },
        "type": "subscription_item_details",
    }


def _words(unit: Unit, line: Line, unit_amount: int, currency: str) -> str:
    name = unit.get("product", line.price["product"])["name"]
    if line.item is None:
        return str(name)
    every = line.price["recurring"]
    length = (
        every["interval"]
        if every["interval_count"] == 1
        else f"{every['interval_count']} {every['interval']}s"
    )
    return f"{line.quantity} \u00d7 {name} (at {amounts.written(unit_amount, currency)} / {length})"


ROUTES = (
    retrieve("invoice", "/v1/invoices"),
    Route("GET", "/v1/invoices/<id>/lines", lines_of, lists.PAGING),
    Route(
        "GET",
        "/v1/invoices",
        all_of,
        {
            **lists.PAGING,
            "collection_method": params.choice("charge_automatically", "send_invoice"),
            "created": params.span,
            "customer": TEXT,
            "status": params.choice("draft", "open", "paid", "uncollectible", "void"),
            "subscription": TEXT,
        },
    ),
)
