"""Failures of API calls, seen from outside: by the SDK with its own retries, and on the wire."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from stripe_sandbox.faults.rules import Rule
from tests.sandbox.running import Process, eventually

_MOST_HELD = 8


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A sandbox whose calls these tests make fail; each begins without a rule."""
    process = Process(tmp_path_factory.mktemp("failing")).start()
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def no_rules(failing: Process) -> None:
    requests.delete(f"{failing.base}/_sandbox/faults", timeout=5)


def _rule(sandbox: Process, kind: str, **form: object) -> dict[str, Any]:
    answer = sandbox.post("/_sandbox/faults", {"kind": kind, **form})
    assert answer.ok, answer.text
    return dict(answer.json())


def _rules(sandbox: Process) -> list[dict[str, Any]]:
    return list(sandbox.get("/_sandbox/faults").json()["data"])


def _named(sandbox: Process, email: str) -> list[str]:
    """The customers with this address, read past the rules for POST."""
    listed = sandbox.get("/v1/customers", email=email).json()["data"]
    return [customer["id"] for customer in listed]


def _create(sandbox: Process, email: str, key: str = "", timeout: float = 10) -> requests.Response:
    headers = {"Authorization": "Bearer sk_test_x", **({"Idempotency-Key": key} if key else {})}
    return requests.post(
        f"{sandbox.base}/v1/customers", {"email": email}, headers=headers, timeout=timeout
    )


@pytest.mark.parametrize(
    ("kind", "code", "form"),
    [
        ("rate_limit", "rate_limit", {"retry_after": 0}),
        ("lock_timeout", "lock_timeout", {}),
    ],
)
def test_a_429_is_retried_by_the_sdk_until_it_is_over(
    failing: Process, kind: str, code: str, form: dict[str, object]
) -> None:
    _rule(failing, kind, times=2, method="POST", path="/v1/customers", **form)
    raw = _create(failing, "raw@example.com")
    assert (raw.status_code, raw.headers["Stripe-Should-Retry"]) == (429, "true")
    assert raw.json()["error"]["type"] == "invalid_request_error"
    assert raw.json()["error"]["code"] == code
    assert raw.headers["Request-Id"].startswith("req_")
    made = failing.client(retries=2).v1.customers.create(params={"email": f"{kind}@example.com"})
    assert _named(failing, f"{kind}@example.com") == [made.id]
    assert [(rule["hits"], rule["left"]) for rule in _rules(failing)] == [(2, 0)]


def test_a_rate_limit_says_when_to_come_back_and_may_say_not_to(failing: Process) -> None:
    _rule(failing, "rate_limit", retry_after=7, should_retry="false")
    answer = failing.get("/v1/customers")
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["Stripe-Should-Retry"] == "false"
    with pytest.raises(stripe.RateLimitError):
        failing.client(retries=3).v1.customers.list()
    assert _rules(failing)[0]["hits"] == 2


def test_an_error_before_the_effect_leaves_nothing_and_its_key_free(failing: Process) -> None:
    _rule(failing, "error", method="POST", times=1)
    answer = _create(failing, "before@example.com", key="before")
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    assert _named(failing, "before@example.com") == []
    # Another body under the same key: nothing was remembered.
    assert _create(failing, "before2@example.com", key="before").ok


def test_an_error_after_the_effect_is_answered_from_memory_at_the_retry(failing: Process) -> None:
    _rule(failing, "error", method="POST", times=1, when="after")
    answer = _create(failing, "after@example.com", key="after")
    assert answer.status_code == 500
    kept = _named(failing, "after@example.com")
    assert len(kept) == 1
    again = _create(failing, "after@example.com", key="after")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == kept[0]
    assert _named(failing, "after@example.com") == kept


@pytest.mark.parametrize("kind", ["error", "reset"])
def test_the_sdk_gets_over_a_failure_after_the_effect_without_a_second_object(
    failing: Process, kind: str
) -> None:
    _rule(failing, kind, method="POST", times=1, when="after")
    email = f"sdk-{kind}@example.com"
    made = failing.client(retries=2).v1.customers.create(params={"email": email})
    assert _named(failing, email) == [made.id]
    assert _rules(failing)[0]["hits"] == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_is_reset_before_or_after_the_effect(failing: Process, when: str) -> None:
    _rule(failing, "reset", method="POST", when=when)
    email = f"reset-{when}@example.com"
    with pytest.raises(requests.ConnectionError) as caught:
        _create(failing, email)
    assert "reset" in str(caught.value).lower()
    assert len(_named(failing, email)) == (1 if when == "after" else 0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_timeout_keeps_the_caller_waiting_until_it_gives_up(failing: Process, when: str) -> None:
    _rule(failing, "timeout", method="POST", times=1, when=when)
    email = f"timeout-{when}@example.com"
    began = time.monotonic()
    with pytest.raises(requests.Timeout):
        _create(failing, email, key=email, timeout=0.6)
    assert time.monotonic() - began >= 0.6
    assert len(_named(failing, email)) == (1 if when == "after" else 0)
    again = failing.client(retries=2).v1.customers.create(
        params={"email": email}, options={"idempotency_key": email}
    )
    assert _named(failing, email) == [again.id]


def test_a_timeout_ends_by_itself_with_a_cut_connection(failing: Process) -> None:
    _rule(failing, "timeout", ms=300)
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError) as caught:
        failing.get("/v1/customers")
    assert not isinstance(caught.value, requests.Timeout)
    assert time.monotonic() - began >= 0.3


