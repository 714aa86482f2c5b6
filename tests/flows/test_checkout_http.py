"""The form of money at the real door: what it refuses, and what it says when it cannot sell."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from talkingphoto.billing import ledger
from tests.support.gunicorn import Gunicorn
from tests.support.shop import Shop, rows


@pytest.fixture(scope="module")
def shop(storefront: Shop) -> Shop:
    """One shop behind one door for all of these stories."""
    return storefront


TAMPERED = [
    {"item": "starter:month", "amount": "1"},
    {"item": "starter:month", "price_id": "price_1"},
    {"item": "starter:month", "currency": "jpy"},
    *({"item": "pack:50", "quantity": quantity} for quantity in ("-1", "0", "1000000000")),
    {"item": "pack:51"},
    {"item": "pack:-50"},
    {"item": "starter"},
    {"item": "free:month"},
    {"item": ""},
    {"item": "starter:month\x00"},
    {},
]


@pytest.mark.parametrize("form", TAMPERED, ids=str)
def test_m9_a_tampered_form_is_refused_and_opens_no_session(
    shop: Shop, web: Gunicorn, form: dict[str, str]
) -> None:
    cookie = shop.sign_in(shop.a_person())
    before = rows(shop)["checkouts"]
    answer = requests.post(
        f"{web.base}/billing/checkout",
        data={"request_id": str(uuid.uuid4()), **form},
        headers={"Origin": shop.runtime.settings.app_url, "Cookie": cookie},
        allow_redirects=False,
        timeout=15,
    )
    assert answer.status_code == 400
    assert rows(shop)["checkouts"] == before


def test_m7_one_request_id_is_one_session_for_one_person(shop: Shop, web: Gunicorn) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    request_id = str(uuid.uuid4())

    def buy(cookie: str, item: str) -> requests.Response:
        return requests.post(
            f"{web.base}/billing/checkout",
            data={"item": item, "request_id": request_id},
            headers={"Origin": shop.runtime.settings.app_url, "Cookie": cookie},
            allow_redirects=False,
            timeout=30,
        )

    of_ada, of_bob = shop.sign_in(ada), shop.sign_in(bob)
    with ThreadPoolExecutor(20) as pool:
        same = list(pool.map(lambda _: buy(of_ada, "pack:10"), range(20)))
        others = list(pool.map(lambda _: buy(of_ada, "pack:50"), range(20)))
        bobs = list(pool.map(lambda _: buy(of_bob, "pack:10"), range(20)))
    assert {answer.status_code for answer in same} == {303}
    assert {answer.status_code for answer in others} == {409}
    assert {answer.status_code for answer in bobs} == {303}
    pages = {answer.headers["Location"] for answer in same}
    assert len(pages) == 1
    assert {answer.headers["Location"] for answer in bobs}.isdisjoint(pages)
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_a_refused_purchase_leads_a_person_back_to_the_price_list(
    shop: Shop, web: Gunicorn
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    answer = requests.post(
        f"{web.base}/billing/checkout",
        data={"item": "pro:month", "request_id": str(uuid.uuid4())},
        headers={
            "Origin": shop.runtime.settings.app_url,
            "Cookie": shop.sign_in(ada),
            "Accept": "text/html",
        },
        allow_redirects=False,
        timeout=15,
    )
    expected = f"{shop.runtime.settings.app_url}/?error=billing.already_subscribed"
    assert (answer.status_code, answer.headers["Location"]) == (303, expected)


def test_a_fault_between_us_and_stripe_is_not_the_customers_to_read(
    shop: Shop, web: Gunicorn
) -> None:
    ada = shop.a_person()
    shop.opens(ada, "pack:10")
    client = shop.sandbox.client(shop.key)
    customer = client.v1.customers.list({"email": ada.email}).data[0]
    client.v1.customers.delete(customer.id)
    answer = requests.post(
        f"{web.base}/billing/checkout",
        data={"item": "pack:50", "request_id": str(uuid.uuid4())},
        headers={"Origin": shop.runtime.settings.app_url, "Cookie": shop.sign_in(ada)},
        allow_redirects=False,
        timeout=15,
    )
    assert answer.status_code == 503
    assert "billing.unavailable" in answer.text and "stripe." not in answer.text


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"item": "enterprise:month", "trial": "yes"}, "trial.not_offered"),
        ({"item": "pack:10", "code": "NOSUCHCODE"}, "code.unknown"),
    ],
    ids=str,
)
def test_a_trial_or_a_code_that_is_not_for_this_leads_back_and_says_so(
    shop: Shop, web: Gunicorn, form: dict[str, str], code: str
) -> None:
    answer = requests.post(
        f"{web.base}/billing/checkout",
        data={"request_id": str(uuid.uuid4()), **form},
        headers={
            "Origin": shop.runtime.settings.app_url,
            "Cookie": shop.sign_in(shop.a_person()),
            "Accept": "text/html",
        },
        allow_redirects=False,
        timeout=15,
    )
    expected = f"{shop.runtime.settings.app_url}/?error={code}"
    assert (answer.status_code, answer.headers["Location"]) == (303, expected)
