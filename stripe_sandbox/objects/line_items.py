"""Line items: what a Checkout Session sells, checked when it is opened."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.objects import prices, tax_rates, taxes
from stripe_sandbox.unit import Unit, Where, public

_MOST = 999_999
FIELDS = params.list_of(
    params.hash_of(
        {
            "adjustable_quantity": params.hash_of(
                {
                    "enabled": params.boolean,
                    "maximum": params.integer(1, _MOST),
                    "minimum": params.integer(0, _MOST),
                },
                ("enabled",),
            ),
            "metadata": params.metadata,
            "price": TEXT,
            "price_data": params.hash_of(prices.INLINE, ("currency",)),
            "quantity": params.integer(1, _MOST),
            "tax_rates": params.list_of(TEXT, 5),
        }
    )
)
# Stripe's bounds of a quantity the payer may change.
_LEAST_QUANTITY, _MOST_QUANTITY = 0, 99
_BOTH = "You may only specify one of these parameters: price, price_data."
_NEITHER = "You must specify either `price` or `price_data`."
_HOLDS_LINE = (
    "EXISTS (SELECT 1 FROM json_each(body, '$._lines') AS line "
    "WHERE json_extract(line.value, '$.id') = ?)"
)


def opened(unit: Unit, values: Json) -> tuple[str, list[Json]]:
    """The currency of the session and its lines, each with its price id and sum."""
    given = values.get("line_items")
    if not given:
        raise errors.missing_parameter("line_items")
    found = [_price(unit, line, f"line_items[{index}]") for index, line in enumerate(given)]
    currency = values.get("currency") or found[0]["currency"]
    _fit_mode(values["mode"], found)
    lines = [
        _line(unit, price, line, currency, f"line_items[{index}]")
        for index, (price, line) in enumerate(zip(found, given, strict=True))
    ]
    return currency, lines


def recount(line: Json, quantity: int) -> None:
    """The payer wants so many of it."""
    line.update(quantity=quantity, amount=line["each"] * quantity)


def of_session(unit: Unit, session: Json) -> list[Json]:
    """The line items of the session, with their whole prices, as the API shows them."""
    return [_shown(unit, session, line) for line in session["_lines"]]


def page_of(unit: Unit, session: Json, values: Json) -> Json:
    """One page of the line items."""
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return lists.cut(url, of_session(unit, session), values)


def first_of(unit: Unit, session: Json) -> Json:
    """The first line items, for expansion."""
    return page_of(unit, session, {})


def taxes_of(unit: Unit, item: Json) -> list[Json]:
    """The taxes of one line item, for expansion."""
    session, line = _owner_of(unit, item["id"])
    return [tax_shown(unit, tax) for tax in line["taxes"]] if session else []


def discounts_of(unit: Unit, item: Json) -> list[Json]:
    """The discounts of one line item, for expansion."""
    session, line = _owner_of(unit, item["id"])
    if not (session["_discount"] and line["discount"]):
        return []
    return [{"amount": line["discount"], "discount": public(session["_discount"])}]


def breakdown_of(unit: Unit, session: Json) -> Json:
    """The discount and the taxes of the whole session, each by itself, for expansion."""
    lines = session["_lines"]
    off = sum(line["discount"] for line in lines)
    found = taxes.total(line["taxes"] for line in lines)
    return {
        "discounts": [{"amount": off, "discount": public(session["_discount"])}] if off else [],
        "taxes": [tax_shown(unit, tax) for tax in found],
    }


def tax_shown(unit: Unit, tax: Json) -> Json:
    """A tax of a line in the shape of sessions, with its whole rate."""
    return {
        "amount": tax["amount"],
        "rate": public(unit.get("tax_rate", tax["tax_rate_details"]["tax_rate"])),
        "taxability_reason": (
            None if tax["taxability_reason"] == taxes.BY_HAND else tax["taxability_reason"]
        ),
        "taxable_amount": tax["taxable_amount"],
    }


def _owner_of(unit: Unit, line_id: str) -> tuple[Json, Json]:
    session = unit.select("checkout.session", [Where(_HOLDS_LINE, (line_id,))], 1)[0]
    return session, next(line for line in session["_lines"] if line["id"] == line_id)


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
            "`subscription` mode or use only one-time prices.",
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


def _line(unit: Unit, price: Json, line: Json, currency: str, param: str) -> Json:
    quantity = line.get("quantity")
    if quantity is None:
        raise errors.missing_parameter(f"{param}[quantity]")
    each = prices.amount_in(price, currency)
    return {
        "id": ids.new_id("li"),
        "price": price["id"],
        "quantity": quantity,
        "each": each,
        "amount": each * quantity,
        "recurring": price["recurring"] is not None,
        "adjustable": _adjustable(line.get("adjustable_quantity"), quantity, param),
        "metadata": params.merged_metadata({}, line.get("metadata") or {}),
        "rates": tax_rates.chosen(unit, line.get("tax_rates") or [], f"{param}[tax_rates]"),
        "subtotal": 0,
        "discount": 0,
        "taxes": [],
    }


def _adjustable(given: Json | None, quantity: int, param: str) -> Json | None:
    if not (given and given["enabled"]):
        return None
    least = given.get("minimum", _LEAST_QUANTITY)
    most = given.get("maximum", _MOST_QUANTITY)
    if not least <= quantity <= most:
        raise errors.invalid(
            f"The quantity must be between {least} and {most}, the bounds it can be adjusted in.",
            param=f"{param}[quantity]",
        )
    return {"enabled": True, "maximum": most, "minimum": least}


def _shown(unit: Unit, session: Json, line: Json) -> Json:
    price = unit.get("price", line["price"])
    net = line["subtotal"] - line["discount"]
    return {
        "id": line["id"],
        "object": "item",
        "adjustable_quantity": line["adjustable"],
        "amount_discount": line["discount"],
        "amount_subtotal": line["subtotal"],
        "amount_tax": taxes.on_top(line["taxes"]) + taxes.inside(line["taxes"]),
        "amount_total": net + taxes.on_top(line["taxes"]),
        "currency": session["currency"],
        "description": unit.get("product", price["product"])["name"],
        "metadata": line["metadata"],
        "price": public(price),
        "quantity": line["quantity"],
    }
