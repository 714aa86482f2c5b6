"""The rules every request keeps: keys, versions, forms, expansion, pages and errors."""

import base64
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from stripe_sandbox.api import table
from stripe_sandbox.api.served import ROUTES
from tests.sandbox.plans import price
from tests.sandbox.running import KEY, Process, Shop


def _get(sandbox: Process, authorization: str | None, path: str = "/v1/customers") -> int:
    headers = {"Authorization": authorization} if authorization else {}
    return requests.get(f"{sandbox.base}{path}", headers=headers, timeout=5).status_code


def test_a_request_without_a_test_key_is_refused_with_401(sandbox: Process) -> None:
    assert _get(sandbox, None) == 401
    assert _get(sandbox, "Bearer pk_test_abc") == 401
    assert _get(sandbox, "Bearer nonsense") == 401
    assert _get(sandbox, "Basic %%%") == 401


def test_a_live_key_is_refused_and_not_repeated(sandbox: Process) -> None:
    headers = {"Authorization": "Bearer sk_live_very_secret"}
    answer = requests.get(f"{sandbox.base}/v1/customers", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert "refuses live keys" in answer.json()["error"]["message"]
    assert "very_secret" not in answer.text


def test_test_and_restricted_keys_are_let_in_by_bearer_and_by_basic(sandbox: Process) -> None:
    assert _get(sandbox, "Bearer sk_test_x") == 200
    assert _get(sandbox, "Bearer rk_test_x") == 200
    assert _get(sandbox, "Basic " + base64.b64encode(b"sk_test_x:").decode()) == 200


def test_every_answer_has_a_request_id_and_echoes_the_version(sandbox: Process) -> None:
    plain = sandbox.get("/v1/customers")
    assert plain.headers["Request-Id"].startswith("req_")
    assert plain.headers["Stripe-Version"] == "2026-10-28.endive"
    older = requests.get(
        f"{sandbox.base}/v1/customers",
        headers={"Authorization": f"Bearer {KEY}", "Stripe-Version": "2024-06-20"},
        timeout=5,
    )
    assert older.headers["Stripe-Version"] == "2024-06-20"
    assert older.headers["Request-Id"] != plain.headers["Request-Id"]


def test_only_names_of_this_machine_are_answered(sandbox: Process) -> None:
    address = f"http://127.0.0.1:{sandbox.port}/healthz"
    assert requests.get(address, timeout=5).json() == {"status": "ok"}
    assert requests.get(address, headers={"Host": "localhost"}, timeout=5).ok
    assert requests.get(address, headers={"Host": "evil.example"}, timeout=5).status_code == 403


def test_another_site_cannot_post_to_the_pages_or_the_clock(sandbox: Process) -> None:
    headers = {"Origin": "https://evil.example"}
    address = f"{sandbox.base}/_sandbox/clock"
    data = {"advance_seconds": "1"}
    assert requests.post(address, data, headers=headers, timeout=5).status_code == 403


def test_nested_forms_are_read_with_and_without_indexes(shop: Shop) -> None:
    data = [
        ("mode", "payment"),
        ("success_url", "http://localhost:1/s"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "500"),
        ("line_items[0][price_data][product_data][name]", "Thing"),
        ("line_items[0][quantity]", "3"),
        ("metadata[a]", "1"),
        ("expand[]", "line_items"),
    ]
    body = shop.sandbox.post("/v1/checkout/sessions", data).json()
    assert body["amount_total"] == 1500
    assert body["metadata"] == {"a": "1"}
    assert body["line_items"]["data"][0]["description"] == "Thing"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("shoe_size", "parameter_unknown"),
        ("payment_method_types[]", "parameter_unknown"),
        ("subscription_data[coupon]", "parameter_unknown"),
    ],
)
def test_an_unknown_or_removed_parameter_is_refused_by_its_full_name(
    shop: Shop, name: str, code: str
) -> None:
    answer = shop.sandbox.post("/v1/checkout/sessions", {"mode": "subscription", name: "x"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["param"] == name.removesuffix("[]")


def test_a_missing_parameter_and_a_wrong_value_are_named(sandbox: Process) -> None:
    missing = sandbox.post("/v1/payment_intents", {"amount": "100"}).json()["error"]
    assert (missing["code"], missing["param"]) == ("parameter_missing", "currency")
    wrong = sandbox.post("/v1/payment_intents", {"amount": "ten", "currency": "usd"}).json()
    assert (wrong["error"]["code"], wrong["error"]["param"]) == (
        "parameter_invalid_integer",
        "amount",
    )


def test_hostile_forms_are_refused_and_never_crash(sandbox: Process) -> None:
    for data in (
        "a[" * 50 + "=1",
        "metadata=1&metadata[a]=2",
        "metadata[a]=1&metadata[a][b]=2",
        "name=%00%ff%fe",
        "email[]=1",
        "]=1",
    ):
        answer = sandbox.post(
            "/v1/customers", data, **{"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code in (200, 400), data
    too_much = sandbox.post("/v1/customers", {"description": "x" * 2_000_000})
    assert too_much.status_code == 413
    assert too_much.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_object_is_404_resource_missing(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.customers.retrieve("cus_nobody")
    assert caught.value.http_status == 404
    assert caught.value.code == "resource_missing"
    assert caught.value.error is not None
    assert "error-codes/resource-missing" in str(caught.value.error.doc_url)


def test_an_id_of_another_kind_is_not_found_either(shop: Shop) -> None:
    answer = shop.sandbox.get(f"/v1/customers/{shop.plan}")
    assert answer.status_code == 404


def test_an_unserved_address_says_that_this_sandbox_does_not_serve_it(sandbox: Process) -> None:
    answer = sandbox.get("/v1/issuing/cards")
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_lists_are_cut_into_pages_by_cursors_in_both_directions(shop: Shop) -> None:
    email = "pages@example.com"
    made = [shop.client.v1.customers.create(params={"email": email}).id for _ in range(5)]
    newest_first = made[::-1]
    first = shop.client.v1.customers.list(params={"email": email, "limit": 2})
    assert [c.id for c in first.data] == newest_first[:2]
    assert first.has_more
    last = shop.client.v1.customers.list(
        params={"email": email, "limit": 3, "starting_after": newest_first[1]}
    )
    assert [c.id for c in last.data] == newest_first[2:]
    assert not last.has_more
    back = shop.client.v1.customers.list(
        params={"email": email, "limit": 2, "ending_before": newest_first[4]}
    )
    assert [c.id for c in back.data] == newest_first[2:4]
    assert [c.id for c in first.auto_paging_iter()] == newest_first


def _pages_of_two(sandbox: Process, path: str, **asked: str) -> list[str]:
    """The ids of the whole list, page by page, and the same page again from its other end."""
    whole = sandbox.get(path, limit=100, **asked).json()
    ids = [row["id"] for row in whole["data"]]
    assert (len(ids), whole["has_more"]) == (3, False)
    first = sandbox.get(path, limit=2, **asked).json()
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (ids[:2], True)
    last = sandbox.get(path, limit=2, starting_after=ids[1], **asked).json()
    assert ([row["id"] for row in last["data"]], last["has_more"]) == (ids[2:], False)
    back = sandbox.get(path, limit=1, ending_before=ids[2], **asked).json()
    assert ([row["id"] for row in back["data"]], back["has_more"]) == ([ids[1]], True)
    refused = sandbox.get(path, starting_after="il_of_nobody", **asked)
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "starting_after")
    return ids


def test_lists_inside_an_object_are_cut_like_any_other(shop: Shop) -> None:
    v1 = shop.client.v1
    prices = [shop.plan, *(price(shop, amount) for amount in (2900, 3900))]
    sold: list[Any] = [{"price": one, "quantity": 1} for one in prices]
    session = shop.checkout(line_items=sold)
    _pages_of_two(shop.sandbox, f"/v1/checkout/sessions/{session.id}/line_items")
    shop.pay(session)
    paid = shop.reread(session)
    _pages_of_two(shop.sandbox, "/v1/subscription_items", subscription=paid.subscription)
    lines = _pages_of_two(shop.sandbox, f"/v1/invoices/{paid.invoice}/lines")
    credited: list[Any] = [
        {"type": "invoice_line_item", "invoice_line_item": line, "amount": 100} for line in lines
    ]
    note = v1.credit_notes.create(
        params={"invoice": paid.invoice, "lines": credited, "credit_amount": 300}
    )
    _pages_of_two(shop.sandbox, f"/v1/credit_notes/{note.id}/lines")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x"])
def test_a_page_has_one_to_a_hundred_objects(sandbox: Process, limit: str) -> None:
    assert sandbox.get("/v1/customers", limit=limit).status_code == 400


def test_expansion_reaches_four_levels_and_no_fifth(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    shop.pay(session)
    deep = shop.reread(session, "subscription.latest_invoice.payments.data")
    assert deep.subscription.latest_invoice.payments.data[0].status == "paid"
    listed = shop.client.v1.checkout.sessions.list(
        params={"limit": 1, "expand": ["data.subscription.default_payment_method"]}
    )
    assert listed.data[0].subscription is not None
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        shop.reread(session, "subscription.latest_invoice.payments.data.payment")


def test_what_cannot_be_expanded_is_refused(shop: Shop) -> None:
    for path in ("email", "nothing", "metadata.a"):
        answer = shop.sandbox.get(f"/v1/customers/{shop.customer()}", **{"expand[]": path})
        assert answer.status_code == 400, path
        assert "cannot be expanded" in answer.json()["error"]["message"]


def test_nothing_the_sandbox_keeps_for_itself_is_shown(shop: Shop) -> None:
    session = shop.checkout_pack()
    shop.pay(session)
    raw = shop.sandbox.get(
        f"/v1/checkout/sessions/{session.id}", **{"expand[]": "payment_intent.payment_method"}
    ).json()
    for body in (raw, raw["payment_intent"], raw["payment_intent"]["payment_method"]):
        assert not [name for name in body if name.startswith("_")]
        assert body["livemode"] is False


def test_the_document_prints_the_table_of_served_routes() -> None:
    document = (Path(__file__).parents[2] / "docs" / "SANDBOX.md").read_text()
    printed = document.split("<!-- routes -->")[1].split("<!-- /routes -->")[0]
    assert printed.strip().splitlines() == table.rows(ROUTES)
