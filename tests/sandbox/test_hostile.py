"""No request makes the sandbox fail: hostile values for every field of every route."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import pytest
from flask.testing import FlaskClient

from stripe_sandbox.api.served import ROUTES
from stripe_sandbox.app import create_app
from stripe_sandbox.sandbox import Sandbox, Settings
from tests.sandbox.hostile import Writer
from tests.sandbox.running import KEY

_SENT = {"Authorization": f"Bearer {KEY}"}
_ROUNDS = 6
# What there is to be attacked: routes and fields in turn; @N is the id of the Nth thing made.
_STOCK = (
    ("customers", "email=a@example.com&source=tok_visa"),
    ("customers", "name=to be deleted"),
    ("payment_methods/pm_card_visa/attach", "customer=@0"),
    ("products", "name=Thing"),
    ("prices", "currency=usd&unit_amount=500&product=@3"),
    ("prices", "currency=usd&unit_amount=900&product=@3&recurring[interval]=month"),
    ("coupons", "percent_off=10&duration=once&id=RRR{seed}"),
    ("promotion_codes", "promotion[type]=coupon&promotion[coupon]=@6"),
    ("subscriptions", "customer=@0&items[0][price]=@5&default_payment_method=@2"),
    ("payment_intents", "amount=500&currency=usd&customer=@0&payment_method=@2&confirm=true"),
    ("payment_intents", "amount=500&currency=usd&capture_method=manual"),
    ("charges", "amount=900&currency=usd&source=tok_createDispute"),
    ("charges", "amount=900&currency=usd&source=tok_visa"),
    ("refunds", "charge=@12&amount=100"),
    (
        "checkout/sessions",
        "mode=payment&success_url=http://localhost:1/&line_items[0][price]=@4"
        "&line_items[0][quantity]=1",
    ),
    (
        "checkout/sessions",
        "mode=subscription&success_url=http://localhost:1/&line_items[0][price]=@5"
        "&line_items[0][quantity]=1",
    ),
    ("invoices", "customer=@0"),
    ("setup_intents", "customer=@0"),
    ("test_helpers/test_clocks", "frozen_time=1790000000"),
    ("tax_rates", "display_name=VAT&inclusive=false&percentage=20"),
    ("subscription_schedules", "from_subscription=@8"),
    ("invoiceitems", "customer=@0&amount=70&currency=usd"),
)
# What was made along with the rest.
_LISTED = ("credit_notes", "disputes", "events", "invoice_payments", "invoices", "charges")


def _stock(client: FlaskClient, seed: int) -> list[str]:
    """The ids of objects of many kinds, a deleted one among them."""
    ids: list[str] = []
    for path, fields in _STOCK:
        said = re.sub(r"@(\d+)", lambda match: ids[int(match[1])], fields).format(seed=seed)
        answer = client.post(f"/v1/{path}", data=dict(parse_qsl(said)), headers=_SENT)
        assert answer.status_code == 200, answer.text
        ids.append(answer.get_json()["id"])
    client.delete(f"/v1/customers/{ids[1]}", headers=_SENT)
    for path in _LISTED:
        listed = client.get(f"/v1/{path}?limit=5", headers=_SENT).get_json()
        ids += [row["id"] for row in listed["data"]]
    return [*ids, "cus_none", "pm_card_visa"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    box = Sandbox(Settings(folder / "store.sqlite", "http://localhost:4242"))
    yield create_app(box).test_client()
    box.stop()


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        (
            "GET",
            "/v1/customers/search",
            {"query": "name:'a'", "page": "OTk5OTk5OTk5OTk5OTk5OTk5OTk="},
        ),
        ("GET", "/v1/customers/search", {"query": "metadata['\x00']:'x'"}),
        ("POST", "/_sandbox/faults", {"kind": "error", "rate": "9" * 5000}),
        ("DELETE", f"/_sandbox/faults/{'9' * 30}", {}),
    ],
)
def test_a_number_or_sign_the_store_cannot_hold_is_answered(
    client: FlaskClient, method: str, path: str, fields: dict[str, str]
) -> None:
    asked = None if method == "POST" else fields
    said = fields if method == "POST" else None
    answer = client.open(path, method=method, headers=_SENT, query_string=asked, data=said)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("seed", range(3))
def test_hostile_requests_are_answered_and_never_fail(client: FlaskClient, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - dice of a test
    writer = Writer(chance, _stock(client, seed))
    routes = list(ROUTES) * _ROUNDS
    chance.shuffle(routes)
    for route in routes:
        path, pairs = writer.request(route)
        body = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)
        posted = route.method == "POST"
        answer = client.open(
            path if posted else f"{path}?{body}",
            method=route.method,
            data=body if posted else None,
            content_type="application/x-www-form-urlencoded",
            headers=_SENT,
        )
        said = f"{route.method} {path} {pairs} -> {answer.text[:300]}"
        assert answer.status_code < 500, said
        got = json.loads(answer.text)
        _check_shape(got, answer.status_code, said)
        if posted and got.get("id"):
            writer.stock.append(got["id"])


def test_the_request_log_has_no_card_number_and_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "requests"
    box = Sandbox(Settings(tmp_path / "store.sqlite", "http://localhost:4242", request_log=log))
    client = create_app(box).test_client()
    for name in ("number", "card[number]", "cvc", "source[cvc]", "client_secret"):
        client.post("/v1/tokens", data={name: "4242424242424242"}, headers=_SENT)
    box.stop()
    (file,) = log.iterdir()
    assert len(file.read_text().splitlines()) == 5
    assert "4242424242424242" not in file.read_text()


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def _check_shape(body: Any, status: int, said: str) -> None:
    """The answer is an object of Stripe's, or an error in its shape; nothing of ours shows."""
    if status == 200:
        assert body.get("object") or body.get("deleted"), said
        assert not list(_leaks(body)), said
    else:
        assert body["error"]["type"].endswith("_error"), said
        assert isinstance(body["error"]["message"], str), said


def _leaks(node: Any) -> Iterator[str]:
    """Notes of our own, and anything that says it is live."""
    if isinstance(node, list):
        for item in node:
            yield from _leaks(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.startswith("_") or (key == "livemode" and value is not False):
                yield key
            yield from _leaks(value)
