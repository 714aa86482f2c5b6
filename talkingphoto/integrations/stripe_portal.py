"""The customer's own pages at Stripe, and who Stripe's invoices are made out to."""

from __future__ import annotations

from typing import Any

from talkingphoto.billing import countries
from talkingphoto.billing.details import BillingDetails
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, translated

# Another set of features is another name.
_CONFIGURATION = "account-1"
_LONGEST_FIELD = 140


class PortalCalls(StripeCalls):
    """Portal sessions and billing details."""

    def open_portal(self, customer_id: str, *, return_url: str, card_only: bool) -> str:
        """The address of the customer's pages at Stripe, or of the one for their card."""
        with translated():
            params: dict[str, Any] = {
                "customer": safe(customer_id),
                "configuration": self._portal_configuration(),
                "return_url": return_url,
            }
            if card_only:
                params["flow_data"] = {
                    "type": "payment_method_update",
                    "after_completion": {
                        "type": "redirect",
                        "redirect": {"return_url": return_url},
                    },
                }
            return str(self._v1.billing_portal.sessions.create(params).url)

    def bill_to(self, customer_id: str, details: BillingDetails) -> None:
        """The customer's next invoices show these details; InvalidRequest if Stripe refuses one."""
        with translated():
            self._v1.customers.update(safe(customer_id), _customer(details))
            wanted = _tax_id(details)
            kept = self._v1.customers.tax_ids.list(customer_id, {"limit": 100}).data
            for found in kept:
                if {"type": found.type, "value": found.value} != wanted:
                    self._v1.customers.tax_ids.delete(customer_id, found.id)
            same = any({"type": found.type, "value": found.value} == wanted for found in kept)
            if wanted is not None and not same:
                self._v1.customers.tax_ids.create(customer_id, wanted)

    def _portal_configuration(self) -> str:
        for found in self._v1.billing_portal.configurations.list(
            {"active": True, "limit": 100}
        ).data:
            if found.metadata and found.metadata.to_dict().get("talkingphoto") == _CONFIGURATION:
                return str(found.id)
        made = self._v1.billing_portal.configurations.create(
            {
                # Changing and ending a plan are ours: there a preview says what it costs.
                "features": {
                    "payment_method_update": {"enabled": True},
                    "invoice_history": {"enabled": True},
                    "customer_update": {
                        "enabled": True,
                        "allowed_updates": ["address", "name", "tax_id"],
                    },
                    "subscription_cancel": {"enabled": False},
                    "subscription_update": {"enabled": False},
                },
                "metadata": {"talkingphoto": _CONFIGURATION},
            },
            {"idempotency_key": f"portal:{_CONFIGURATION}"},
        )
        return str(made.id)


def _customer(details: BillingDetails) -> dict[str, Any]:
    address = {
        name: getattr(details, name)
        for name in ("line1", "line2", "city", "postal_code", "state", "country")
    }
    shown = [("PO number", details.po_number)]
    if _tax_id(details) is None:
        shown.append(("Tax id", details.tax_id))
    custom = [{"name": label, "value": value[:_LONGEST_FIELD]} for label, value in shown if value]
    return {
        "name": details.addressee,
        "address": address if any(address.values()) else "",
        "invoice_settings": {"custom_fields": custom or ""},
    }


def _tax_id(details: BillingDetails) -> dict[str, str] | None:
    kind = countries.tax_id_type(details.country)
    return {"type": kind, "value": details.tax_id} if kind and details.tax_id else None
