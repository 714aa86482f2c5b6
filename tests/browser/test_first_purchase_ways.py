"""Other ways through a first purchase: signed out, twice, back again, by keyboard, by phone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.customer import Customer
from tests.support.stack import Stack, settings_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Opens = Callable[..., BrowserContext]
FOCUSED = """() => {
  const e = document.activeElement;
  return e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || '';
}"""
SCROLLS = """() => document.scrollingElement.scrollWidth > innerWidth
  || [...document.querySelectorAll('[data-testid=stMain]')]
    .some(main => main.scrollWidth > main.clientWidth + 1)"""
MOST_TABS = 60


@pytest.fixture
def ada(person: Opens, product: Stack) -> Customer:
    """Somebody who has just signed up."""
    customer = Customer(person(), product)
    customer.signs_up()
    return customer


def test_a_plan_chosen_while_signed_out_leads_through_sign_up_to_its_checkout(
    person: Opens, product: Stack
) -> None:
    bob = Customer(person(), product)
    bob.opens("/")
    bob.page.get_by_role("button", name="Choose Pro").click()
    assert bob.heading_becomes("Create your account") == "Create your account"
    expect(bob.page.locator(".tp-choice")).to_contain_text("Pro, $49.99 a month")
    bob.fills_in_the_sign_up()
    bob.sees_the_checkout()
    expect(bob.pay_button).to_have_text("Pay $49.99")
    bob.pays()
    assert bob.heading_becomes("You are on Pro.") == "You are on Pro."
    assert bob.videos_left_become(100) == 100


def test_s7_signing_out_in_one_tab_empties_the_other_within_two_seconds(ada: Customer) -> None:
    other = ada.opens_another_tab("/account")
    assert other.is_signed_in
    ada.page.get_by_role("button", name="Sign out").first.click()
    ada.page.wait_for_url(f"{ada.stack.app}/")
    ended_at = time.monotonic()
    other.page.get_by_text("You signed out in another window.").wait_for()
    assert time.monotonic() - ended_at < 2
    expect(other.page.get_by_text(ada.email)).to_have_count(0)


def test_a_double_click_on_buy_opens_one_checkout(ada: Customer) -> None:
    ada.opens("/")
    ada.buy_button(50).dblclick()
    ada.sees_the_checkout()
    assert len(checkouts_of(ada)) == 1


def test_back_from_the_checkout_loses_nothing_and_only_the_next_one_counts(ada: Customer) -> None:
    ada.opens("/")
    ada.page.get_by_role("radio", name="Yearly").click()
    ada.page.get_by_text("$199.99 a year").wait_for()
    ada.chooses("Starter")
    left_behind = ada.page.url
    ada.page.go_back()
    ada.sees_a_whole_page()
    expect(ada.page.get_by_role("radio", name="Yearly")).to_be_checked()
    assert ada.videos_left_become(3) == 3
    ada.chooses("Starter")
    expect(ada.pay_button).to_have_text("Pay $199.99")
    still_open = [one["url"] for one in checkouts_of(ada) if one["status"] == "open"]
    assert still_open == [ada.page.url]
    ada.page.goto(left_behind)
    assert ada.heading_becomes("This checkout has expired") == "This checkout has expired"


def test_a_pack_is_bought_with_the_keyboard_alone(ada: Customer) -> None:
    ada.opens("/")
    tab_to(ada.page, "Buy 10 videos")
    ada.page.keyboard.press("Enter")
    ada.sees_the_checkout()
    for label, text in (
        ("Card number", "4242424242424242"),
        ("Expires", "12 / 34"),
        ("Security code", "123"),
        ("Name on card", "Ada Example"),
    ):
        tab_to(ada.page, label)
        ada.page.keyboard.type(text)
    tab_to(ada.page, "Pay $9.90")
    ada.page.keyboard.press("Enter")
    assert ada.heading_becomes("10 videos added.") == "10 videos added."
    assert ada.videos_left_become(13) == 13


def test_a_pack_is_bought_on_a_phone_in_the_dark(person: Opens, product: Stack) -> None:
    carla = Customer(person(width=375, dark=True), product)
    carla.opens("/sign-up?item=pack:10")
    assert not carla.page.evaluate(SCROLLS)
    carla.fills_in_the_sign_up()
    carla.sees_the_checkout()
    assert not carla.page.evaluate(SCROLLS)
    carla.pays("4000000000009995")
    assert carla.refusal_becomes("There is not enough money on this card.").startswith("There")
    assert not carla.page.evaluate(SCROLLS)
    carla.pays()
    assert carla.heading_becomes("10 videos added.") == "10 videos added."
    assert carla.videos_left_become(10) == 10
    assert not carla.page.evaluate(SCROLLS)
    carla.opens("/account")
    assert not carla.page.evaluate(SCROLLS)


def tab_to(page: Page, name: str) -> None:
    """The focus is on what has that name, reached by the Tab key."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED).strip() == name:
            return
    raise AssertionError(f"the Tab key does not lead to {name}")


def checkouts_of(person: Customer) -> list[dict[str, Any]]:
    """Every checkout session that was ever opened for the person."""
    key = settings_of(person.stack).stripe_secret_key.get_secret_value()

    def asked(path: str, **query: str) -> list[dict[str, Any]]:
        answer = requests.get(
            f"{person.stack.sandbox}/v1/{path}", params=query, auth=(key, ""), timeout=10
        )
        return list(answer.json()["data"])

    (customer,) = asked("customers", email=person.email)
    return asked("checkout/sessions", customer=str(customer["id"]))
