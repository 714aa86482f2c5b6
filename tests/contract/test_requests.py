"""Requests are held against the SDK's types, and a test run fails on one that does not fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract import gateway, params, recording
from tests.sandbox.running import KEY, Process

_SESSION = [
    ("mode", "subscription"),
    ("line_items[0][price]", "price_1"),
    ("line_items[0][quantity]", "1"),
    ("subscription_data[metadata][user_id]", "1"),
    ("success_url", "http://localhost:1/success"),
    ("expand[0]", "line_items"),
]
_CHANGE = [
    ("items[0][id]", "si_1"),
    ("items[0][quantity]", "2"),
    ("billing_cycle_anchor[type]", "now"),
    ("cancel_at", ""),
    ("proration_behavior", "none"),
]


@pytest.mark.parametrize(
    ("method", "path", "pairs"),
    [
        ("POST", "/v1/checkout/sessions", _SESSION),
        ("POST", "/v1/subscriptions/sub_1", _CHANGE),
        ("POST", "/v1/subscriptions/sub_1", [("cancel_at", "1800000000")]),
        ("POST", "/v1/customers", [("metadata", ""), ("address", ""), ("balance", "-5")]),
        ("POST", "/v1/prices", [("currency", "usd"), ("unit_amount_decimal", "1.5")]),
        ("GET", "/v1/invoices", [("status", "open"), ("created[gte]", "1800000000")]),
        ("GET", "/v1/invoices/search", [("query", "status:'paid'")]),
        ("GET", "/v1/invoices/in_1", []),
        ("DELETE", "/v1/customers/cus_1", []),
    ],
)
def test_a_request_as_the_types_want_it_has_no_fault(
    method: str, path: str, pairs: list[tuple[str, str]]
) -> None:
    assert params.faults(method, path, pairs) == []


@pytest.mark.parametrize(
    ("method", "path", "pair", "at"),
    [
        ("POST", "/v1/checkout/sessions", ("shoe_size", "43"), "$.shoe_size"),
        ("POST", "/v1/checkout/sessions", ("payment_method_types[0]", "card"), None),
        ("POST", "/v1/checkout/sessions", ("line_items[0][qty]", "1"), "$.line_items[0].qty"),
        ("POST", "/v1/checkout/sessions", ("mode", "subscribe"), "$.mode"),
        ("POST", "/v1/checkout/sessions", ("automatic_tax[enabled]", "1"), None),
        ("POST", "/v1/checkout/sessions", ("line_items[0][quantity]", "one"), None),
        ("POST", "/v1/checkout/sessions", ("api_key", "sk_test_1"), "$.api_key"),
        ("POST", "/v1/checkout/sessions", ("client_reference_id[a]", "1"), None),
        ("POST", "/v1/checkout/sessions", ("a[", "1"), "$"),
        ("POST", "/v1/prices", ("unit_amount", "100"), "$.currency"),
        ("GET", "/v1/customers/cus_1/shoes", ("limit", "1"), "$"),
    ],
)
def test_a_parameter_that_does_not_fit_is_found_where_it_is(
    method: str, path: str, pair: tuple[str, str], at: str | None
) -> None:
    found = params.faults(method, path, [pair])
    assert found
    if at:
        assert [path for path, _ in found] == [at]


def test_the_product_sends_what_the_types_allow_by_every_verb() -> None:
    assert gateway.not_called() == []
    requests = gateway.requests()
    assert {"POST /v1/checkout/sessions", "GET /v1/invoices/*"} <= {one.route for one in requests}
    assert list(recording.faults(requests)) == []


def _line(**change: Any) -> str:
    request = {"method": "GET", "path": "/v1/customers", "form": [["limit", "1"]]}
    return json.dumps({**request, "sdk": True, "key_ends": "abcdef", **change}) + "\n"


def test_only_what_the_product_sent_counts_and_counts_once(tmp_path: Path) -> None:
    mine = _line()
    others = _line(sdk=False) + _line(key_ends=KEY[-6:])
    (tmp_path / "1.jsonl").write_text(mine + others + mine)
    (tmp_path / "2.jsonl").write_text(mine + _line(path="/v1/prices"))
    assert [one.path for one in recording.read(tmp_path)] == ["/v1/customers", "/v1/prices"]


_CONFTEST = """
from tests.contract import recording

def pytest_configure(config):
    config.pluginmanager.register(recording.Plugin(config))
"""
_TEST = """
import json, os
from pathlib import Path

def test_one():
    line = {line}
    file = Path(os.environ["STRIPE_SANDBOX_REQUEST_LOG"]) / "1.jsonl"
    file.write_text(json.dumps(line) + "\\n")
"""


def test_a_run_of_tests_fails_when_the_product_asked_wrongly(tmp_path: Path) -> None:
    line = json.loads(_line(form=[["shoe_size", "1"]]))
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "test_one.py").write_text(_TEST.format(line=line))
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1, ended.stdout
    said = ended.stdout.splitlines()
    assert "1 distinct requests of the product to Stripe looked at" in said
    assert "GET /v1/customers, request, $.shoe_size, Extra inputs are not permitted" in said
    assert said[-1].startswith("1 passed")


def test_a_sandbox_writes_down_what_it_was_asked_and_no_card_number(tmp_path: Path) -> None:
    log = tmp_path / "requests"
    process = Process(tmp_path, settings={recording.VARIABLE: str(log)}).start()
    process.client().v1.customers.list(params={"limit": 1})
    card = {"card[number]": "4242424242424242", "card[cvc]": "123", "card[exp_month]": "12"}
    process.post("/v1/tokens", {**card, "card[exp_year]": "2040"})
    process.get("/healthz")
    process.stop()
    (file,) = log.glob("*.jsonl")
    listed, token = map(json.loads, file.read_text().splitlines())
    assert (listed["method"], listed["path"], listed["form"]) == (
        "GET",
        "/v1/customers",
        [["limit", "1"]],
    )
    assert (listed["sdk"], listed["status"], listed["key_ends"]) == (True, 200, KEY[-6:])
    assert (token["sdk"], dict(token["form"])["card[number]"]) == (False, "…")
    assert "4242424242424242" not in file.read_text()
