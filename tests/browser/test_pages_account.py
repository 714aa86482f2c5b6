"""The account page: words, dates, empty states, hostile text, and keeping itself current."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Opener, Pages
from tests.support import stand_in

pytestmark = pytest.mark.browser


def test_the_account_says_plan_videos_and_dates(look: Opener) -> None:
    page = look("/account", who="starter")
    expect(page.locator(".tp-big")).to_have_text("82")
    expect(page.locator(".tp-parts")).to_have_text("29 in your plan3 free50 bought")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("Starter renews by itself on")
    expect(main).to_contain_text("30 more on")
    expect(main).to_contain_text("Dates are in your time zone, Europe/Berlin.")
    expect(page.get_by_role("table")).to_have_count(2)


def test_a_new_account_has_sentences_where_there_are_no_rows(look: Opener) -> None:
    page = look("/account", who="empty")
    expect(page.locator(".tp-empty")).to_have_count(2)
    expect(page.locator(".tp-big")).to_have_text("0")


def test_a_failed_payment_comes_first_with_what_can_be_done(look: Opener) -> None:
    page = look("/account", who="past-due")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Your payment of $19.99 did not go through.")
    expect(notice).to_contain_text("We try again on")
    card = page.locator("form[action$='/billing/portal']")
    expect(card.get_by_role("button", name="Update card")).to_be_visible()
    expect(card.locator("input[name=flow]")).to_have_value("update_card")
    expect(page.get_by_role("button", name="Pay $19.99 now")).to_be_visible()


def test_an_unknown_time_zone_is_utc_and_says_so(look: Opener) -> None:
    page = look("/account", who="starter", timezone="UTC")
    expect(page.get_by_test_id("stMain")).to_contain_text("UTC")


def test_b4_text_of_users_never_becomes_markup(look: Opener) -> None:
    page = look("/account", who="hostile")
    cells = page.locator("td", has_text=stand_in.HOSTILE)
    expect(cells).to_have_count(2)
    assert page.title().startswith("Account")
    expect(page.locator("td img, td a, td style")).to_have_count(0)
    expect(page.locator(".tp-you")).to_contain_text(stand_in.EMAILS["hostile"])


def test_videos_that_arrive_appear_without_a_reload(look: Opener, pages: Pages) -> None:
    page = look("/account", who="waiting")
    expect(page.locator(".tp-big")).to_have_text("3")
    (pages.folder / "waiting.paid").touch()
    expect(page.locator(".tp-big")).to_have_text("82", timeout=60_000)
    expect(page.locator(".tp-me")).to_contain_text("82 videos left")


def test_a_payment_moves_the_header_however_late_the_server_hears_of_its_reader(
    look: Opener, pages: Pages, crowded: None
) -> None:
    page = look("/account", who="crowded")
    expect(page.locator(".tp-me")).to_contain_text("3 videos left")
    (pages.folder / "crowded.paid").touch()
    expect(page.locator(".tp-me")).to_contain_text("82 videos left")
    expect(page.locator(".tp-big")).to_have_text("82")


def test_s7_a_session_ended_elsewhere_leaves_an_open_tab_within_two_seconds(
    pages: Pages, person: Callable[..., BrowserContext]
) -> None:
    page = person(who="ending").new_page()
    page.clock.install()
    page.goto(f"{pages.url}/account")
    expect(page.locator(".tp-big")).to_be_visible()
    # Seconds of the browser, whose timers stand still otherwise: this machine may be busy.
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 2"))
    (pages.folder / "ending.out").touch()
    page.clock.run_for(2000)
    expect(page.get_by_text("You signed out in another window.")).to_be_visible()
    expect(page.get_by_test_id("stMain")).not_to_contain_text("ending@example.com")
    expect(page.locator(".tp-big")).to_have_count(0)


def test_the_account_of_nobody_leads_to_sign_in_and_back(look: Opener) -> None:
    page = look("/account")
    page.get_by_role("link", name="Sign in").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    expect(page.locator("input[name=next]")).to_have_value("/account")
