"""Line items: what a Checkout Session sells, checked and summed when it is opened."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.objects import prices
from stripe_sandbox.unit import Unit, public

FIELDS = params.list_of(
    params.hash_of(
        {
            "price": TEXT,
            "price_data": params.hash_of(prices.INLINE, ("currency",)),
            "quantity": params.integer(1, 999_999),
        }
    )
)
_BOTH = "You may only specify one of these parameters: price, price_data."
_NEITHER = "You must specify either `price` or `price_data`."


def opened(unit: Unit, values: Json) -> tuple[str, list[Json]]:
    """The currency of the session and its lines, each with its price id and sum."""
    given = values.get("line_items")
    if not given:
        raise errors.missing_parameter("line_items")
    found = [_price(unit, line, f"line_items[{index}]") for index, line in enumerate(given)]
    currency = values.get("currency") or found[0]["currency"]
    _fit_mode(values["mode"], found)
    lines = [
        _line(price, line, currency, f"line_items[{index}]")
        for index, (price, line) in enumerate(zip(found, given, strict=True))
    ]
    if sum(line["amount"] for line in lines) < 1:
        raise errors.invalid(
            "The sandbox does not serve Checkout Sessions with nothing to pay yet.",
            code="amount_too_small",
            param="line_items",
        )
    return currency, lines


def of_session(unit: Unit, session: Json) -> list[Json]:
    """The line items of the session, with their whole prices, as the API shows them."""
    return [_shown(unit, session, line) for line in session["_lines"]]


def page_of(unit: Unit, session: Json) -> Json:
    """The line items as a list, for expansion."""
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return lists.listed(url, of_session(unit, session))


def _price(unit: Unit, line: Json, param: str) -> Json:
    if line.get("price") and line.get("price_data"):
        raise errors.invalid(_BOTH, param=param)
    if line.get("price_data"):
        price = prices.create(unit, dict(line["price_data"]))
        # As at Stripe, a price written into a session is for that session alone.
        price["active"] = False
        return unit.save(price)
    if not line.get("price"):
        raise errors.invalid(_NEITHER, param=param)
    price = unit.get("price", line["price"], f"{param}[price]")
    if not price["active"]:
        raise errors.invalid(
            "The price specified is inactive. This field only accepts active prices.",
            param=f"{param}[price]",
        )
    return price


def _fit_mode(mode: str, found: list[Json]) -> None:
    recurring = [price for price in found if price["recurring"]]
    if mode == "subscription" and not recurring:
        raise errors.invalid(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            param="line_items",
        )
    if mode == "payment" and recurring:
        raise errors.invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` "
            "mode or use only one-time prices.",
            param="line_items",
        )
    rhythms = {
        (price["recurring"]["interval"], price["recurring"]["interval_count"])
        for price in recurring
    }
    if len(rhythms) > 1:
        raise errors.invalid(
            "Checkout does not support multiple prices with different billing intervals.",
            param="line_items",
        )


def _line(price: Json, line: Json, currency: str, param: str) -> Json:
    quantity = line.get("quantity")
    if quantity is None:
        raise errors.missing_parameter(f"{param}[quantity]")
    return {
        "id": ids.new_id("li"),
        "price": price["id"],
        "quantity": quantity,
        "amount": prices.amount_in(price, currency) * quantity,
    }


def _shown(unit: Unit, session: Json, line: Json) -> Json:
    price = unit.get("price", line["price"])
    return {
        "id": line["id"],
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": line["amount"],
        "amount_tax": 0,
        "amount_total": line["amount"],
        "currency": session["currency"],
        "description": unit.get("product", price["product"])["name"],
        "metadata": {},
        "price": public(price),
        "quantity": line["quantity"],
    }
