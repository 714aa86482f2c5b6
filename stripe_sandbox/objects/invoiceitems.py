"""Invoice items: sums that wait for the customer's next invoice, or stand on a draft."""

from dataclasses import dataclass
from datetime import UTC, datetime

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.objects import prices
from stripe_sandbox.unit import Unit, Where

_WAITING = Where("json_extract(body, '$.invoice') IS NULL")


PRICE_DATA: params.Fields = {
    "currency": params.currency,
    "product": params.TEXT,
    "tax_behavior": params.choice("exclusive", "inclusive", "unspecified"),
    **prices.AMOUNT,
}


@dataclass(frozen=True)
class Proration:
    """A part of a period given back or charged for because a subscription has changed."""

    subscription: Json
    item: Json
    amount: int
    period: tuple[int, int]
    words: str
    # What a credit gives back a part of: an invoice's line, or a proration that came before.
    credited: Json | None = None


def create(unit: Unit, values: Json) -> Json:
    """The sum waits for the next invoice, or stands on the draft that was named."""
    customer = unit.living("customer", values["customer"], "customer")
    price, amount = _priced(unit, values)
    quantity = values.get("quantity")
    period = values.get("period") or {"start": unit.now, "end": unit.now}
    body = {
        **_blank(unit, customer["id"], values["currency"]),
        "amount": amount,
        "description": values.get("description") or _name(unit, price),
        "discountable": values.get("discountable", True) is not False,
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "parent": _parent(values.get("subscription"), None),
        "period": {"end": period["end"], "start": period["start"]},
        "pricing": _pricing(price, amount // quantity if quantity else amount),
        "quantity": quantity or 1,
        "quantity_decimal": str(quantity or 1),
        "_tax_code": values.get("tax_code"),
        "_tax_behavior": values.get("tax_behavior") or (price["tax_behavior"] if price else None),
    }
    unit.insert(body)
    unit.emit("invoiceitem.created", body)
    return body


def prorate(unit: Unit, part: Proration) -> Json:
    """The part of the period waits for the next invoice."""
    body = part.subscription
    price = part.item["price"]
    made = {
        **_blank(unit, body["customer"], body["currency"]),
        "amount": part.amount,
        "description": part.words,
        # Its sum is a part of what was billed after discounts; they are not taken off again.
        "discountable": False,
        "parent": _parent(body["id"], part.item["id"]),
        "period": {"end": part.period[1], "start": part.period[0]},
        "pricing": _pricing(price, part.amount),
        "proration": True,
        "proration_details": {"credited_items": part.credited, "discount_amounts": []},
        "quantity": part.item["quantity"],
        "quantity_decimal": str(part.item["quantity"]),
        "tax_rates": part.item["tax_rates"],
        "_tax_behavior": price["tax_behavior"],
        "_credited": (part.credited or {}).get("invoice_line_item_details"),
    }
    unit.insert(made)
    unit.emit("invoiceitem.created", made)
    return made


def waiting(unit: Unit, customer_id: str, subscription_id: str | None) -> list[Json]:
    """What waits for the customer's next invoice, oldest first.

    An invoice of a subscription takes what belongs to it and what belongs to none; an invoice by
    hand takes only the latter.
    """
    found = unit.select(
        "invoiceitem", [*lists.equal({"customer": customer_id}, "customer"), _WAITING], 250, "ASC"
    )
    return [body for body in found if _owner(body) in (None, subscription_id)]


def day(moment: int) -> str:
    """The day as Stripe writes it in the words of a proration: 14 Dec 2026."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day:02d} {at:%b %Y}"


def _blank(unit: Unit, customer_id: str, currency: str) -> Json:
    return {
        "id": ids.new_id("ii"),
        "object": "invoiceitem",
        "currency": currency,
        "customer": customer_id,
        "customer_account": None,
        "date": unit.now,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "proration": False,
        "tax_rates": [],
        "test_clock": unit.clock,
        "_credited": None,
    }


def _owner(body: Json) -> str | None:
    return str(body["parent"]["subscription_details"]["subscription"]) if body["parent"] else None


def _parent(subscription_id: str | None, item_id: str | None) -> Json | None:
    if subscription_id is None:
        return None
    details = {"subscription": subscription_id}
    if item_id:
        details["subscription_item"] = item_id
    return {"subscription_details": details, "type": "subscription_details"}


def _pricing(price: Json | None, unit_amount: int) -> Json:
    details = {"price": price["id"], "product": price["product"]} if price else None
    return {
        **({"price_details": details} if details else {}),
        "type": "price_details",
        "unit_amount_decimal": str(unit_amount),
    }


def _priced(unit: Unit, values: Json) -> tuple[Json | None, int]:
    """The price, if one was named, and the sum."""
    named = (values.get("pricing") or {}).get("price")
    given = [name for name in ("amount", "price_data", "unit_amount_decimal") if name in values]
    if len(given) + bool(named) != 1:
        raise errors.invalid(
            "You must specify one of amount, unit_amount_decimal, pricing or price_data.",
            param="amount",
        )
    quantity = values.get("quantity") or 1
    if "amount" in values:
        return None, int(values["amount"])
    if "unit_amount_decimal" in values:
        return None, int(values["unit_amount_decimal"]) * quantity
    if named:
        price = unit.get("price", named, "pricing[price]")
        if price["recurring"]:
            raise errors.invalid(
                "The price specified is recurring; invoice items take one-time prices.",
                param="pricing[price]",
            )
    else:
        price = prices.create(unit, dict(values["price_data"]))
        price["active"] = False
        unit.save(price)
    return price, prices.amount_in(price, values["currency"]) * quantity


def _name(unit: Unit, price: Json | None) -> str | None:
    return str(unit.get("product", price["product"])["name"]) if price else None
