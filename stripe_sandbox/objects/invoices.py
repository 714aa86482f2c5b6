"""Invoices: what was owed for, in which lines, and how it was paid."""

from dataclasses import dataclass

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit

_EMPTY = (
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
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
class Bill:
    """An invoice to write: to whom, why, for what time."""

    customer: Json
    currency: str
    reason: str
    period: tuple[int, int]
    subscription: Json | None = None
    # What a caller of POST /v1/invoices said about it.
    wishes: Json | None = None
    # True if it bills what a page has shown, and nothing else that waits for the customer.
    alone: bool = False
    # True if what it bills for is in force only once it is paid.
    held: bool = False


def draft(unit: Unit, bill: Bill) -> Json:
    """A draft without lines is stored; nobody has been told yet."""
    invoice_id = ids.new_id("in")
    return unit.insert(
        {
            "id": invoice_id,
            "object": "invoice",
            **dict.fromkeys(_EMPTY),
            **dict.fromkeys(_ZERO, 0),
            **{name: [] for name in _NO_LIST},
            "account_country": "US",
            "account_name": unit.brand,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": dict(_NO_TAX),
            "billing_reason": bill.reason,
            "collection_method": "charge_automatically",
            "created": unit.now,
            "currency": bill.currency,
            **_payer(bill.customer),
            "description": None,
            "issuer": {"type": "self"},
            "lines": lists.listed(f"/v1/invoices/{invoice_id}/lines", []),
            "livemode": False,
            "metadata": {},
            "parent": _parent(bill.subscription),
            "payment_settings": dict.fromkeys(_SETTINGS),
            "period_end": bill.period[1],
            "period_start": bill.period[0],
            "status": "draft",
            "status_transitions": dict.fromkeys(_TRANSITIONS),
            "test_clock": unit.clock,
            **_asked(bill),
            # By line: the rates, behaviour and code its tax follows.
            "_taxing": {},
        }
    )


def lines_in(body: Json) -> list[Json]:
    """The lines of the invoice; changing one changes the invoice."""
    found: list[Json] = body["lines"]["data"]
    return found


def subscription_of(body: Json) -> str | None:
    """The id of the subscription the invoice bills for, or None."""
    parent = body["parent"]
    if parent is None:
        return None
    return str(parent["subscription_details"]["subscription"])


def of_subscription(unit: Unit, subscription_id: str, status: str) -> list[Json]:
    """The invoices of the subscription with this status, newest first."""
    wanted = {
        "customer": unit.get("subscription", subscription_id)["customer"],
        "parent.subscription_details.subscription": subscription_id,
        "status": status,
    }
    return unit.select("invoice", lists.equal(wanted, *wanted))


def all_of(unit: Unit, values: Json) -> Json:
    """The invoices, newest first."""
    wheres = [
        *lists.equal(values, "customer", "status", "collection_method"),
        *lists.within(values, "created", "due_date"),
    ]
    if values.get("subscription"):
        wanted = {"parent.subscription_details.subscription": values["subscription"]}
        wheres += lists.equal(wanted, *wanted)
    return lists.page(unit, "invoice", "/v1/invoices", values, wheres)


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """One page of the lines of the invoice."""
    return lists.cut(f"/v1/invoices/{id}/lines", lines_in(unit.living("invoice", id)), values)


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


def _payer(customer: Json) -> Json:
    copied = ("address", "email", "name", "phone", "shipping")
    return {
        "customer": customer["id"],
        **{f"customer_{name}": customer[name] for name in copied},
        "customer_tax_exempt": customer["tax_exempt"],
    }


def _asked(bill: Bill) -> Json:
    """What was said of this invoice, or else of all invoices of its customer."""
    said = {**_from_subscription(bill.subscription), **(bill.wishes or {})}
    usual = bill.customer["invoice_settings"]
    return said | {name: said.get(name) or usual[name] for name in ("custom_fields", "footer")}


def _from_subscription(subscription: Json | None) -> Json:
    if subscription is None:
        return {}
    settings = subscription["invoice_settings"]
    return {
        "automatic_tax": {**_NO_TAX, "enabled": subscription["automatic_tax"]["enabled"]},
        "collection_method": subscription["collection_method"],
        "custom_fields": settings["custom_fields"],
        "default_tax_rates": subscription["default_tax_rates"],
        "description": settings["description"] or subscription["description"],
        "discounts": list(subscription["discounts"]),
        "footer": settings["footer"],
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
            "due_date": params.span,
            "status": params.choice("draft", "open", "paid", "uncollectible", "void"),
            "subscription": TEXT,
        },
    ),
)
