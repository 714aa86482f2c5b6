"""What every topic of the door to Stripe rests on: one client, its errors in our words.

The SDK retries the socket (twice, with jitter); nothing above retries it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import stripe

from talkingphoto.foundation import database, errors

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 10
SOCKET_RETRIES = 2
_Facts = TypeVar("_Facts")
_ID = re.compile(r"^[a-z]{2,6}_[A-Za-z0-9_]{1,200}$")


class StripeCalls:
    """One Stripe account, or the sandbox, as the topics of the gateway call it."""

    def __init__(
        self, *, api_key: str, api_base: str, http_client: stripe.HTTPClient | None = None
    ) -> None:
        assert stripe.api_version == API_VERSION, "the SDK speaks another version than this code"
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            max_network_retries=SOCKET_RETRIES,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    @property
    def _v1(self) -> Any:
        database.assert_outside_transaction()
        return self._client.v1


@contextmanager
def translated() -> Iterator[None]:
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


def seen(fetch: Callable[[], Any], read: Callable[[Any], _Facts | None]) -> _Facts | None:
    """What was fetched, in our words; None for what Stripe does not know, or no longer."""
    try:
        with translated():
            found = fetch()
    except errors.NotFound:
        return None
    return None if getattr(found, "deleted", False) else read(found)


def safe(identifier: str) -> str:
    """The id, when it looks like one: an id from outside becomes part of an address."""
    if not _ID.match(identifier):
        raise errors.NotFound("stripe.not_found", "Stripe knows no such object.")
    return identifier


def _decline_code(fault: stripe.CardError) -> str | None:
    return getattr(fault.error, "decline_code", None) if fault.error else None
