"""Whole lists of Stripe, page by page: what a comparison and a search for missed events read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from talkingphoto.billing.comparisons import Seen, Window
from talkingphoto.billing.disputes import DisputeFacts
from talkingphoto.billing.payments import CheckoutFacts
from talkingphoto.billing.refunds import RefundFacts
from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.foundation.money import Money
from talkingphoto.integrations import stripe_reading, stripe_reading_refunds
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, seen, translated

PAGE = 100
# So many types may be named in one call.
MOST_TYPES = 20
_One = TypeVar("_One")


@dataclass(frozen=True)
class Page(Generic[_One]):
    """Some of a list, newest first; `after` is where the next page begins, None at the end."""

    rows: tuple[_One, ...]
    after: str | None


class ListingCalls(StripeCalls):
    """Lists, from the newest to the oldest."""

    def undelivered_events(
        self, *, types: tuple[str, ...], since: datetime, after: str | None
    ) -> Page[bytes]:
        """Events of these types that did not reach every endpoint, each as it would have come."""
        asked = {
            "types": list(types),
            "delivery_success": False,
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
        }
        with translated():
            found = self._v1.events.list(asked | ({"starting_after": after} if after else {}))
        # As text, not as the SDK's objects: it is kept as a webhook's body is.
        bodies = json.loads(found.last_response.body)["data"]
        last = bodies[-1]["id"] if found.has_more and bodies else None
        return Page(tuple(json.dumps(body).encode() for body in bodies), last)

    def list_customers(self, _window: Window, *, after: str | None) -> Page[Seen]:
        """Every customer; `user_id` is whose they are by their metadata."""
        return _page(self._v1.customers.list, {}, after=after, read=_customer)

    def list_subscriptions(self, _window: Window, *, after: str | None) -> Page[SubscriptionFacts]:
        """Every subscription, those that are over too."""
        return _page(
            self._v1.subscriptions.list,
            {"status": "all"},
            after=after,
            read=stripe_reading.subscription,
        )

    def list_invoices(self, window: Window, *, after: str | None) -> Page[InvoiceFacts]:
        """The invoices of a window, each with the id of what pays it."""
        asked = {"created": _span(window), "expand": ["data.payments"]}
        return _page(self._v1.invoices.list, asked, after=after, read=stripe_reading.invoice)

    def list_checkouts(self, window: Window, *, after: str | None) -> Page[CheckoutFacts]:
        """The Checkout Sessions of a window that were completed."""
        asked = {"created": _span(window), "status": "complete"}
        return _page(
            self._v1.checkout.sessions.list, asked, after=after, read=stripe_reading.checkout
        )

    def list_payments(self, window: Window, *, after: str | None) -> Page[Seen]:
        """The PaymentIntents of a window."""
        asked = {"created": _span(window)}
        return _page(self._v1.payment_intents.list, asked, after=after, read=_intent)

    def list_refunds(self, window: Window, *, after: str | None) -> Page[RefundFacts]:
        """The refunds of a window."""
        asked = {"created": _span(window)}
        read = stripe_reading_refunds.refund
        return _page(self._v1.refunds.list, asked, after=after, read=read)

    def list_disputes(self, window: Window, *, after: str | None) -> Page[DisputeFacts]:
        """The disputes of a window."""
        asked = {"created": _span(window)}
        read = stripe_reading_refunds.dispute
        return _page(self._v1.disputes.list, asked, after=after, read=read)

    def fetch_customer(self, customer_id: str) -> Seen | None:
        """One customer as it is now."""
        return seen(lambda: self._v1.customers.retrieve(safe(customer_id)), _customer)

    def fetch_intent(self, payment_intent_id: str) -> Seen | None:
        """One PaymentIntent as it is now."""
        return seen(lambda: self._v1.payment_intents.retrieve(safe(payment_intent_id)), _intent)


def _page(
    listing: Callable[[dict[str, Any]], Any],
    asked: dict[str, Any],
    *,
    after: str | None,
    read: Callable[[Any], _One],
) -> Page[_One]:
    place = {"starting_after": after} if after else {}
    with translated():
        found = listing({**asked, **place, "limit": PAGE})
    last = str(found.data[-1].id) if found.has_more and found.data else None
    return Page(tuple(read(one) for one in found.data), last)


def _span(window: Window) -> dict[str, int]:
    return {"gte": int(window.since.timestamp()), "lt": int(window.until.timestamp())}


def _customer(found: Any) -> Seen:
    metadata = found.metadata.to_dict() if found.metadata else {}
    return Seen(
        object_id=found.id,
        status="there",
        created_at=_moment(found.created),
        user_id=metadata.get("user_id"),
    )


def _intent(found: Any) -> Seen:
    return Seen(
        object_id=found.id,
        status=found.status,
        created_at=_moment(found.created),
        customer_id=stripe_reading.id_of(found.customer),
        amount=Money(found.amount, found.currency),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
