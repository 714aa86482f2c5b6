"""What is for sale as Stripe keeps it: products and prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import stripe

from talkingphoto.billing.catalog import Item
from talkingphoto.foundation import errors
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, translated


@dataclass(frozen=True)
class PriceFacts:
    """A price at Stripe and the product it belongs to."""

    price_id: str
    product_id: str


class CatalogCalls(StripeCalls):
    """Products and prices."""

    def ensure_price(self, item: Item, *, chosen_price_id: str) -> PriceFacts:
        """The Stripe price to sell an item at: the operator's own, the one under its lookup key
        while amount and interval agree, or a new one that takes the key over."""
        with translated():
            if chosen_price_id:
                return self._chosen_price(item, chosen_price_id)
            found = self._v1.prices.list({"lookup_keys": [item.lookup_key], "limit": 1}).data
            if found and _sells(found[0], item) and found[0].active:
                return PriceFacts(found[0].id, _product_id(found[0]))
            return self._new_price(item, replaces=found[0].id if found else "none")

    def _chosen_price(self, item: Item, price_id: str) -> PriceFacts:
        price = self._v1.prices.retrieve(safe(price_id))
        if not _sells(price, item):
            raise errors.InvalidRequest(
                "catalog.price_mismatch",
                f"The price set for {item.key} has another amount, currency or interval than "
                f"{item.price.decimal()} {item.price.currency}. Correct its …_PRICE_ID setting.",
            )
        return PriceFacts(price.id, _product_id(price))

    def _new_price(self, item: Item, *, replaces: str) -> PriceFacts:
        product_id = self._ensure_product(item)
        recurring = {"recurring": {"interval": item.interval}} if item.interval else {}
        made = self._v1.prices.create(
            {
                "product": product_id,
                "unit_amount": item.price.minor,
                "currency": item.price.currency,
                "lookup_key": item.lookup_key,
                "transfer_lookup_key": True,
                **recurring,
            },
            # With what it replaces: a replay within a day would bring the replaced price back.
            {"idempotency_key": f"price:{item.lookup_key}:{item.price.minor}:{replaces}"},
        )
        return PriceFacts(made.id, product_id)

    def _ensure_product(self, item: Item) -> str:
        product_id = f"talkingphoto_{item.product_key}"
        try:
            return str(self._v1.products.retrieve(product_id).id)
        except stripe.InvalidRequestError as fault:
            if fault.code != "resource_missing":
                raise
        made = self._v1.products.create(
            {"id": product_id, "name": item.product_name, "description": item.description},
            {"idempotency_key": f"product:{product_id}"},
        )
        return str(made.id)


def _product_id(price: Any) -> str:
    return price.product if isinstance(price.product, str) else str(price.product.id)


def _sells(price: Any, item: Item) -> bool:
    interval = price.recurring.interval if price.recurring else None
    return (price.unit_amount, price.currency, interval) == (
        item.price.minor,
        item.price.currency,
        item.interval,
    )
