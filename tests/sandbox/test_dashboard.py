"""The dashboard: what it shows, what its levers do, and what it says to wrong input."""

import re
from typing import Any

import pytest
import requests

from tests.sandbox.plans import DAY
from tests.sandbox.running import Receiver, Shop, eventually


def _page(shop: Shop, path: str, /, **query: str) -> requests.Response:
    return requests.get(f"{shop.sandbox.base}/dashboard{path}", params=query, timeout=10)


def _pull(shop: Shop, path: str, /, **form: str) -> requests.Response:
    return requests.post(f"{shop.sandbox.base}/dashboard{path}", data=form, timeout=60)


def _customer(shop: Shop, email: str) -> Any:
    params: Any = {
        "email": email,
        "name": "<b>Ada</b>",
        "payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"},
    }
    return shop.client.v1.customers.create(params=params)


def test_every_page_of_the_menu_opens_and_says_that_it_is_a_sandbox(shop: Shop) -> None:
    menu = re.findall(r'href="(/dashboard[^"]*)"', _page(shop, "").text)
    pages = {path for path in menu if "/objects/" not in path}
    assert len(pages) >= 9
    for path in pages:
        answer = requests.get(f"{shop.sandbox.base}{path}", timeout=10)
        assert answer.status_code == 200, path
        assert "Sandbox. This page stands in for Stripe" in answer.text
        assert "script" not in answer.headers["Content-Security-Policy"]


def test_a_list_finds_what_was_typed_and_never_turns_names_into_markup(shop: Shop) -> None:
    made = _customer(shop, "desk-find@example.com")
    found = _page(shop, "/customers", q="desk-find").text
    assert made.id in found
    assert "<b>Ada" not in found
    assert "&lt;b&gt;Ada" in found
    assert "Nothing matches" in _page(shop, "/customers", q="no such person").text
    assert _page(shop, "/customers", q="x" * 3000).status_code == 200


def test_a_list_goes_on_to_older_ones(shop: Shop) -> None:
    for number in range(27):
        shop.client.v1.customers.create(params={"email": f"page-{number:02d}@example.com"})
    first = _page(shop, "/customers", q="page-").text
    assert "page-26" in first
    assert "page-01" not in first
    older = re.search(r"after=(cus_\w+)", first)
    assert older is not None
    assert "page-01" in _page(shop, "/customers", q="page-", after=older.group(1)).text


def test_an_object_shows_what_the_api_shows_its_events_and_what_it_belongs_to(shop: Shop) -> None:
    customer = _customer(shop, "desk-object@example.com")
    plan = shop.client.v1.subscriptions.create(
        params={"customer": customer.id, "items": [{"price": shop.plan}]}
    )
    shown = _page(shop, f"/objects/{plan.id}").text
    assert f"/dashboard/objects/{customer.id}" in shown
    assert "customer.subscription.created" in shown
    assert "_debits" not in shown
    assert _page(shop, "/objects/cus_nobody").status_code == 404
    assert _page(shop, "/nothing").status_code == 404


def test_a_month_passes_at_the_press_of_a_button(moved: Shop) -> None:
    customer = _customer(moved, "month@example.com")
    v1 = moved.client.v1
    plan = v1.subscriptions.create(
        params={"customer": customer.id, "items": [{"price": moved.plan}]}
    )
    answer = _pull(moved, "/clock", step="month")
    _pull(moved, "/clock", step="day")
    assert "pieces of work" in answer.text
    listed = v1.invoices.list(params={"subscription": plan.id})
    assert [invoice.status for invoice in listed.data] == ["paid", "paid"]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose how far"),
        ({"step": "century"}, "Choose how far"),
        ({"day": "tomorrow"}, "Write the day as"),
        ({"day": "2001-01-01"}, "does not run back"),
        ({"day": "2099-01-01"}, "at most"),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_words(
    moved: Shop, form: dict[str, str], sentence: str
) -> None:
    answer = _pull(moved, "/clock", **form)
    assert answer.status_code == 400
    assert sentence in answer.text


def test_a_test_clock_is_moved_from_its_page(moved: Shop) -> None:
    clocks = moved.client.v1.test_helpers.test_clocks
    clock = clocks.create(params={"frozen_time": 1_700_000_000}).id
    assert "on its way" in _pull(moved, f"/clocks/{clock}", step="day").text
    eventually(lambda: clocks.retrieve(clock).frozen_time == 1_700_000_000 + DAY)
    assert _pull(moved, "/clocks/clock_nobody", step="day").status_code == 404


def test_an_event_is_sent_again(moved: Shop, heard: Receiver) -> None:
    made = _customer(moved, "again@example.com")
    event = moved.client.v1.events.list(params={"type": "customer.created", "limit": 1}).data[0]
    assert event.data.object.id == made.id

    def arrived() -> int:
        return sum(told["id"] == event.id for told in heard.events())

    eventually(lambda: arrived() == 1)
    assert "on its way again to 1 endpoint." in _pull(moved, f"/events/{event.id}").text
    eventually(lambda: arrived() == 2)
    assert _page(moved, f"/objects/{event.id}").text.count("succeeded") >= 2


def test_a_failure_is_set_met_and_cleared(moved: Shop) -> None:
    added = _pull(moved, "/failures", kind="error", method="GET", path="/v1/coupons*", times="1")
    assert "The failure is set." in added.text
    assert moved.sandbox.get("/v1/coupons").status_code == 500
    assert moved.sandbox.get("/v1/coupons").status_code == 200
    assert "cleared" in _pull(moved, "/failures/clear").text
    assert "No call fails on purpose" in _page(moved, "/failures").text


def test_a_wrong_failure_is_refused_and_what_was_typed_stays(moved: Shop) -> None:
    answer = _pull(moved, "/failures", kind="error", path="/v1/prices", rate="200")
    assert answer.status_code == 400
    assert "from 0 to 100" in answer.text
    assert 'value="/v1/prices"' in answer.text
    assert _page(moved, "/failures").text.count("Clear rule") == 0


def test_the_laboratory_is_set_from_the_page_and_refuses_nonsense(moved: Shop) -> None:
    endpoint = moved.client.v1.webhook_endpoints.list().data[0].id
    assert "laboratory is set" in _pull(moved, f"/endpoints/{endpoint}", duplicate="100").text
    assert "laboratory on" in _page(moved, "/deliveries").text
    wrong = _pull(moved, f"/endpoints/{endpoint}", drop="often")
    assert wrong.status_code == 400
    assert 'value="often"' in wrong.text
    assert "is off" in _pull(moved, f"/endpoints/{endpoint}", duplicate="", drop="0").text


def test_another_site_cannot_pull_a_lever(moved: Shop) -> None:
    answer = requests.post(
        f"{moved.sandbox.base}/dashboard/clock",
        data={"step": "year"},
        headers={"Origin": "http://evil.example"},
        timeout=10,
    )
    assert answer.status_code == 403
