"""A customer on a test clock of the sandbox: their time moves and nobody else's does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from talkingphoto.billing import catalog, customers
from tests.support.running import wait_until
from tests.support.shop import Person, Shop


class Clocked:
    """Somebody with a card and a plan, whose time the test moves at Stripe and in the product."""

    def __init__(self, shop: Shop, item: str, *, hears: bool = True, **subscription: Any) -> None:
        self.shop = shop
        self.person: Person = shop.a_person()
        self.client = shop.sandbox.client(shop.key)
        began = int(shop.runtime.clock().timestamp())
        self.clock = self.client.v1.test_helpers.test_clocks.create({"frozen_time": began}).id
        made = self.client.v1.customers.create(
            {"email": self.person.email, "test_clock": self.clock}
        )
        self.customer = str(made.id)
        self.uses("pm_card_visa")
        now = shop.runtime.clock()
        with shop.runtime.transaction() as session:
            customers.ensure(session, user_id=self.person.id, now=now)
            customers.attach(session, user_id=self.person.id, stripe_customer_id=self.customer)
            price = catalog.current_price_id(session, item_key=item)
        plan: Any = {"customer": self.customer, "items": [{"price": price}], **subscription}
        self.plan = str(self.client.v1.subscriptions.create(plan).id)
        shop.clock.move_to(datetime.fromtimestamp(began, tz=now.tzinfo))
        if hears:
            self.hears()

    def uses(self, card: str) -> None:
        """From now on that card pays."""
        method = self.client.v1.payment_methods.attach(card, {"customer": self.customer}).id
        settings: Any = {"invoice_settings": {"default_payment_method": method}}
        self.client.v1.customers.update(self.customer, settings)

    def hears(self) -> list[dict[str, Any]]:
        """Every webhook of theirs has come; which those were."""
        events = [
            event
            for event in self.shop.new_events()
            if event["data"]["object"].get("customer") == self.customer
        ]
        self.shop.deliver(events)
        return events

    def lives(self, *, seconds: int = 0, days: int = 0) -> None:
        """So much of their time has passed; no webhook of it has come yet."""
        clocks = self.client.v1.test_helpers.test_clocks
        self.shop.clock.advance(days=days, seconds=seconds)
        clocks.advance(self.clock, {"frozen_time": int(self.shop.clock.now.timestamp())})
        wait_until(lambda: clocks.retrieve(self.clock).status == "ready")

    def charged(self) -> list[int]:
        """What their cards were charged with, the newest first."""
        found = self.client.v1.charges.list({"customer": self.customer, "limit": 100}).data
        return [one.amount for one in found if one.paid]
