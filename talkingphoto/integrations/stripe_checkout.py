"""Hosted checkout pages, and who pays on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from talkingphoto.billing import extras
from talkingphoto.billing.catalog import Item
from talkingphoto.billing.payments import CheckoutFacts
from talkingphoto.foundation import errors
from talkingphoto.integrations import stripe_reading
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated


@dataclass(frozen=True)
class CheckoutOrder:
    """What to open a hosted checkout page for; a trial may ask for no card."""

    idempotency_key: str
    user_id: str
    request_id: str
    customer_id: str
    item: Item
    price_id: str
    success_url: str
    cancel_url: str
    extras: extras.Extras = extras.NONE
    card_required: bool = True


class CheckoutCalls(StripeCalls):
    """Checkout Sessions and customers."""

    def ensure_customer(self, *, user_id: str, email: str) -> str:
        """The id of that user's one Stripe customer, made if there was none."""
        with translated():
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
        if order.extras.code:
            metadata["code"] = order.extras.code
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
        if order.extras.promotion_code_id:
            params["discounts"] = [{"promotion_code": order.extras.promotion_code_id}]
        if order.extras.trial_days:
            _add_trial(params, order)
        with translated():
            made = self._v1.checkout.sessions.create(
                params, {"idempotency_key": order.idempotency_key}
            )
            return stripe_reading.checkout(made)

    def fetch_checkout(self, session_id: str) -> CheckoutFacts | None:
        """The session as it is now."""
        return seen(
            lambda: self._v1.checkout.sessions.retrieve(safe(session_id)), stripe_reading.checkout
        )

    def checkout_of_payment(self, payment_intent_id: str) -> CheckoutFacts | None:
        """The session that a PaymentIntent pays; None for an invoice's."""
        return seen(
            lambda: self._v1.checkout.sessions.list(
                {"payment_intent": safe(payment_intent_id), "limit": 1}
            ),
            lambda found: stripe_reading.checkout(found.data[0]) if found.data else None,
        )

    def expire_checkout(self, session_id: str) -> None:
        """Nothing can be paid on that page any more, unless it was paid already."""
        try:
            with translated():
                self._v1.checkout.sessions.expire(safe(session_id))
        except errors.InvalidRequest:
            return  # complete or expired: there is nothing left to close


def _add_trial(params: dict[str, Any], order: CheckoutOrder) -> None:
    params["subscription_data"] |= {
        "trial_period_days": order.extras.trial_days,
        # Without a card there is nothing to charge: the trial is simply over.
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }
    if not order.card_required:
        params["payment_method_collection"] = "if_required"
