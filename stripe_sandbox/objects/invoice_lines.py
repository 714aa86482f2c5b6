"""Invoice lines: what an invoice is for, made of subscription items and of invoice items."""

from stripe_sandbox import Json, amounts, ids
from stripe_sandbox.objects import subscription_items
from stripe_sandbox.unit import Unit


def for_period(unit: Unit, invoice: Json, subscription: Json, item: Json) -> Json:
    """What the item of the subscription costs for its present period; nothing in a trial."""
    trial = subscription["status"] == "trialing"
    currency = invoice["currency"]
    amount = 0 if trial else subscription_items.amount_of(unit, item, currency)
    unit_amount = amount // item["quantity"] if item["quantity"] else 0
    return {
        **_line(invoice, item["price"], item["quantity"], unit_amount),
        "amount": amount,
        "description": _words(unit, item, unit_amount, currency, trial=trial),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": item["current_period_end"], "start": item["current_period_start"]},
        "subscription": subscription["id"],
        "subtotal": amount,
    }


def of_invoiceitem(unit: Unit, invoice: Json, pending: Json) -> Json:
    """The line that an invoice item becomes."""
    details = pending["pricing"].get("price_details")
    price = {"id": details["price"], "product": details["product"]} if details else None
    unit_amount = pending["amount"] // pending["quantity"] if pending["quantity"] else 0
    subscription = _subscription_of(pending)
    return {
        **_line(invoice, price, pending["quantity"], unit_amount),
        "amount": pending["amount"],
        "description": pending["description"],
        "discountable": pending["discountable"],
        "discounts": list(pending["discounts"]),
        "metadata": dict(pending["metadata"]),
        "parent": _parent_of(pending),
        "period": dict(pending["period"]),
        "subscription": subscription,
        "subtotal": pending["amount"],
    }


def _line(invoice: Json, price: Json | None, quantity: int, unit_amount: int) -> Json:
    return {
        "id": ids.new_id("il"),
        "object": "line_item",
        "currency": invoice["currency"],
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "pricing": {
            **(
                {"price_details": {"price": price["id"], "product": price["product"]}}
                if price
                else {}
            ),
            "type": "price_details",
            "unit_amount_decimal": str(unit_amount),
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "taxes": [],
    }


def _subscription_of(pending: Json) -> str | None:
    parent = pending["parent"]
    return str(parent["subscription_details"]["subscription"]) if parent else None


def _parent_of(pending: Json) -> Json:
    common = {
        "invoice_item": pending["id"],
        "proration": pending["proration"],
        "proration_details": {"credited_items": pending["_credited"]},
        "subscription": _subscription_of(pending),
    }
    details = pending["parent"]["subscription_details"] if pending["parent"] else {}
    if not details.get("subscription_item"):
        return {
            "invoice_item_details": common,
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            **common,
            "subscription_item": details["subscription_item"],
        },
        "type": "subscription_item_details",
    }


def _words(unit: Unit, item: Json, unit_amount: int, currency: str, *, trial: bool) -> str:
    name = unit.get("product", item["price"]["product"])["name"]
    if trial:
        return f"Free trial for {item['quantity']} \u00d7 {name}"
    interval, count = subscription_items.rhythm_of(item)
    length = interval if count == 1 else f"{count} {interval}s"
    price = amounts.written(unit_amount, currency)
    return f"{item['quantity']} \u00d7 {name} (at {price} / {length})"
