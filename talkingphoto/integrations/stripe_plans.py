"""Subscriptions and their invoices at Stripe."""

from __future__ import annotations

from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.integrations import stripe_reading
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen


class PlanCalls(StripeCalls):
    """Subscriptions and invoices."""

    def fetch_subscription(self, subscription_id: str) -> SubscriptionFacts | None:
        """The subscription as it is now."""
        params = {"expand": ["discounts.source.coupon"]}
        return seen(
            lambda: self._v1.subscriptions.retrieve(safe(subscription_id), params),
            stripe_reading.subscription,
        )

    def fetch_invoice(self, invoice_id: str) -> InvoiceFacts | None:
        """The invoice as it is now, with the reason of its last failed payment."""
        params = {"expand": ["payments.data.payment.payment_intent"]}
        return seen(
            lambda: self._v1.invoices.retrieve(safe(invoice_id), params), stripe_reading.invoice
        )

    def invoice_of_payment(self, payment_intent_id: str) -> str | None:
        """The id of the invoice that a PaymentIntent pays; None when it pays none."""
        payment = {"type": "payment_intent", "payment_intent": payment_intent_id}
        return seen(
            lambda: self._v1.invoice_payments.list({"payment": payment, "limit": 1}),
            lambda found: stripe_reading.id_of(found.data[0].invoice) if found.data else None,
        )
