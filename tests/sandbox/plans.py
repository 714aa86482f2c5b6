"""A customer on a test clock, with a plan, for tests that live through its life."""

from dataclasses import dataclass
from typing import Any

from tests.sandbox.running import Shop, eventually

DAY = 24 * 3600
# 1 January 2026, 00:00 UTC: a month of 31 days, then one of 28.
NEW_YEAR = 1_767_225_600
VISA = "pm_card_visa"
FAILS_LATER = "pm_card_chargeCustomerFail"


@dataclass
class Subscriber:
    """A customer whose time only this test moves."""

    shop: Shop
    clock: str
    customer: str
    now: int

    @property
    def v1(self) -> Any:
        return self.shop.client.v1

    def subscribe(self, price: str, **extra: Any) -> Any:
        """A new subscription to one of this price."""
        params = {"customer": self.customer, "items": [{"price": price}], **extra}
        return self.v1.subscriptions.create(params=params)

    def change(self, subscription: Any, price: str, **extra: Any) -> Any:
        """The subscription's one item is to sell this price."""
        item = subscription["items"].data[0].id
        params = {"items": [{"id": item, "price": price}], **extra}
        return self.v1.subscriptions.update(subscription.id, params=params)

    def reread(self, subscription: Any, *expand: str) -> Any:
        """The subscription as it is now."""
        return self.v1.subscriptions.retrieve(subscription.id, params={"expand": list(expand)})

    def invoices(self, subscription: Any) -> list[Any]:
        """Its invoices, newest first."""
        return list(
            self.v1.invoices.list(params={"subscription": subscription.id, "limit": 100}).data
        )

    def latest(self, subscription: Any) -> Any:
        """Its newest invoice."""
        return self.v1.invoices.retrieve(self.reread(subscription).latest_invoice)

    def pay_with(self, token: str) -> str:
        """The customer's default method is a new one of this kind."""
        method = self.v1.payment_methods.attach(token, params={"customer": self.customer})
        settings = {"default_payment_method": method.id}
        self.v1.customers.update(self.customer, params={"invoice_settings": settings})
        return str(method.id)

    def wait(self, *, days: float = 0, hours: float = 0) -> None:
        """So much later on the clock, with everything done that was due on the way."""
        self.now += int(days * DAY + hours * 3600)
        clocks = self.v1.test_helpers.test_clocks
        clocks.advance(self.clock, params={"frozen_time": self.now})
        eventually(lambda: clocks.retrieve(self.clock).status == "ready", seconds=30)

    def events(self, *object_ids: str) -> list[str]:
        """The types of the events about the customer or these objects, oldest first."""
        return self.shop.events_about(self.customer, *object_ids)


def subscriber(shop: Shop, *, card: str | None = VISA) -> Subscriber:
    """A new customer on a clock of their own, with a card unless told otherwise."""
    v1 = shop.client.v1
    clock = v1.test_helpers.test_clocks.create(params={"frozen_time": NEW_YEAR}).id
    customer = v1.customers.create(params={"email": "ada@example.com", "test_clock": clock}).id
    person = Subscriber(shop, clock, customer, NEW_YEAR)
    if card:
        person.pay_with(card)
    return person


def price(shop: Shop, amount: int, interval: str = "month", **extra: Any) -> str:
    """A new price of a product of its own."""
    params: Any = {
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": interval},
        "product_data": {"name": f"Plan at {amount} a {interval}"},
        **extra,
    }
    return shop.client.v1.prices.create(params=params).id
