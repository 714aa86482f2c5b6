"""Prices: what a product costs, once or every period, in one currency or several."""

from decimal import Decimal, InvalidOperation

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.forms import FormValue
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import products
from stripe_sandbox.unit import Unit, Where

_MOST = 99_999_999


def _decimal(value: FormValue, name: str) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 <= number <= _MOST):
        raise errors.invalid(f"Invalid decimal: {value}", param=name)
    if number != number.to_integral_value():
        raise errors.invalid("The sandbox serves whole minor units only", param=name)
    return str(int(number))


TAX_BEHAVIOR = params.choice("exclusive", "inclusive", "unspecified")
AMOUNT: params.Fields = {"unit_amount": params.integer(0, _MOST), "unit_amount_decimal": _decimal}
OPTIONS = params.hash_by(params.currency, {**AMOUNT, "tax_behavior": TAX_BEHAVIOR})
RECURRING = params.hash_of(
    {
        "interval": params.choice("day", "week", "month", "year"),
        "interval_count": params.integer(1, 156),
        "usage_type": params.choice("licensed"),
    },
    ("interval",),
)
_PRODUCT_DATA = params.hash_of(
    {
        "active": params.boolean,
        "id": TEXT,
        "metadata": params.metadata,
        "name": TEXT,
        "statement_descriptor": params.text(22),
        "tax_code": TEXT,
        "unit_label": TEXT,
    },
    ("name",),
)
_CHANGEABLE: params.Fields = {
    "active": params.boolean,
    "currency_options": OPTIONS,
    "lookup_key": params.text(200),
    "metadata": params.metadata,
    "nickname": TEXT,
    "tax_behavior": TAX_BEHAVIOR,
    "transfer_lookup_key": params.boolean,
}
INLINE: params.Fields = {
    **AMOUNT,
    "currency": params.currency,
    "product": TEXT,
    "product_data": params.hash_of(
        {
            name: products.FIELDS[name]
            for name in ("description", "images", "metadata", "name", "tax_code", "unit_label")
        },
        ("name",),
    ),
    "recurring": RECURRING,
    "tax_behavior": TAX_BEHAVIOR,
}


