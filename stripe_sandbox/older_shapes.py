"""Events in the shape of an older API version: fields that have gone are back, new ones are not.

Before 2025-03-31.basil an invoice named its subscription, payment and tax itself, a line its price,
a subscription its period, a charge its invoice. Kinds that changed less are left as they are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stripe_sandbox import OLDER_VERSIONS, Json, unit
from stripe_sandbox.objects import prices

_ACACIA = "2024-09-30"
_RENAMED_RENDERING = "2024-04-10"
_UI_MODES = {"elements": "custom", "embedded_page": "embedded", "hosted_page": "hosted"}


@dataclass(frozen=True)
class Around:
    """What stands around the object of an event: older shapes name it, newer ones do not."""

    find: Callable[[str], Json | None]
    payment_intent: str | None = None
    charge: str | None = None
    invoice: str | None = None


def is_older(version: str | None) -> bool:
    """True for a version this module writes."""
    return version in OLDER_VERSIONS


def converted(event: Json, version: str, around: Around) -> Json:
    """The event as the older version would have written it; the event itself is left alone."""
    event = {**event, "api_version": version}
    now: Json = event["data"]["object"]
    shape = _SHAPES.get(str(now.get("object")))
    if shape is None:
        return event
    data: Json = {"object": shape(now, version, around)}
    if "previous_attributes" in event["data"]:
        # What an older event says has changed follows from the older shapes of both states.
        before = shape(_back(now, event["data"]["previous_attributes"]), version, around)
        data["previous_attributes"] = unit.changes(before, data["object"])
    return {**event, "data": data}


def _back(now: Json, previous: Json) -> Json:
    """The object as it was before the changes."""
    before = dict(now)
    for name, value in previous.items():
        present = now.get(name)
        if isinstance(value, dict) and isinstance(present, dict):
            value = _back(present, value)
        before[name] = value
    return before


def _invoice(body: Json, version: str, around: Around) -> Json:
    details = (body.get("parent") or {}).get("subscription_details") or {}
    gone = [
        *("amount_overpaid", "amount_paid_off_stripe", "confirmation_secret", "customer_account"),
        *("parent", "payments", "status_details", "total_taxes"),
        *(("total_pretax_credit_amounts",) if version < _ACACIA else ()),
    ]
    older = _without(body, gone)
    older.update(
        application_fee_amount=None,
        automatic_tax=_automatic_tax(body, version),
        charge=around.charge,
        discount=_discount(body, around),
        lines=_lines(body["lines"], around),
        paid=body["status"] == "paid",
        paid_out_of_band=bool(body.get("amount_paid_off_stripe")),
        payment_intent=around.payment_intent,
        quote=None,
        subscription=details.get("subscription"),
        subscription_details={"metadata": details.get("metadata")},
        tax=_tax(body),
        total_tax_amounts=_tax_amounts(body.get("total_taxes")),
        transfer_data=None,
    )
    if version < _RENAMED_RENDERING:
        older["rendering_options"] = older.pop("rendering", None)
    return older


def _lines(listed: Json, around: Around) -> Json:
    rows = [_line(row, around) for row in listed["data"]]
    return {**listed, "data": rows, "total_count": listed.get("total_count", len(rows))}


def _line(body: Json, around: Around) -> Json:
    parent = body.get("parent") or {}
    regular = parent.get("type") == "subscription_item_details"
    details = parent.get(str(parent.get("type"))) or {}
    price = _priced(body, around)
    taxes = body.get("taxes") or []
    untaxed = body["amount"] - sum(
        tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive"
    )
    quantity = body.get("quantity")
    older = _without(
        body,
        ("parent", "pretax_credit_amounts", "pricing", "quantity_decimal", "subtotal", "taxes"),
    )
    older.update(
        amount_excluding_tax=untaxed,
        plan=prices.plan_of(price) if price and price["recurring"] else None,
        price=price,
        proration=bool(details.get("proration")),
        proration_details=details.get("proration_details") or {"credited_items": None},
        subscription=details.get("subscription"),
        tax_amounts=_tax_amounts(taxes),
        tax_rates=_rates(taxes, around),
        type="subscription" if regular else "invoiceitem",
        unit_amount_excluding_tax=str(untaxed // quantity if quantity else untaxed),
    )
    named = "subscription_item" if regular else "invoice_item"
    if details.get(named):
        older[named] = details[named]
    return older


def _priced(line: Json, around: Around) -> Json | None:
    price = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
    return around.find(price) if isinstance(price, str) else price


def _subscription(body: Json, version: str, around: Around) -> Json:
    gone = (
        *("billing_mode", "billing_schedules", "customer_account", "managed_payments"),
        *("presentment_details", "status_details"),
    )
    items = body["items"]["data"]
    only = items[0] if len(items) == 1 else {}
    older = _without(body, gone)
    older.update(
        automatic_tax=_automatic_tax(body, version),
        current_period_end=min((item["current_period_end"] for item in items), default=None),
        current_period_start=max((item["current_period_start"] for item in items), default=None),
        discount=_discount(body, around),
        items={
            **body["items"],
            "data": [_item(item) for item in items],
            "total_count": len(items),
        },
        plan=only.get("plan"),
        quantity=only.get("quantity"),
    )
    return older


def _item(body: Json) -> Json:
    return _without(
        body, ("billed_until", "current_period_end", "current_period_start", "current_trial")
    )


def _session(body: Json, version: str, around: Around) -> Json:
    gone = (
        *("adaptive_pricing", "branding_settings", "collected_information", "customer_account"),
        *("excluded_payment_method_types", "integration_identifier", "managed_payments"),
        *("name_collection", "optional_items", "origin_context", "permissions"),
        *("presentment_details", "wallet_options"),
        *(("discounts",) if version < _ACACIA else ()),
    )
    older = _without(body, gone)
    older.update(
        automatic_tax=_without(_automatic_tax(body, version), ("provider",)),
        shipping_details=(body.get("collected_information") or {}).get("shipping_details"),
        ui_mode=_UI_MODES.get(body["ui_mode"], body["ui_mode"]),
    )
    if body.get("customer_details"):
        older["customer_details"] = _without(
            body["customer_details"], ("business_name", "individual_name")
        )
    return older


def _of_an_invoice(body: Json, version: str, around: Around) -> Json:
    """A charge or a PaymentIntent: each named the invoice it paid."""
    gone = (
        *("customer_account", "excluded_payment_method_types", "hooks", "managed_payments"),
        "presentment_details",
    )
    return {**_without(body, gone), "invoice": around.invoice}


def _automatic_tax(body: Json, version: str) -> Json:
    tax = dict(body["automatic_tax"])
    return _without(tax, ("disabled_reason", "provider")) if version < _ACACIA else tax


def _discount(body: Json, around: Around) -> Json | None:
    """The first discount, whole and with its coupon in it."""
    for named in body.get("discounts") or []:
        discount = around.find(named) if isinstance(named, str) else named
        if discount is not None:
            coupon = (discount.get("source") or {}).get("coupon")
            whole = around.find(coupon) if isinstance(coupon, str) else coupon
            return {**_without(discount, ("source",)), "coupon": whole}
    return None


def _tax(body: Json) -> int | None:
    taxes = body.get("total_taxes") or []
    return sum(tax["amount"] for tax in taxes) if taxes else None


def _tax_amounts(taxes: Iterable[Json] | None) -> list[Json]:
    return [
        {
            "amount": tax["amount"],
            "inclusive": tax["tax_behavior"] == "inclusive",
            "tax_rate": (tax.get("tax_rate_details") or {}).get("tax_rate"),
            "taxability_reason": tax.get("taxability_reason"),
            "taxable_amount": tax.get("taxable_amount"),
        }
        for tax in taxes or []
    ]


def _rates(taxes: Iterable[Json], around: Around) -> list[Json]:
    named = [(tax.get("tax_rate_details") or {}).get("tax_rate") for tax in taxes]
    found = [around.find(rate) for rate in named if isinstance(rate, str)]
    return [rate for rate in found if rate is not None]


def _without(body: Json, names: Iterable[str]) -> Json:
    left_out = set(names)
    return {name: value for name, value in body.items() if name not in left_out}


_SHAPES: dict[str, Callable[[Json, str, Around], Json]] = {
    "charge": _of_an_invoice,
    "checkout.session": _session,
    "invoice": _invoice,
    "payment_intent": _of_an_invoice,
    "subscription": _subscription,
}
