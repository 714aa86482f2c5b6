"""Back from checkout: the page moves to its end by itself and a reload changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Opener, Pages

pytestmark = pytest.mark.browser


def test_a_slow_payment_is_confirmed_without_a_reload(look: Opener) -> None:
    page = look("/success?session_id=cs_slow", who="free")
    expect(heading(page)).to_have_text("Confirming your payment")
    expect(page.get_by_test_id("stMain")).to_contain_text("You can close this page")
    expect(heading(page)).to_have_text("You are on Starter.", timeout=60_000)
    expect(page.get_by_test_id("stMain")).to_contain_text("30 videos are ready.")


def test_a_slow_payment_is_confirmed_however_late_the_server_hears_of_its_reader(
    look: Opener, crowded: None
) -> None:
    page = look("/success?session_id=cs_slow_crowded", who="free")
    expect(heading(page)).to_have_text("Confirming your payment")
    expect(heading(page)).to_have_text("You are on Starter.")
    expect(page.get_by_test_id("stMain")).not_to_contain_text("Confirming")


def test_a_reload_says_the_same_again(look: Opener) -> None:
    page = look("/success?session_id=cs_pack", who="free")
    for _ in range(2):
        expect(heading(page)).to_have_text("50 videos added.")
        expect(page.get_by_test_id("stMain")).to_contain_text("You have 83.")
        page.reload()


@pytest.mark.parametrize(
    ("session_id", "text"),
    [
        ("cs_other", "We do not know this checkout"),
        ("", "We do not know this checkout"),
        ("cs_expired", "This checkout has expired"),
        ("cs_failed", "The payment did not go through"),
    ],
)
def test_every_other_end_is_said_plainly(look: Opener, session_id: str, text: str) -> None:
    page = look(f"/success?session_id={session_id}", who="free")
    expect(heading(page)).to_have_text(text)


def test_after_half_a_minute_the_page_stops_asking_and_offers_to(
    pages: Pages, person: Callable[..., BrowserContext]
) -> None:
    page = person(who="free").new_page()
    page.clock.install()
    page.goto(f"{pages.url}/success?session_id=cs_unreachable")
    expect(heading(page)).to_have_text("Confirming your payment")
    again = page.get_by_role("button", name="Check again")
    seconds, enough = 0, time.monotonic() + 60
    # A server that is busy answers several ticks at once, so it may take a few more.
    while not again.is_visible() and time.monotonic() < enough:
        page.clock.run_for(1000)
        page.wait_for_timeout(50)
        seconds += 1
    assert seconds >= 25
    expect(heading(page)).to_have_text("Still confirming your payment")
    again.click()
    expect(heading(page)).to_have_text("Confirming your payment")


def test_a_stranger_is_asked_to_sign_in_and_comes_back_here(look: Opener) -> None:
    page = look("/success?session_id=cs_plan")
    link = page.get_by_test_id("stMain").get_by_role("link", name="Sign in").last
    expected = "/sign-in?next=%2Fsuccess%3Fsession_id%3Dcs_plan"
    expect(link).to_have_attribute("href", expected)


def test_cancel_keeps_the_choice_one_button_away(look: Opener) -> None:
    page = look("/cancel?item=pack:50", who="free")
    expect(heading(page)).to_have_text("Nothing was charged")
    expect(page.locator(".tp-choice")).to_contain_text("50 videos, $44.50, once")
    form = page.locator("form[action$='/billing/checkout']")
    expect(form.locator("input[name=item]")).to_have_value("pack:50")
    expect(form.get_by_role("button")).to_have_text("Try again")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)