def create(unit: Unit, values: Json) -> Json:
    """A new price exists; its lookup key is its own, taken from another price only if asked."""
    amount = _amount(values)
    if amount is None:
        raise errors.missing_parameter("unit_amount")
    product = _product(unit, values)
    recurring = values.get("recurring")
    body = {
        "id": ids.new_id("price"),
        "object": "price",
        "active": values.get("active", True),
        "billing_scheme": "per_unit",
        "created": unit.now,
        "currency": values["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "nickname": values.get("nickname"),
        "product": product["id"],
        "recurring": _recurring(recurring) if recurring else None,
        "tax_behavior": values.get("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "_options": {},
    }
    unit.insert(body)
    _take_lookup_key(unit, body, values)
    _add_options(body, values.get("currency_options") or {})
    unit.save(body)
    unit.emit("price.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The price is as asked; its amount, currency and period never change."""
    before = unit.get("price", id)
    body = unit.get("price", id)
    _take_lookup_key(unit, body, values)
    _add_options(body, values.get("currency_options") or {})
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if body["tax_behavior"] not in (
        "unspecified",
        values.get("tax_behavior", body["tax_behavior"]),
    ):
        raise errors.invalid(
            "You cannot change tax_behavior once it has been set.", param="tax_behavior"
        )
    body.update(
        {name: values[name] for name in ("active", "nickname", "tax_behavior") if name in values}
    )
    return unit.update("price.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The prices, newest first."""
    wheres = [
        *lists.equal(values, "active", "currency", "product", "type"),
        *lists.within(values, "created"),
    ]
    recurring = values.get("recurring") or {}
    if recurring.get("interval"):
        wheres.append(
            Where("json_extract(body, '$.recurring.interval') = ?", (recurring["interval"],))
        )
    keys = values.get("lookup_keys")
    if keys:
        marks = ", ".join("?" * len(keys))
        wheres.append(Where(f"lookup_key IN ({marks})", tuple(keys)))
    return lists.page(unit, "price", "/v1/prices", values, wheres)


def amount_in(price: Json, currency: str) -> int:
    """What the price is in this currency, or Stripe's refusal if it has no such option."""
    if currency == price["currency"]:
        return int(price["unit_amount"])
    option = price["_options"].get(currency)
    if option is None:
        raise errors.invalid(
            f"The price specified only supports `{price['currency']}`. This doesn't match the "
            "expected "
            f"currency: `{currency}`.",
            param="currency",
        )
    return int(option["unit_amount"])


def options_of(unit: Unit, body: Json) -> Json:
    """The price in each of its currencies, for expansion."""
    return {
        body["currency"]: _option(body["unit_amount"], body["tax_behavior"]),
        **body["_options"],
    }


def plan_of(price: Json) -> Json:
    """The older form of a recurring price, which subscription items still carry."""
    same = (
        "id",
        "active",
        "billing_scheme",
        "created",
        "currency",
        "metadata",
        "nickname",
        "product",
    )
    return {
        **{name: price[name] for name in same},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "livemode": False,
        "tiers_mode": None,
        "transform_usage": None,
        **price["recurring"],
    }


def _amount(values: Json) -> int | None:
    if values.get("unit_amount") is not None and values.get("unit_amount_decimal") is not None:
        raise errors.invalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal."
        )
    amount = values.get("unit_amount", values.get("unit_amount_decimal"))
    return None if amount is None else int(amount)


def _product(unit: Unit, values: Json) -> Json:
    named, described = values.get("product"), values.get("product_data")
    if bool(named) == bool(described):
        raise errors.invalid(
            "You must specify either `product` or `product_data` when creating a price."
        )
    if described:
        return products.create(unit, dict(described))
    product = unit.living("product", str(named), "product")
    if not product["active"]:
        raise errors.invalid("The product is not active.", param="product")
    return product


def _recurring(given: Json) -> Json:
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count") or 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _take_lookup_key(unit: Unit, body: Json, values: Json) -> None:
    if "lookup_key" not in values:
        return
    key = values["lookup_key"]
    holders = unit.select("price", lists.equal({"lookup_key": key}, "lookup_key")) if key else []
    for holder in holders:
        if holder["id"] == body["id"]:
            continue
        if not values.get("transfer_lookup_key"):
            raise errors.invalid(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key"
            )
        before = dict(holder)
        holder["lookup_key"] = None
        unit.update("price.updated", holder, before)
    body["lookup_key"] = key


def _add_options(body: Json, given: Json) -> None:
    for currency, option in given.items():
        amount = _amount(option)
        if amount is None:
            raise errors.missing_parameter(f"currency_options[{currency}][unit_amount]")
        if currency != body["currency"]:
            body["_options"][currency] = _option(
                amount, option.get("tax_behavior") or body["tax_behavior"]
            )


def _option(amount: int, tax_behavior: str) -> Json:
    return {
        "custom_unit_amount": None,
        "tax_behavior": tax_behavior,
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


ROUTES = (
    Route(
        "POST",
        "/v1/prices",
        create,
        {
            **_CHANGEABLE,
            **AMOUNT,
            "billing_scheme": params.choice("per_unit"),
            "currency": params.currency,
            "product": TEXT,
            "product_data": _PRODUCT_DATA,
            "recurring": RECURRING,
        },
        ("currency",),
        partly="per unit and licensed only; no tiers, custom amounts, parts of a minor unit",
    ),
    retrieve("price", "/v1/prices"),
    Route(
        "POST",
        "/v1/prices/<id>",
        update,
        _CHANGEABLE,
        partly="per unit and licensed only; no tiers, custom amounts, parts of a minor unit",
    ),
    Route(
        "GET",
        "/v1/prices",
        all_of,
        {
            **lists.PAGING,
            "active": params.boolean,
            "created": params.span,
            "currency": params.currency,
            "lookup_keys": params.list_of(TEXT, 10),
            "product": TEXT,
            "recurring": params.hash_of(
                {"interval": params.choice("day", "week", "month", "year")}
            ),
            "type": params.choice("one_time", "recurring"),
        },
    ),
)
