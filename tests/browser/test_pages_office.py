"""The office in a browser: who is led there, and that each section fits a desk and a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.test_pages_layout import NAMELESS, SIDEWAYS, SMALL, assert_styled
from tests.support import stand_in

pytestmark = pytest.mark.browser

SECTIONS = ("Customers", "Differences", "Disputes", "Events", "Mail", "Prices", "Recovery")


@pytest.mark.parametrize("width", [375, 1280])
def test_the_menu_leads_staff_to_the_office(look: Opener, width: int) -> None:
    page = look("/account", who=stand_in.STAFF, width=width)
    link = page.get_by_role("link", name="Office")
    expect(link).to_be_in_viewport()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Office")
    expect(page.get_by_text("You are here as admin.")).to_be_visible()
    assert not page.evaluate(SIDEWAYS)


@pytest.mark.parametrize("who", ["starter", ""])
def test_the_menu_of_everybody_else_knows_no_office(look: Opener, who: str) -> None:
    page = look("/", who=who)
    expect(page.get_by_role("link", name="Plans").first).to_be_visible()
    expect(page.get_by_role("link", name="Office")).to_have_count(0)
    expect(
        look("/office", who=who).get_by_text("There is nothing at this address.")
    ).to_be_visible()


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_of_the_office_fits_a_desk_and_a_phone(look: Opener, section: str) -> None:
    faults: list[str] = []
    page = look(f"/office?section={section}", who=stand_in.STAFF)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    expect(page.get_by_role("radio", name=section)).to_be_checked()
    if section == "Customers":
        asks_for(page, "pro")
    assert not page.evaluate(SIDEWAYS)
    page.set_viewport_size({"width": 375, "height": 812})
    expect(page.locator("h1")).to_have_count(1)
    assert not page.evaluate(SIDEWAYS)
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(SMALL) == []
    assert_styled(page)
    assert faults == []


def test_a_period_in_which_nothing_failed_says_so(look: Opener) -> None:
    page = look("/office?section=Recovery", who=stand_in.STAFF)
    expect(page.get_by_text("80.0 % got back").first).to_be_visible()
    page.get_by_text("Last month").click()
    expect(page.get_by_text("No invoice failed for the first time from")).to_be_visible()


def asks_for(page: Page, asked: str) -> None:
    """That customer is looked up and shown, with all that can be done open."""
    field = page.get_by_label("Customer", exact=True)
    field.fill(asked)
    field.press("Enter")
    expect(page.get_by_role("heading", name="a-long-address")).to_be_visible()
    for closed in page.get_by_test_id("stExpander").locator("summary").all():
        closed.click()
    expect(page.get_by_role("button", name="Give", exact=True)).to_be_visible()
