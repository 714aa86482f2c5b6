"""Subscription items: a price, how many of it, and the time it is paid for."""

from stripe_sandbox import Json, ids, months
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import prices
from stripe_sandbox.unit import Unit, Where, public

PRICE_DATA = params.hash_of(
    {
        "currency": params.currency,
        "product": TEXT,
        "recurring": prices.RECURRING,
        "tax_behavior": params.choice("exclusive", "inclusive", "unspecified"),
        **prices.AMOUNT,
    },
    ("currency", "product", "recurring"),
)
_HOLDS_ITEM = Where(
    "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') AS item "
    "WHERE json_extract(item.value, '$.id') = ?)"
)


def priced(unit: Unit, given: Json, param: str) -> Json:
    """The recurring price that a parameter names or describes; refused if it cannot be sold."""
    if bool(given.get("price")) == bool(given.get("price_data")):
        raise errors.invalid(
            "You must specify either `price` or `price_data` for each item.", param=param
        )
    if given.get("price_data"):
        price = prices.create(unit, dict(given["price_data"]))
        price["active"] = False
        return unit.save(price)
    price = unit.get("price", given["price"], f"{param}[price]")
    # What a schedule was told to sell is sold even if the price was archived meanwhile.
    if not price["active"] and not given.get("_chosen"):
        raise errors.invalid(
            f"The price specified is inactive: {price['id']}.", param=f"{param}[price]"
        )
    if price["recurring"] is None:
        raise errors.invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.",
            param=f"{param}[price]",
        )
    return price


def made(unit: Unit, subscription_id: str, price: Json, given: Json) -> Json:
    """A new item of the subscription; its period is set by whoever knows the calendar."""
    quantity = given.get("quantity")
    return {
        "id": ids.new_id("si", 14),
        "object": "subscription_item",
        "billed_until": unit.now,
        "billing_thresholds": None,
        "created": unit.now,
        "current_period_end": unit.now,
        "current_period_start": unit.now,
        "discounts": [],
        "metadata": params.merged_metadata({}, given.get("metadata") or {}),
        "quantity": 1 if quantity is None else quantity,
        "subscription": subscription_id,
        "tax_rates": [],
        **_price_of(price),
    }


def reprice(item: Json, price: Json) -> None:
    """The item sells this price from now on."""
    item.update(_price_of(price))


def amount_of(unit: Unit, item: Json, currency: str) -> int:
    """What one whole period of the item costs."""
    price = item["price"]
    if price["currency"] != currency:
        # The other currencies of a price are notes of the stored one.
        price = unit.get("price", price["id"])
    return prices.amount_in(price, currency) * int(item["quantity"])


def rhythm_of(item: Json) -> tuple[str, int]:
    """The interval of the item's price, and how many of them a period has."""
    every = item["price"]["recurring"]
    return str(every["interval"]), int(every["interval_count"])


def after(anchor: int, item: Json, periods: int) -> int:
    """The moment so many periods of the item after the anchor."""
    interval, count = rhythm_of(item)
    return months.after(anchor, interval, count * periods)


def owner_of(unit: Unit, item_id: str) -> Json:
    """The subscription that has the item, or Stripe's 404."""
    for body in unit.select("subscription", [Where(_HOLDS_ITEM.sql, (item_id,))], 1):
        return body
    raise errors.no_such("subscription_item", item_id)


def within(body: Json, item_id: str) -> Json:
    """The item of the subscription, or Stripe's 404."""
    for item in body["items"]["data"]:
        if item["id"] == item_id:
            return dict(item)
    raise errors.no_such("subscription_item", item_id)


def one(unit: Unit, values: Json, id: str) -> Json:
    """One item of a subscription."""
    return within(owner_of(unit, id), id)


def all_of(unit: Unit, values: Json) -> Json:
    """One page of the items of one subscription."""
    body = unit.get("subscription", values["subscription"], "subscription")
    return lists.cut("/v1/subscription_items", body["items"]["data"], values)


def _price_of(price: Json) -> Json:
    shown = public(price)
    return {"plan": prices.plan_of(shown), "price": shown}


ROUTES = (
    Route("GET", "/v1/subscription_items/<id>", one),
    Route(
        "GET",
        "/v1/subscription_items",
        all_of,
        {**lists.PAGING, "subscription": TEXT},
        ("subscription",),
    ),
)
