"""C5: Stripe is away. Pages are there, nothing is promised, and nobody waits for long."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
import requests
from structlog.testing import capture_logs

from services.payment_service import PaymentService
from talkingphoto.foundation import errors
from talkingphoto.integrations.breaker import MOST_FAILURES, REST_SECONDS, Breaker
from talkingphoto.integrations.stripe_gateway import StripeGateway
from talkingphoto.runtime import Runtime
from tests.support.sandbox import free_port
from tests.support.shop import Person, Shop


class Watch:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def faults(shop: Shop) -> Iterator[str]:
    """Where the sandbox is told to fail; it works again afterwards."""
    address = f"{shop.sandbox.base}/_sandbox/faults"
    yield address
    requests.delete(address, timeout=10)


def through(shop: Shop, breaker: Breaker, *, base: str = "") -> PaymentService:
    """The verbs of buying with a breaker of the test's own."""
    runtime = Runtime(shop.runtime.settings, clock=shop.clock)
    runtime.gateway = StripeGateway(
        api_key=shop.key,
        api_base=base or shop.sandbox.base,
        webhook_secrets=shop.runtime.settings.webhook_secrets,
        breaker=breaker,
    )
    return PaymentService(runtime)


def is_refused(payments: PaymentService, person: Person) -> None:
    """The person is told that nothing was charged."""
    with pytest.raises(errors.Unavailable) as refusal:
        payments.start_checkout(user_id=person.id, item="pack:10", request_id=str(uuid.uuid4()))
    assert refusal.value.code == "billing.unavailable"
    assert "Nothing was charged" in refusal.value.message


def test_c5_the_circuit_opens_refuses_at_once_and_closes_by_itself(shop: Shop, faults: str) -> None:
    ada = shop.a_person()
    watch = Watch()
    breaker = Breaker("stripe", clock=watch)
    payments = through(shop, breaker)
    requests.post(faults, data={"kind": "reset", "path": "/v1/*"}, timeout=10)
    with capture_logs() as logs:
        is_refused(payments, ada)
        is_refused(payments, ada)
        assert breaker.is_open
        before = time.monotonic()
        for _ in range(20):
            is_refused(payments, ada)
        assert time.monotonic() - before < 1
        requests.delete(faults, timeout=10)
        is_refused(payments, ada)
        watch.seconds = REST_SECONDS
        url = payments.start_checkout(user_id=ada.id, item="pack:10", request_id=str(uuid.uuid4()))
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "alert.circuit_opened",
        "alert.circuit_closed",
    ]
    assert shop.sandbox.pay(url).status == 303


def test_c5_what_stripe_refuses_is_an_answer_and_opens_nothing(shop: Shop, faults: str) -> None:
    breaker = Breaker("stripe")
    payments = through(shop, breaker)
    for _ in range(MOST_FAILURES + 1):
        assert payments.runtime.gateway.fetch_checkout("cs_test_nobody") is None
    requests.post(
        faults,
        data={"kind": "rate_limit", "path": "/v1/*", "retry_after": 0, "should_retry": "false"},
        timeout=10,
    )
    for _ in range(MOST_FAILURES + 1):
        with pytest.raises(errors.Unavailable):
            payments.runtime.gateway.fetch_checkout("cs_test_nobody")
    assert not breaker.is_open


def test_c5_pages_that_read_our_own_books_are_there_during_an_outage(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    away = through(shop, Breaker("stripe"), base=f"http://127.0.0.1:{free_port()}")
    before = time.monotonic()
    assert away.pricing(ada.id).current_item == "starter:month"
    view = away.account(ada.id)
    assert time.monotonic() - before < 1
    assert view.credits.available == 33
    assert [row.status for row in view.invoices] == ["paid"]


def test_c5_a_call_that_waited_long_is_not_tried_again(shop: Shop, faults: str) -> None:
    breaker = Breaker("stripe")
    payments = through(shop, breaker)
    requests.post(faults, data={"kind": "timeout", "ms": 3100, "path": "/v1/*"}, timeout=10)
    before = time.monotonic()
    with pytest.raises(errors.Unavailable):
        payments.runtime.gateway.fetch_checkout("cs_test_nobody")
    assert time.monotonic() - before < 6
