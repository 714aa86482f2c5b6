"""The way to the customer's pages at Stripe, at the real door."""

from __future__ import annotations

import pytest
import requests

from services.invoice_service import PORTALS_PER_USER
from tests.support.gunicorn import Gunicorn
from tests.support.saved import save_card
from tests.support.shop import Person, Shop


@pytest.fixture(scope="module")
def shop(storefront: Shop) -> Shop:
    """One shop behind one door for all of these stories."""
    return storefront


def ask(shop: Shop, web: Gunicorn, person: Person | None, **chosen: str) -> requests.Response:
    headers = {"Origin": shop.runtime.settings.app_url}
    if person is not None:
        headers["Cookie"] = shop.sign_in(person)
    return requests.post(
        f"{web.base}/billing/portal",
        data=chosen,
        headers=headers,
        allow_redirects=False,
        timeout=30,
    )


def test_the_portal_changes_cards_and_details_and_no_plan(shop: Shop, web: Gunicorn) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    answer = ask(shop, web, ada, flow="home")
    assert answer.status_code == 303
    page = shop.sandbox.open(answer.headers["Location"])
    assert page.ok and "4242" in page.text
    for ours in ("Cancel plan", "Update plan", "Change plan", "Cancel subscription"):
        assert ours not in page.text
    sessions = {ask(shop, web, ada, flow="home").headers["Location"] for _ in range(2)}
    assert len(sessions) == 2
    found = shop.sandbox.client(shop.key).v1.billing_portal.configurations.list({"limit": 100})
    ours_only = [one for one in found.data if one.metadata and "talkingphoto" in one.metadata]
    assert len(ours_only) == 1


def test_a_new_card_is_one_link_away(shop: Shop, web: Gunicorn) -> None:
    ada = shop.a_person()
    save_card(shop, ada)
    answer = ask(shop, web, ada, flow="update_card")
    assert answer.status_code == 303
    page = shop.sandbox.open(answer.headers["Location"])
    assert page.ok and "card" in page.text.lower()


def test_who_is_signed_out_signs_in_first(shop: Shop, web: Gunicorn) -> None:
    answer = ask(shop, web, None, flow="home")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/sign-in?next=%2Faccount")


@pytest.mark.parametrize(
    "form", [{"flow": "cancel"}, {"flow": ""}, {"customer": "cus_1"}, {"flow": "home\x00"}], ids=str
)
def test_m9_a_tampered_form_opens_nothing(shop: Shop, web: Gunicorn, form: dict[str, str]) -> None:
    assert ask(shop, web, shop.a_person(), **form).status_code == 400


def test_nobody_opens_it_from_elsewhere_or_without_end(shop: Shop, web: Gunicorn) -> None:
    ada = shop.a_person()
    cookie = shop.sign_in(ada)
    answer = requests.post(
        f"{web.base}/billing/portal",
        data={"flow": "home"},
        headers={"Origin": "https://evil.example", "Cookie": cookie},
        timeout=10,
    )
    assert answer.status_code == 403
    answers = [
        requests.post(
            f"{web.base}/billing/portal",
            data={"flow": "home"},
            headers={"Origin": shop.runtime.settings.app_url, "Cookie": cookie},
            allow_redirects=False,
            timeout=30,
        ).status_code
        for _ in range(PORTALS_PER_USER.most + 1)
    ]
    assert answers == [303] * PORTALS_PER_USER.most + [429]
