"""Every page, on a phone and on a desk: one heading, nothing sideways, nothing nameless."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Opener, Pages

pytestmark = pytest.mark.browser

PAGES = [
    ("", "/"),
    ("starter", "/?cycle=Yearly"),
    ("", "/sign-in?error=auth.mismatch"),
    ("", "/sign-up?item=starter:month&error=auth.terms"),
    ("", "/account"),
    ("starter", "/account"),
    ("past-due", "/account"),
    ("hostile", "/account"),
    ("free", "/success?session_id=cs_plan"),
    ("free", "/success?session_id=cs_other"),
    ("free", "/cancel?item=pack:50"),
    ("", "/studio"),
    ("free", "/studio"),
    ("empty", "/studio"),
    ("starter", "/studio"),
    ("hostile", "/studio"),
    ("", "/terms"),
    ("", "/privacy"),
    ("", "/refunds"),
    ("starter", "/contact"),
]
SIDEWAYS = """() => document.scrollingElement.scrollWidth > innerWidth
  || [...document.querySelectorAll('[data-testid=stMain]')]
    .some(m => m.scrollWidth > m.clientWidth + 1)"""
NAMELESS = """() => [...document.querySelectorAll(
    'input:not([type=hidden]), button, a[href], [role=radio], img')]
  .filter(e => e.offsetParent && !(e.labels?.length || e.innerText?.trim()
    || e.getAttribute('aria-label') || e.hasAttribute('alt') || e.title))
  .map(e => e.outerHTML.slice(0, 120))"""
# What opens a file chooser or a list is the button or the frame round its input.
SMALL = """() => [...document.querySelectorAll(
    '.tp-btn, button, input:not([type=hidden]):not([type=file])')]
  .map(e => [e, e.closest('label, [role=group]') || e])
  .filter(([e, target]) => e.offsetParent && target.getBoundingClientRect().height < (
    ['checkbox', 'radio'].includes(e.type) ? 24 : 44))
  .map(([e]) => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_page_fits_a_phone_and_names_what_is_on_it(look: Opener, who: str, path: str) -> None:
    page = look(path, who=who, width=375)
    expect(page.locator("h1")).to_have_count(1)
    assert not page.evaluate(SIDEWAYS)
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(SMALL) == []
    assert_styled(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_style_sheet_is_applied_in_both_themes(look: Opener, dark: bool) -> None:
    page = look("/", dark=dark)
    assert_styled(page)
    surface = page.locator(".tp-panel").evaluate("e => getComputedStyle(e).backgroundColor")
    assert surface == ("rgb(24, 34, 33)" if dark else "rgb(255, 255, 255)")
    assert page.locator(".tp-plans").evaluate("e => getComputedStyle(e).display") == "grid"
    fonts = "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family).join()"
    assert "Hanken Grotesk" in page.evaluate(fonts)


def test_streamlit_shows_none_of_its_own_chrome(look: Opener) -> None:
    page = look("/")
    for part in ("stHeader", "stToolbar", "stStatusWidget", "stMainMenu", "stSidebar"):
        for found in page.get_by_test_id(part).all():
            expect(found).not_to_be_visible()


def test_the_menu_is_a_tab_bar_under_the_thumb_of_a_phone(look: Opener) -> None:
    page = look("/", who="starter", width=375)
    box = page.locator(".st-key-tp-nav").bounding_box()
    assert box is not None and box["y"] + box["height"] > 812 - 20
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")
    assert urlsplit(page.url).path == "/account"


def test_the_tab_bar_covers_no_part_of_the_footer(look: Opener) -> None:
    page = look("/success?session_id=cs_pack", who="free", width=375)
    page.locator(".tp-foot a").last.scroll_into_view_if_needed()
    page.get_by_role("link", name="Contact").click(timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Contact", timeout=30_000)


def test_see_plans_brings_the_plans_into_view(look: Opener) -> None:
    page = look("/", who="free", width=375)
    page.get_by_role("link", name="See plans").click()
    expect(page.get_by_role("heading", name="Plans", exact=True)).to_be_in_viewport()


def test_no_page_loads_anything_from_another_host(
    pages: Pages, person: Callable[..., BrowserContext]
) -> None:
    # P3; and nothing looks broken to the browser either.
    page = person(who="starter").new_page()
    hosts: set[str | None] = set()
    faults: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    for path in ("/", "/account", "/success?session_id=cs_plan", "/terms"):
        page.goto(pages.url + path)
        page.wait_for_selector(".tp-foot")
    assert hosts <= {"localhost", None}
    assert faults == []


def test_the_sandbox_says_so_on_every_page(look: Opener) -> None:
    for path in ("/", "/sign-up", "/terms"):
        note = look(path).get_by_role("note")
        expect(note).to_contain_text("No real money moves")


def assert_styled(page: Page) -> None:
    # Streamlit's sanitiser can drop the whole sheet in silence; then a footer is a block.
    assert page.locator(".tp-foot").evaluate("e => getComputedStyle(e).display") == "flex"
