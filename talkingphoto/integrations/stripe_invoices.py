"""Invoices of ours for one thing, and the card that pays them while its owner is away."""

from __future__ import annotations

from dataclasses import dataclass

from talkingphoto.billing.saved_cards import SavedCard
from talkingphoto.foundation import errors
from talkingphoto.integrations import stripe_reading
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated

_LATEST = 100


@dataclass(frozen=True)
class TopUpOrder:
    """What to invoice for an automatic top-up; its id makes each step once."""

    top_up_id: str
    user_id: str
    customer_id: str
    item_key: str
    price_id: str

    @property
    def metadata(self) -> dict[str, str]:
        """What the invoice and its payment say they are for."""
        return {"user_id": self.user_id, "item": self.item_key, "top_up_id": self.top_up_id}


class InvoiceCalls(StripeCalls):
    """One-off invoices and saved cards."""

    def saved_card(self, customer_id: str) -> SavedCard | None:
        """The customer's default card, or else the latest they added; None without one."""
        expand = {"expand": ["invoice_settings.default_payment_method"]}
        chosen = seen(
            lambda: self._v1.customers.retrieve(safe(customer_id), expand),
            lambda found: stripe_reading.saved_card(found.invoice_settings.default_payment_method),
        )
        if chosen is not None:
            return chosen
        return seen(
            lambda: self._v1.customers.payment_methods.list(
                safe(customer_id), {"type": "card", "limit": 1}
            ),
            lambda found: stripe_reading.saved_card(found.data[0]) if found.data else None,
        )

    def find_top_up(self, order: TopUpOrder) -> str | None:
        """The id of the invoice that was made for that top-up; None before there is one."""
        with translated():
            # Stripe forgets an idempotency key after a day; the metadata never.
            known = self._v1.invoices.list({"customer": order.customer_id, "limit": _LATEST}).data
            for found in known:
                if found.metadata and found.metadata.to_dict().get("top_up_id") == order.top_up_id:
                    return str(found.id)
            return None

    def draft_top_up(self, order: TopUpOrder) -> str:
        """The id of the draft invoice for that top-up."""
        with translated():
            made = self._v1.invoices.create(
                {
                    "customer": order.customer_id,
                    "auto_advance": False,
                    "collection_method": "charge_automatically",
                    "pending_invoice_items_behavior": "exclude",
                    "metadata": order.metadata,
                },
                {"idempotency_key": f"topup:{order.top_up_id}:invoice"},
            )
            return str(made.id)

    def finish_invoice(self, invoice_id: str, order: TopUpOrder) -> None:
        """The draft has its one line and is final, so that it can be paid."""
        with translated():
            draft = self._v1.invoices.retrieve(safe(invoice_id))
            if draft.status != "draft":
                return
            if not draft.lines.data:
                self._v1.invoice_items.create(
                    {
                        "customer": order.customer_id,
                        "invoice": invoice_id,
                        "pricing": {"price": order.price_id},
                        "metadata": order.metadata,
                    },
                    {"idempotency_key": f"topup:{order.top_up_id}:line"},
                )
            self._v1.invoices.finalize_invoice(
                invoice_id,
                {"auto_advance": False},
                {"idempotency_key": f"topup:{order.top_up_id}:final"},
            )

    def pay_with(self, invoice_id: str, *, payment_method_id: str, key: str) -> None:
        """The invoice was paid with that card, its owner away; PaymentDeclined when it was not."""
        with translated():
            self._v1.invoices.pay(
                safe(invoice_id),
                {"payment_method": payment_method_id, "off_session": True},
                {"idempotency_key": key},
            )

    def close_invoice(self, invoice_id: str) -> None:
        """Nobody can pay that invoice any more, unless it was paid before."""
        found = seen(lambda: self._v1.invoices.retrieve(safe(invoice_id)), lambda one: one.status)
        try:
            with translated():
                if found == "draft":
                    self._v1.invoices.delete(invoice_id)
                elif found == "open":
                    self._v1.invoices.void_invoice(invoice_id)
        except errors.InvalidRequest:
            return  # paid or closed between the two calls
