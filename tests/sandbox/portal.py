"""A shop with a customer portal, and a customer who walks through its pages without a browser."""

import re
from dataclasses import dataclass
from typing import Any

import requests

from tests.sandbox.running import Shop

_PM = re.compile(r'/card/(pm_\w+)/remove"')


@dataclass(frozen=True)
class Portal:
    """Two plans, a yearly price, and a configuration that lets the customer do everything."""

    shop: Shop
    configuration: str
    starter: str
    yearly: str
    pro: str

    def configured(self, **features: Any) -> "Portal":
        """The same plans under a configuration that differs in these features."""
        made = _configuration(self.shop, self.starter, self.yearly, self.pro, features)
        return Portal(self.shop, made, self.starter, self.yearly, self.pro)

    def open(self, customer: str, **params: Any) -> "Visitor":
        """The customer has followed the address of a new session."""
        wanted: Any = {
            "customer": customer,
            "configuration": self.configuration,
            "return_url": "http://localhost:1/account",
            **params,
        }
        return Visitor(self.shop.client.v1.billing_portal.sessions.create(params=wanted).url)

    def subscribed(self, card: str = "4242 4242 4242 4242") -> tuple[str, str]:
        """A customer who pays for Starter; their id and their subscription's."""
        customer = self.shop.customer()
        session = self.shop.checkout(
            customer=customer, line_items=[{"price": self.starter, "quantity": 1}]
        )
        answer = self.shop.pay(session, card)
        if "/c/confirm/" in answer.headers["Location"]:
            _approve(answer.headers["Location"])
        return customer, self.shop.reread(session).subscription


@dataclass(frozen=True)
class Visitor:
    """Somebody in the portal: every page is at the address of their session."""

    url: str

    def get(self, path: str = "", **params: str) -> requests.Response:
        """A page, and where it leads."""
        return requests.get(self.url + path, params, timeout=10)

    def post(self, path: str, **fields: str) -> requests.Response:
        """A form; the answer is not followed."""
        return requests.post(self.url + path, fields, allow_redirects=False, timeout=10)

    def done(self, answer: requests.Response) -> str:
        """What the overview says was done, after the form led there."""
        assert answer.status_code == 303, answer.text
        page = requests.get(answer.headers["Location"], timeout=10).text
        found = re.search(r'id="done" role="status">([^<]+)<', page)
        assert found, page
        return found.group(1)

    def methods(self) -> list[str]:
        """The ids of the methods the overview lists."""
        return _PM.findall(self.get().text)

    def add_card(self, number: str, **fields: str) -> requests.Response:
        """The form for a new card, filled in and sent."""
        typed = {"number": number, "expiry": "12 / 34", "cvc": "123", "name": "Ada Lovelace"}
        return self.post("/card", **{**typed, **fields})

    def change(self, subscription: str, price: str, **chosen: str) -> requests.Response:
        """The change is looked at and confirmed as it is shown."""
        page = self.get(f"/plan/{subscription}/confirm", price=price, **chosen)
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        return self.post(f"/plan/{subscription}/confirm", **dict(hidden))


def _approve(bank: str) -> None:
    requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=5)


def open_portal(shop: Shop) -> Portal:
    """A portal for Starter ($19.99 a month, $199.99 a year) and Pro ($49.99 a month)."""
    v1 = shop.client.v1
    starter = v1.prices.retrieve(shop.plan)
    yearly = v1.prices.create(
        params={
            "currency": "usd",
            "unit_amount": 19999,
            "recurring": {"interval": "year"},
            "product": str(starter.product),
        }
    )
    pro = v1.prices.create(
        params={
            "currency": "usd",
            "unit_amount": 4999,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Pro"},
        }
    )
    made = _configuration(shop, starter.id, yearly.id, pro.id, {})
    return Portal(shop, made, starter.id, yearly.id, pro.id)


def _configuration(
    shop: Shop, starter: str, yearly: str, pro: str, features: dict[str, Any]
) -> str:
    v1 = shop.client.v1
    products = [
        {"product": v1.prices.retrieve(starter).product, "prices": [starter, yearly]},
        {
            "product": v1.prices.retrieve(pro).product,
            "prices": [pro],
            "adjustable_quantity": {"enabled": True, "maximum": 5},
        },
    ]
    everything: Any = {
        "customer_update": {
            "enabled": True,
            "allowed_updates": ["address", "email", "name", "phone", "shipping", "tax_id"],
        },
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {
            "enabled": True,
            "cancellation_reason": {"enabled": True, "options": ["too_expensive", "unused"]},
        },
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity"],
            "proration_behavior": "always_invoice",
            "products": products,
        },
    }
    for name, changes in features.items():
        everything[name] = {**everything[name], **changes}
    made = v1.billing_portal.configurations.create(params={"features": everything})
    return made.id
