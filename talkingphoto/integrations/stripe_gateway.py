"""The only door to Stripe, and the only file that imports it; never used inside a transaction.

The SDK retries the socket (twice, with jitter); nothing above retries it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import stripe

from talkingphoto.billing.catalog import Item
from talkingphoto.billing.payments import CheckoutFacts
from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.foundation import database, errors
from talkingphoto.integrations import stripe_reading

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 10
SOCKET_RETRIES = 2
TOLERANCE_SECONDS = 300
_Facts = TypeVar("_Facts")
_SECONDS = re.compile(r"^[0-9]{1,12}$")
_ID = re.compile(r"^[a-z]{2,6}_[A-Za-z0-9_]{1,200}$")


@dataclass(frozen=True)
class CheckoutOrder:
    """What to open a hosted checkout page for."""

    idempotency_key: str
    user_id: str
    request_id: str
    customer_id: str
    item: Item
    price_id: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True)
class PriceFacts:
    """A price at Stripe and the product it belongs to."""

    price_id: str
    product_id: str


@dataclass(frozen=True)
class PaymentIntentFacts:
    """What Stripe says of one payment."""

    id: str
    customer_id: str | None
    failure_code: str | None


@dataclass(frozen=True)
class RefundFacts:
    """How much of a charge was given back."""

    payment_intent_id: str | None
    refunded_minor: int


class StripeGateway:
    """Calls to one Stripe account, or to the sandbox; every answer is in our own words.

    What is gone at Stripe, or never was there, is None.
    """

    def __init__(self, *, api_key: str, api_base: str, webhook_secrets: tuple[str, ...]) -> None:
        assert stripe.api_version == API_VERSION, "the SDK speaks another version than this code"
        self.webhook_secrets = webhook_secrets
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            max_network_retries=SOCKET_RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    @property
    def _v1(self) -> Any:
        database.assert_outside_transaction()
        return self._client.v1

    def verify(self, raw: bytes, header: str, *, now: datetime) -> None:
        """Returns when one of our secrets signed these bytes within five minutes of now;
        InvalidRequest with the reason in its code for everything else, whatever the bytes."""
        signed_at = _signed_at(header)
        if abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS:
            # The SDK's own tolerance lets any time in the future pass.
            raise errors.InvalidRequest("webhook.timestamp", "Signed too long ago or too early.")
        for secret in self.webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(raw, header, secret)
            except stripe.SignatureVerificationError:
                continue
            except (UnicodeDecodeError, TypeError, ValueError) as fault:
                raise errors.InvalidRequest("webhook.body", "Not a signed JSON text.") from fault
            return
        raise errors.InvalidRequest("webhook.signature", "No secret of ours made this signature.")

    def ensure_customer(self, *, user_id: str, email: str) -> str:
        """The id of that user's one Stripe customer, made if there was none."""
        with _translated():
            # Stripe forgets an idempotency key after a day; the metadata never.
            for found in self._v1.customers.list({"email": email, "limit": 100}).data:
                if found.metadata and found.metadata.to_dict().get("user_id") == user_id:
                    return str(found.id)
            made = self._v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id}},
                {"idempotency_key": f"customer:{user_id}"},
            )
            return str(made.id)

    def create_checkout(self, order: CheckoutOrder) -> CheckoutFacts:
        """A hosted checkout page for one item; the same key gives the same page."""
        metadata = {
            "user_id": order.user_id,
            "request_id": order.request_id,
            "item": order.item.key,
        }
        params: dict[str, Any] = {
            "mode": "subscription" if order.item.is_plan else "payment",
            "customer": order.customer_id,
            "client_reference_id": order.user_id,
            "line_items": [{"price": order.price_id, "quantity": 1}],
            "metadata": metadata,
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
        }
        inner = "subscription_data" if order.item.is_plan else "payment_intent_data"
        params[inner] = {"metadata": metadata}
        with _translated():
            made = self._v1.checkout.sessions.create(
                params, {"idempotency_key": order.idempotency_key}
            )
            return stripe_reading.checkout(made)

    def fetch_checkout(self, session_id: str) -> CheckoutFacts | None:
        """The session as it is now."""
        return _seen(
            lambda: self._v1.checkout.sessions.retrieve(_safe(session_id)), stripe_reading.checkout
        )

    def checkout_of_payment(self, payment_intent_id: str) -> CheckoutFacts | None:
        """The session that a PaymentIntent pays; None for an invoice's."""
        return _seen(
            lambda: self._v1.checkout.sessions.list(
                {"payment_intent": _safe(payment_intent_id), "limit": 1}
            ),
            lambda found: stripe_reading.checkout(found.data[0]) if found.data else None,
        )

    def expire_checkout(self, session_id: str) -> None:
        """Nothing can be paid on that page any more, unless it was paid already."""
        try:
            with _translated():
                self._v1.checkout.sessions.expire(_safe(session_id))
        except errors.InvalidRequest:
            return  # complete or expired: there is nothing left to close

    def fetch_subscription(self, subscription_id: str) -> SubscriptionFacts | None:
        """The subscription as it is now."""
        return _seen(
            lambda: self._v1.subscriptions.retrieve(_safe(subscription_id)),
            stripe_reading.subscription,
        )

    def fetch_invoice(self, invoice_id: str) -> InvoiceFacts | None:
        """The invoice as it is now, with the reason of its last failed payment."""
        params = {"expand": ["payments.data.payment.payment_intent"]}
        return _seen(
            lambda: self._v1.invoices.retrieve(_safe(invoice_id), params), stripe_reading.invoice
        )

    def invoice_of_payment(self, payment_intent_id: str) -> str | None:
        """The id of the invoice that a PaymentIntent pays; None when it pays none."""
        payment = {"type": "payment_intent", "payment_intent": payment_intent_id}
        return _seen(
            lambda: self._v1.invoice_payments.list({"payment": payment, "limit": 1}),
            lambda found: stripe_reading.id_of(found.data[0].invoice) if found.data else None,
        )

    def fetch_payment(self, payment_intent_id: str) -> PaymentIntentFacts | None:
        """One payment as it is now."""
        return _seen(
            lambda: self._v1.payment_intents.retrieve(_safe(payment_intent_id)),
            lambda found: PaymentIntentFacts(
                id=found.id,
                customer_id=stripe_reading.id_of(found.customer),
                failure_code=stripe_reading.failure(found),
            ),
        )

    def fetch_refunds(self, charge_id: str) -> RefundFacts | None:
        """How much of a charge was given back so far."""
        return _seen(
            lambda: self._v1.charges.retrieve(_safe(charge_id)),
            lambda found: RefundFacts(
                payment_intent_id=stripe_reading.id_of(found.payment_intent),
                refunded_minor=found.amount_refunded,
            ),
        )

    def ensure_price(self, item: Item, *, chosen_price_id: str) -> PriceFacts:
        """The Stripe price to sell an item at: the operator's own, the one under its lookup key
        while amount and interval agree, or a new one that takes the key over."""
        with _translated():
            if chosen_price_id:
                return self._chosen_price(item, chosen_price_id)
            found = self._v1.prices.list({"lookup_keys": [item.lookup_key], "limit": 1}).data
            if found and _sells(found[0], item) and found[0].active:
                return PriceFacts(found[0].id, _product_id(found[0]))
            return self._new_price(item, replaces=found[0].id if found else "none")

    def _chosen_price(self, item: Item, price_id: str) -> PriceFacts:
        price = self._v1.prices.retrieve(_safe(price_id))
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

    def ensure_endpoint(self, *, url: str, event_types: tuple[str, ...]) -> tuple[str, str | None]:
        """Stripe delivers these events to that address in this code's API version.

        Answers the endpoint's id, and its signing secret if it was made just now."""
        with _translated():
            for found in self._v1.webhook_endpoints.list({"limit": 100}).data:
                if found.url == url and found.api_version == API_VERSION:
                    self._v1.webhook_endpoints.update(
                        found.id, {"enabled_events": list(event_types), "disabled": False}
                    )
                    return found.id, None
            made = self._v1.webhook_endpoints.create(
                {"url": url, "enabled_events": list(event_types), "api_version": API_VERSION}
            )
            return made.id, made.secret

    def check(self) -> None:
        """Returns when Stripe answers; Unavailable or NotPermitted when it does not."""
        with _translated():
            self._v1.prices.list({"limit": 1})


