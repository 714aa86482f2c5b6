"""The shapes of objects, held against the classes of the official SDK."""

from typing import Any

import stripe

from tests.sandbox.running import Shop


def _fields(kind: type[Any]) -> tuple[set[str], set[str]]:
    """The fields a class names, and those of them that must be there."""
    named = {name for name in kind.__annotations__ if name not in ("OBJECT_NAME", "deleted")}
    must = {name for name in named if not _may_be_none(kind.__annotations__[name])}
    return named, must


def _may_be_none(annotation: object) -> bool:
    # An Optional of several kinds prints as a Union with NoneType.
    return "Optional" in str(annotation) or "NoneType" in str(annotation)


def _compare(body: dict[str, Any], kind: type[Any]) -> None:
    named, must = _fields(kind)
    assert set(body) <= named, (kind.__name__, set(body) - named)
    assert must <= set(body), (kind.__name__, must - set(body))
    absent = {name for name in must if body[name] is None}
    assert not absent, (kind.__name__, absent)


def test_every_object_of_a_paid_subscription_has_the_fields_the_sdk_names(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    shop.pay(session)
    paid = shop.reread(
        session,
        "customer",
        "line_items",
        "invoice.payments.data.payment",
        "subscription.default_payment_method",
    ).to_dict()
    invoice, subscription = paid["invoice"], paid["subscription"]
    payment = invoice["payments"]["data"][0]
    intent = shop.client.v1.payment_intents.retrieve(
        payment["payment"]["payment_intent"],
        params={"expand": ["latest_charge.balance_transaction", "latest_charge.refunds"]},
    ).to_dict()
    charge = intent["latest_charge"]
    item = subscription["items"]["data"][0]
    pairs: list[tuple[dict[str, Any], type[Any]]] = [
        (paid["customer"], stripe.Customer),
        (paid["line_items"]["data"][0], stripe.LineItem),
        (invoice["lines"]["data"][0], stripe.InvoiceLineItem),
        (payment, stripe.InvoicePayment),
        (item["price"], stripe.Price),
        (item["plan"], stripe.Plan),
        (item, stripe.SubscriptionItem),
        (subscription["default_payment_method"], stripe.PaymentMethod),
        (charge["balance_transaction"], stripe.BalanceTransaction),
        (charge, stripe.Charge),
        (intent, stripe.PaymentIntent),
        (invoice, stripe.Invoice),
        (subscription, stripe.Subscription),
        (paid, stripe.checkout.Session),
    ]
    for body, kind in pairs:
        _compare(body, kind)


def test_products_refunds_events_and_endpoints_have_the_fields_the_sdk_names(shop: Shop) -> None:
    v1 = shop.client.v1
    intent = v1.payment_intents.create(
        params={"amount": 990, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    refund = v1.refunds.create(params={"payment_intent": intent.id})
    endpoint = v1.webhook_endpoints.create(
        params={"url": "http://localhost:9/none", "enabled_events": ["payout.paid"]}
    )
    _compare(refund.to_dict(), stripe.Refund)
    _compare(v1.products.create(params={"name": "P"}).to_dict(), stripe.Product)
    _compare(v1.events.list(params={"limit": 1}).data[0].to_dict(), stripe.Event)
    _compare(endpoint.to_dict(), stripe.WebhookEndpoint)
    v1.webhook_endpoints.delete(endpoint.id)
