"""Fields that older API versions had: an object that shows one again is wrong.

A strict schema refuses them too; named here, each is a promise of its own, and holding the list
against the SDK's classes says when a field comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract import sdk

Json = dict[str, Any]
Fault = tuple[str, str]

_PAYMENTS = "2025-03-31.basil: an invoice has several payments"
_PARENT = "2025-03-31.basil: what a thing belongs to is its parent"
_TAXES = "2025-03-31.basil: taxes have one shape"
_PRICING = "2025-03-31.basil: what a line costs is its pricing"
_PERIODS = "2025-03-31.basil: items have their own periods"
_DISCOUNTS = "2025-03-31.basil: discounts are a list"
_SOURCE = "2025-09-30.clover: a discount has a source"
_PROMOTION = "2025-09-30.clover: a promotion code has a promotion"
_OLDER = "an older version's: no class of SDK 16.1.0 has it"

# By the name of the object, or by the way from an object to what is nested in it.
REMOVED: dict[str, dict[str, str]] = {
    "charge": {
        "invoice": _PAYMENTS,
        **dict.fromkeys(("card", "destination", "dispute", "order"), _OLDER),
    },
    "checkout.session": dict.fromkeys(
        ("display_items", "shipping", "shipping_details", "shipping_rate"), _OLDER
    ),
    "coupon": {"percent_off_precise": _OLDER},
    "credit_note": {"refund": _PAYMENTS, "tax_amounts": _TAXES},
    "credit_note_line_item": {
        "tax_amounts": _TAXES,
        **dict.fromkeys(("amount_excluding_tax", "unit_amount_excluding_tax"), _PRICING),
    },
    "customer": dict.fromkeys(
        ("account_balance", "cards", "default_card", "subscription", "tax_info"), _OLDER
    ),
    "discount": {"coupon": _SOURCE},
    "invoice": {
        **dict.fromkeys(("charge", "paid", "paid_out_of_band", "payment_intent"), _PAYMENTS),
        **dict.fromkeys(("quote", "subscription", "subscription_details"), _PARENT),
        "subscription_proration_date": _PARENT,
        **dict.fromkeys(("tax", "total_tax_amounts"), _TAXES),
        "discount": _DISCOUNTS,
        **dict.fromkeys(("application_fee_amount", "billing", "date", "default_currency"), _OLDER),
        **dict.fromkeys(("rendering_options", "tax_percent", "transfer_data"), _OLDER),
    },
    "invoiceitem": {
        **dict.fromkeys(("plan", "price", "unit_amount", "unit_amount_decimal"), _PRICING),
        **dict.fromkeys(("subscription", "subscription_item"), _PARENT),
    },
    "line_item": {
        **dict.fromkeys(("invoice_item", "proration", "proration_details", "type"), _PARENT),
        "subscription_item": _PARENT,
        **dict.fromkeys(("tax_amounts", "tax_rates"), _TAXES),
        **dict.fromkeys(("plan", "price"), _PRICING),
        **dict.fromkeys(("amount_excluding_tax", "unit_amount_excluding_tax"), _PRICING),
        "discount": _DISCOUNTS,
        "unique_line_item_id": _OLDER,
    },
    "payment_intent": {"charges": _OLDER, "invoice": _PAYMENTS},
    "plan": dict.fromkeys(("name", "statement_descriptor"), _OLDER),
    "product": dict.fromkeys(("attributes", "skus"), _OLDER),
    "promotion_code": {"coupon": _PROMOTION},
    "subscription": {
        **dict.fromkeys(("current_period_end", "current_period_start"), _PERIODS),
        "discount": _DISCOUNTS,
        **dict.fromkeys(("billing", "plan", "quantity", "start", "tax_percent"), _OLDER),
    },
    "subscription_schedule": dict.fromkeys(("renewal_behavior", "renewal_interval"), _OLDER),
    "subscription_schedule.phases": {
        "coupon": _DISCOUNTS,
        **dict.fromkeys(("iterations", "plans", "tax_percent"), _OLDER),
    },
    "subscription_schedule.phases.items": dict.fromkeys(("coupon", "trial"), _OLDER),
}


def count() -> int:
    """How many fields are promised to be absent."""
    return sum(len(fields) for fields in REMOVED.values())


def faults(body: Any, path: str = "$") -> Iterator[Fault]:
    """Every removed field that the body shows, in it or in what is nested in it."""
    if isinstance(body, list):
        for position, one in enumerate(body):
            yield from faults(one, f"{path}[{position}]")
    elif isinstance(body, dict):
        yield from _shown(body, str(body.get("object", "")), path)
        for name, inner in body.items():
            # Metadata has whatever names its owner likes.
            if name != "metadata":
                yield from faults(inner, f"{path}.{name}")


def _shown(body: Json, kind: str, path: str) -> Iterator[Fault]:
    for name, why in REMOVED.get(kind, {}).items():
        if name in body:
            yield f"{path}.{name}", f"{kind} has this field no more ({why})"
    for nested in REMOVED:
        owner, _, field = nested.rpartition(".")
        if kind and owner == kind and field in body:
            for position, one in enumerate(body[field]):
                yield from _shown(one, nested, f"{path}.{field}[{position}]")


def returned() -> list[str]:
    """The removed fields that a class of the SDK has all the same."""
    return [
        f"{owner}.{name}: the SDK's class has it"
        for owner, names in REMOVED.items()
        for name in names
        if name in sdk.fields(_class_of(owner))
    ]


def _class_of(owner: str) -> Any:
    if sdk.is_object(owner):
        return sdk.class_of(owner)
    above, _, field = owner.rpartition(".")
    return sdk.read(sdk.read(sdk.fields(_class_of(above))[field]).inner).inner
