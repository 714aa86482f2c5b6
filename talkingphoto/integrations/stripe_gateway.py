"""The door to Stripe as the rest of the product sees it; never used inside a transaction."""

from __future__ import annotations

import re
from datetime import datetime

import stripe

from talkingphoto.foundation import errors
from talkingphoto.integrations.breaker import Breaker
from talkingphoto.integrations.stripe_calls import API_VERSION, translated
from talkingphoto.integrations.stripe_catalog import CatalogCalls
from talkingphoto.integrations.stripe_changes import ChangeCalls
from talkingphoto.integrations.stripe_checkout import CheckoutCalls
from talkingphoto.integrations.stripe_closing import ClosingCalls
from talkingphoto.integrations.stripe_collecting import CollectingCalls
from talkingphoto.integrations.stripe_discounts import DiscountCalls
from talkingphoto.integrations.stripe_invoices import InvoiceCalls
from talkingphoto.integrations.stripe_lifecycle import LifecycleCalls
from talkingphoto.integrations.stripe_listing import ListingCalls
from talkingphoto.integrations.stripe_payments import PaymentCalls
from talkingphoto.integrations.stripe_plans import PlanCalls
from talkingphoto.integrations.stripe_portal import PortalCalls
from talkingphoto.integrations.stripe_refunds import RefundCalls
from talkingphoto.integrations.stripe_returns import ReturnCalls

TOLERANCE_SECONDS = 300
_SECONDS = re.compile(r"^[0-9]{1,12}$")


class StripeGateway(
    CheckoutCalls,
    PlanCalls,
    ChangeCalls,
    ReturnCalls,
    LifecycleCalls,
    DiscountCalls,
    PaymentCalls,
    RefundCalls,
    CatalogCalls,
    CollectingCalls,
    ListingCalls,
    InvoiceCalls,
    PortalCalls,
    ClosingCalls,
):
    """Calls to one Stripe account, or to the sandbox; every answer is in our own words.

    What is gone at Stripe, or never was there, is None.
    """

    def __init__(
        self,
        *,
        api_key: str,
        api_base: str,
        webhook_secrets: tuple[str, ...],
        breaker: Breaker | None = None,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        super().__init__(
            api_key=api_key, api_base=api_base, breaker=breaker, http_client=http_client
        )
        self.webhook_secrets = webhook_secrets

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

    def ensure_endpoint(self, *, url: str, event_types: tuple[str, ...]) -> tuple[str, str | None]:
        """Stripe delivers these events to that address in this code's API version.

        Answers the endpoint's id, and its signing secret if it was made just now."""
        with translated():
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
        with translated():
            self._v1.prices.list({"limit": 1})


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
