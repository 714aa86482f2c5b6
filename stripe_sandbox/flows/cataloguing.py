"""A product put on offer: together with its first price, if one is described."""

from stripe_sandbox import Json
from stripe_sandbox.api import params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import prices, products
from stripe_sandbox.unit import Unit

_PRICE = params.hash_of(
    {
        **prices.AMOUNT,
        "currency": params.currency,
        "currency_options": prices.OPTIONS,
        "metadata": params.metadata,
        "recurring": prices.RECURRING,
        "tax_behavior": prices.TAX_BEHAVIOR,
    },
    ("currency",),
)


def offer(unit: Unit, values: Json) -> Json:
    """A new product exists, and the price described with it is its default price."""
    described = values.pop("default_price_data", None)
    product = products.create(unit, values)
    if not described:
        return product
    price = prices.create(unit, {**described, "product": product["id"]})
    return products.update(unit, {"default_price": price["id"]}, product["id"])


ROUTES = (
    Route(
        "POST",
        "/v1/products",
        offer,
        {
            **products.FIELDS,
            "default_price_data": _PRICE,
            "id": TEXT,
            "type": params.choice("service", "good"),
        },
        ("name",),
        partly="no package_dimensions, no custom amounts",
    ),
)
