"""Collecting what is owed, and announcing what will be, at Stripe."""

from __future__ import annotations

from talkingphoto.foundation.money import Money
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated


class CollectingCalls(StripeCalls):
    """Invoices that are owed, and invoices to come."""

    def pay_invoice(self, invoice_id: str, *, idempotency_key: str) -> None:
        """The open invoice is tried with the customer's card while they are there.

        PaymentDeclined when the bank says no or asks; InvalidRequest when nothing is owed."""
        with translated():
            self._v1.invoices.pay(
                safe(invoice_id),
                {"off_session": False},
                {"idempotency_key": idempotency_key},
            )

    def next_renewal(self, subscription_id: str) -> Money | None:
        """What the next period will cost, with discounts, taxes and balance; None for no next."""
        return seen(
            lambda: self._v1.invoices.create_preview({"subscription": safe(subscription_id)}),
            lambda found: Money(found.amount_due, found.currency),
        )
