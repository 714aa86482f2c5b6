"""What every topic of the door to Stripe rests on: one client, its errors in our words.

The SDK retries the socket (twice, with jitter) while that is quick; nothing above retries it again.
When Stripe does not answer several times in a row, nobody asks it for a while.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import stripe

from talkingphoto.foundation import database, errors
from talkingphoto.integrations.breaker import Breaker

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 10
SOCKET_RETRIES = 2
# Somebody waits for a page: what failed so late is not tried again by itself.
PATIENCE_SECONDS = 3
_Facts = TypeVar("_Facts")
_ID = re.compile(r"^[a-z]{2,6}_[A-Za-z0-9_]{1,200}$")


class StripeCalls:
    """One Stripe account, or the sandbox, as the topics of the gateway call it."""

    def __init__(
        self,
        *,
        api_key: str,
        api_base: str,
        breaker: Breaker | None = None,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        assert stripe.api_version == API_VERSION, "the SDK speaks another version than this code"
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            max_network_retries=SOCKET_RETRIES,
            http_client=http_client or _Socket(breaker or Breaker("stripe")),
        )

    @property
    def _v1(self) -> Any:
        database.assert_outside_transaction()
        return self._client.v1


class _Socket(stripe.RequestsClient):
    """Each try of a call goes through here, the SDK's retries too."""

    def __init__(self, breaker: Breaker) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS)
        self._breaker = breaker

    # The SDK's own client narrows its base class in the same way.
    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One try; refused at once while the circuit is open, and not repeated when it was slow."""
        if not self._breaker.allows():
            raise _not_reached("the circuit is open")
        began = time.monotonic()
        try:
            answer = super().request(method, url, headers, post_data)
        except stripe.APIConnectionError as fault:
            self._breaker.failed()
            fault.should_retry = fault.should_retry and _in_time(began)
            raise
        if answer[1] < 500:
            self._breaker.succeeded()
            return answer
        self._breaker.failed()
        if not _in_time(began):
            raise _not_reached("an error after a long wait")
        return answer


def _not_reached(why: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why, should_retry=False)  # type: ignore[no-untyped-call]


def _in_time(began: float) -> bool:
    return time.monotonic() - began < PATIENCE_SECONDS


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