def test_held_connections_leave_threads_for_the_others(failing: Process) -> None:
    _rule(failing, "timeout", method="POST", path="/v1/customers")

    def held(number: int) -> str:
        try:
            _create(failing, f"held{number}@example.com", timeout=4)
        except requests.Timeout:
            return "held"
        except requests.ConnectionError:
            return "cut"
        return "answered"

    with ThreadPoolExecutor(24) as pool:
        ends = [pool.submit(held, number) for number in range(24)]
        eventually(lambda: sum(end.done() for end in ends) == 24 - _MOST_HELD)
        assert failing.get("/v1/customers").ok
        assert sum(not end.done() for end in ends) == _MOST_HELD
    assert sorted(end.result() for end in ends) == ["cut"] * 16 + ["held"] * _MOST_HELD


def test_a_slow_call_is_slow_and_its_key_is_in_use_meanwhile(failing: Process) -> None:
    _rule(failing, "slow", ms=1200, times=1, method="POST")
    results: list[requests.Response] = []
    began = time.monotonic()
    first = threading.Thread(
        target=lambda: results.append(_create(failing, "slow@example.com", key="slow"))
    )
    first.start()
    eventually(lambda: bool(_rules(failing)[0]["hits"]))
    busy = _create(failing, "slow@example.com", key="slow")
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    first.join()
    assert results[0].ok
    assert time.monotonic() - began >= 1.2
    assert _named(failing, "slow@example.com") == [results[0].json()["id"]]


def test_only_calls_that_fit_are_met_and_the_oldest_rule_first(failing: Process) -> None:
    _rule(failing, "error", method="GET", path="/v1/invoices*", times=1)
    _rule(failing, "lock_timeout", method="GET", path="/v1/*")
    assert failing.get("/v1/invoices/in_none").status_code == 500
    assert failing.get("/v1/invoices/in_none").status_code == 429
    assert failing.get("/v1/customers").status_code == 429
    assert _create(failing, "fits@example.com").ok
    assert failing.get("/healthz").ok
    assert [(rule["seen"], rule["hits"]) for rule in _rules(failing)] == [(1, 1), (2, 2)]


def test_the_same_seed_makes_the_same_calls_fail(failing: Process) -> None:
    def met(seed: int) -> list[int]:
        number = _rule(failing, "error", rate="40%", seed=seed, path="/v1/products")["id"]
        statuses = [failing.get("/v1/products").status_code for _ in range(30)]
        requests.delete(f"{failing.base}/_sandbox/faults/{number}", timeout=5)
        return [place for place, status in enumerate(statuses, 1) if status == 500]

    first = met(9)
    assert met(9) == first
    assert met(10) != first
    rule = Rule("error", rate=40, seed=9)
    assert first == [place for place in range(1, 31) if rule.meets(place)]
    assert 5 < len(first) < 20


def test_rules_are_listed_and_cleared_one_by_one_or_all(failing: Process) -> None:
    first = _rule(failing, "error", times=3, path="/v1/none")
    _rule(failing, "slow", path="/v1/none")
    assert first == {
        "id": first["id"],
        "kind": "error",
        "method": "*",
        "path": "/v1/none",
        "when": "before",
        "times": 3,
        "rate": 100,
        "seed": 1,
        "seen": 0,
        "hits": 0,
        "left": 3,
    }
    one = f"{failing.base}/_sandbox/faults/{first['id']}"
    assert requests.delete(one, timeout=5).json() == {"cleared": 1}
    assert requests.delete(one, timeout=5).status_code == 404
    assert [rule["kind"] for rule in _rules(failing)] == ["slow"]
    cleared = requests.delete(f"{failing.base}/_sandbox/faults", timeout=5)
    assert cleared.json() == {"cleared": 1}


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({}, "kind"),
        ({"kind": "earthquake"}, "kind"),
        ({"kind": "error", "method": "PATCH"}, "method"),
        ({"kind": "error", "path": "customers"}, "path"),
        ({"kind": "error", "times": "0"}, "times"),
        ({"kind": "error", "rate": "200"}, "rate"),
        ({"kind": "error", "ms": "5"}, "ms"),
        ({"kind": "slow", "ms": "30001"}, "ms"),
        ({"kind": "slow", "when": "after"}, "when"),
        ({"kind": "error", "colour": "red"}, "colour"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    failing: Process, form: dict[str, str], param: str
) -> None:
    answer = failing.post("/_sandbox/faults", form)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_another_site_cannot_set_or_clear_rules(failing: Process) -> None:
    headers = {"Origin": "https://evil.example"}
    address = f"{failing.base}/_sandbox/faults"
    assert requests.post(address, {"kind": "error"}, headers=headers, timeout=5).status_code == 403
    assert requests.delete(address, headers=headers, timeout=5).status_code == 403


def test_an_address_that_is_not_there_says_so_in_json(failing: Process) -> None:
    answer = failing.get("/_sandbox/nothing")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


def test_rules_and_their_hits_outlive_a_restart(tmp_path: Path) -> None:
    sandbox = Process(tmp_path).start()
    _rule(sandbox, "error", times=2, method="POST")
    assert _create(sandbox, "a@example.com").status_code == 500
    sandbox.stop()
    sandbox.start()
    assert _rules(sandbox)[0]["left"] == 1
    assert _create(sandbox, "a@example.com").status_code == 500
    assert _create(sandbox, "a@example.com").ok
    sandbox.stop()
