"""Subscriptions and their invoices at Stripe."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.integrations import stripe_reading
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated

MOST_INVOICES = 500
MOST_LINES = 1000


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
            lambda: self._v1.invoices.retrieve(safe(invoice_id), params), self._with_every_line
        )

    def fetch_invoices(self, subscription_id: str, *, since: datetime) -> tuple[InvoiceFacts, ...]:
        """The subscription's invoices since then, at most 500 of the newest."""
        params = {
            "subscription": safe(subscription_id),
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
        }
        with translated():
            found = self._v1.invoices.list(params).auto_paging_iter()
            return tuple(self._with_every_line(one) for one in islice(found, MOST_INVOICES))

    def invoice_of_payment(self, payment_intent_id: str) -> str | None:
        """The id of the invoice that a PaymentIntent pays; None when it pays none."""
        payment = {"type": "payment_intent", "payment_intent": payment_intent_id}
        return seen(
            lambda: self._v1.invoice_payments.list({"payment": payment, "limit": 1}),
            lambda found: stripe_reading.id_of(found.data[0].invoice) if found.data else None,
        )

    def _with_every_line(self, found: Any) -> InvoiceFacts:
        if not found.lines.has_more:
            return stripe_reading.invoice(found)
        with translated():
            lines = self._v1.invoices.line_items.list(found.id, {"limit": 100}).auto_paging_iter()
            return stripe_reading.invoice(found, islice(lines, MOST_LINES))
