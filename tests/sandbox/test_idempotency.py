"""An idempotency key does its work once, for however many callers, and answers them alike."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

from stripe_sandbox.api import errors
from stripe_sandbox.api.idempotency import Running
from stripe_sandbox.app import create_app
from stripe_sandbox.sandbox import Sandbox, Settings
from tests.sandbox.running import KEY, Process, Shop


def test_the_same_key_under_sixteen_threads_makes_one_object(sandbox: Process) -> None:
    client = sandbox.client(retries=5)
    start = threading.Barrier(16)

    def create(_: int) -> str:
        start.wait()
        return client.v1.customers.create(
            params={"email": "sixteen@example.com"}, options={"idempotency_key": "sixteen"}
        ).id

    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(create, range(16)))
    listed = client.v1.customers.list(params={"email": "sixteen@example.com"}).data
    assert made == {customer.id for customer in listed}
    assert len(listed) == 1


def test_a_replay_has_the_same_status_and_body_and_says_so(sandbox: Process) -> None:
    key = {"Idempotency-Key": "replayed"}
    first = sandbox.post("/v1/customers", {"email": "a@example.com"}, **key)
    second = sandbox.post("/v1/customers", {"email": "a@example.com"}, **key)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.headers


def test_a_declined_payment_is_replayed_as_declined(sandbox: Process) -> None:
    data = {
        "amount": "500",
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_chargeDeclined",
    }
    first = sandbox.post("/v1/payment_intents", data, **{"Idempotency-Key": "declined"})
    second = sandbox.post("/v1/payment_intents", data, **{"Idempotency-Key": "declined"})
    assert first.status_code == second.status_code == 402
    assert first.text == second.text


def test_the_same_key_with_other_parameters_is_refused_with_400(shop: Shop) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "other parameters"}
    shop.client.v1.customers.create(params={"email": "a@example.com"}, options=options)
    with pytest.raises(stripe.IdempotencyError) as caught:
        shop.client.v1.customers.create(params={"email": "b@example.com"}, options=options)
    assert caught.value.http_status == 400
    assert caught.value.error is not None
    assert caught.value.error.type == "idempotency_error"


def test_a_refused_request_leaves_its_key_free_for_the_corrected_one(sandbox: Process) -> None:
    key = {"Idempotency-Key": "corrected"}
    assert sandbox.post("/v1/customers", {"nonsense": "1"}, **key).status_code == 400
    assert sandbox.post("/v1/customers", {"name": "Ada"}, **key).status_code == 200


def test_a_key_in_use_is_409_and_worth_a_retry(tmp_path: Path) -> None:
    sandbox = Sandbox(Settings(tmp_path / "s.sqlite", "http://localhost:1"))
    browser = create_app(sandbox).test_client()
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "busy"}
    with sandbox.running.holding("busy"):
        answer = browser.post("/v1/customers", data={"name": "Ada"}, headers=headers)
    assert answer.status_code == 409
    assert answer.headers["Stripe-Should-Retry"] == "true"
    assert answer.get_json()["error"]["code"] == "idempotency_key_in_use"
    assert browser.post("/v1/customers", data={"name": "Ada"}, headers=headers).status_code == 200
    sandbox.stop()


def test_a_key_is_free_again_when_its_request_has_ended() -> None:
    running = Running()
    with running.holding("k"), pytest.raises(errors.StripeFault), running.holding("k"):
        pass
    with running.holding("k"):
        pass