@contextmanager
def _translated() -> Iterator[None]:
    """Stripe's errors leave as ours."""
    try:
        yield
    except stripe.CardError as fault:
        raise errors.PaymentDeclined(
            "payment.declined", "Your bank declined this card.", decline_code=_decline_code(fault)
        ) from fault
    except (stripe.AuthenticationError, stripe.PermissionError) as fault:
        raise errors.NotPermitted(
            "stripe.key_refused", "Stripe refuses the key. Check STRIPE_SECRET_KEY."
        ) from fault
    except stripe.InvalidRequestError as fault:
        if fault.code == "resource_missing":
            raise errors.NotFound("stripe.not_found", "Stripe knows no such object.") from fault
        raise errors.InvalidRequest(
            "stripe.refused", f"Stripe refused the request ({fault.code}, {fault.param})."
        ) from fault
    except stripe.StripeError as fault:
        raise errors.Unavailable(
            "billing.unavailable",
            "We cannot reach our payment partner. Nothing was charged. Try again in a few minutes.",
        ) from fault


def _seen(fetch: Callable[[], Any], read: Callable[[Any], _Facts | None]) -> _Facts | None:
    """What was fetched, in our words; None for what Stripe does not know, or no longer."""
    try:
        with _translated():
            found = fetch()
    except errors.NotFound:
        return None
    return None if getattr(found, "deleted", False) else read(found)


def _signed_at(header: str) -> int:
    """The `t=` of a signature header that is plain ASCII and holds a v1 signature."""
    if not header:
        raise errors.InvalidRequest("webhook.header_missing", "There is no Stripe-Signature.")
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    known = any(name.strip() == "v1" for name, _, _ in parts)
    if not header.isascii() or not known or len(times) != 1 or not _SECONDS.match(times[0]):
        raise errors.InvalidRequest("webhook.header", "The Stripe-Signature cannot be read.")
    return int(times[0])


def _decline_code(fault: stripe.CardError) -> str | None:
    return getattr(fault.error, "decline_code", None) if fault.error else None


def _safe(identifier: str) -> str:
    """The id, when it looks like one: an id from outside becomes part of an address."""
    if not _ID.match(identifier):
        raise errors.NotFound("stripe.not_found", "Stripe knows no such object.")
    return identifier


def _product_id(price: Any) -> str:
    return price.product if isinstance(price.product, str) else str(price.product.id)


def _sells(price: Any, item: Item) -> bool:
    interval = price.recurring.interval if price.recurring else None
    return (price.unit_amount, price.currency, interval) == (
        item.price.minor,
        item.price.currency,
        item.interval,
    )
