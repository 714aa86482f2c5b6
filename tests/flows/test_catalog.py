"""What the commands `catalog sync` and `webhooks sync` leave at Stripe, however often they run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.payment_service import PaymentService
from services.webhook_service import WebhookService
from talkingphoto.billing import catalog
from talkingphoto.events.table import HANDLERS
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.support.sandbox import SandboxProcess, free_port
from tests.support.shop import Shop

GUIDES_EVENTS = {
    "checkout.session.completed",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox nobody has sold anything at yet."""
    process = SandboxProcess(tmp_path_factory.mktemp("catalog"))
    yield process
    process.stop()


def chosen(shop: Shop, **settings: str) -> Runtime:
    """The same product with other settings."""
    return Runtime(shop.runtime.settings.model_copy(update=settings), clock=shop.clock)


def test_the_price_list_is_the_one_that_was_promised() -> None:
    prices = {key: (item.price.minor, item.credits) for key, item in catalog.ITEMS.items()}
    assert prices == {
        "starter:month": (1999, 30),
        "starter:year": (19999, 30),
        "pro:month": (4999, 100),
        "pro:year": (49999, 100),
        "enterprise:month": (19999, 500),
        "enterprise:year": (199999, 500),
        "pack:10": (990, 10),
        "pack:50": (4450, 50),
        "pack:200": (15800, 200),
    }
    assert {item.price.currency for item in catalog.ITEMS.values()} == {"usd"}
    assert [plan.yearly_saving_percent for plan in catalog.PLANS] == [16, 16, 16]


def test_every_item_has_one_price_at_stripe_and_a_second_sync_makes_no_other(shop: Shop) -> None:
    first = list(shop.payments.sync_catalog())
    assert list(shop.payments.sync_catalog()) == first
    client = shop.sandbox.client(shop.key)
    prices = client.v1.prices.list({"limit": 100}).data
    found = {
        price.lookup_key: (
            price.unit_amount,
            price.currency,
            price.recurring.interval if price.recurring else None,
        )
        for price in prices
    }
    assert len(prices) == len(found) == len(catalog.ITEMS)
    assert found == {
        item.lookup_key: (item.price.minor, item.price.currency, item.interval)
        for item in catalog.ITEMS.values()
    }
    products = {product.name: product.description for product in client.v1.products.list().data}
    assert products["TalkingPhoto Starter"] == "30 video generations per month"
    assert products["TalkingPhoto Pro"] == "100 video generations per month"
    assert len(products) == len(catalog.PLANS) + len(catalog.PACKS)


def test_the_operators_own_price_is_the_one_that_is_sold(shop: Shop) -> None:
    client = shop.sandbox.client(shop.key)
    product = client.v1.products.create({"name": "Made by hand"})
    own = client.v1.prices.create(
        {
            "product": product.id,
            "unit_amount": 1999,
            "currency": "usd",
            "recurring": {"interval": "month"},
        }
    )
    mine = PaymentService(chosen(shop, stripe_starter_monthly_price_id=own.id))
    assert any(own.id in line for line in mine.sync_catalog())
    shop.payments = mine
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    assert shop.balance(ada) == 33
    line = client.v1.invoices.list({"limit": 1}).data[0].lines.data[0]
    assert line.pricing is not None and line.pricing.price_details is not None
    assert line.pricing.price_details.price == own.id


def test_an_operators_price_that_costs_something_else_is_refused(shop: Shop) -> None:
    client = shop.sandbox.client(shop.key)
    yearly = client.v1.prices.list({"lookup_keys": ["talkingphoto_pro_year"]}).data[0]
    wrong = PaymentService(chosen(shop, stripe_pro_monthly_price_id=yearly.id))
    with pytest.raises(errors.InvalidRequest) as refusal:
        list(wrong.sync_catalog())
    assert refusal.value.code == "catalog.price_mismatch"
    assert "pro:month" in refusal.value.message


def test_a_price_that_was_taken_out_of_sale_is_replaced_under_its_key(shop: Shop) -> None:
    client = shop.sandbox.client(shop.key)
    old = client.v1.prices.list({"lookup_keys": ["talkingphoto_pack_10"]}).data[0]
    client.v1.prices.update(old.id, {"active": False})
    list(shop.payments.sync_catalog())
    new = client.v1.prices.list({"lookup_keys": ["talkingphoto_pack_10"]}).data[0]
    assert new.id != old.id
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    assert shop.payments.account(ada.id).invoices[0].total == Money(990, "usd")


def test_the_endpoint_asks_for_our_events_and_a_second_sync_makes_no_other(shop: Shop) -> None:
    assert set(HANDLERS) >= GUIDES_EVENTS
    web = f"http://localhost:{free_port()}"
    service = WebhookService(chosen(shop, web_url=web))
    assert "STRIPE_WEBHOOK_SECRET=whsec_" in service.sync_endpoint()
    assert "whsec_" not in service.sync_endpoint()
    client = shop.sandbox.client(shop.key)
    (endpoint,) = [
        found
        for found in client.v1.webhook_endpoints.list().data
        if found.url == f"{web}/webhook/stripe"
    ]
    assert set(endpoint.enabled_events) == set(HANDLERS)
    assert endpoint.api_version == "2026-10-28.endive"
