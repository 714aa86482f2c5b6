"""A plan's life as a person lives it, in the whole product: up, down and back, away and back."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from tests.support import chromium
from tests.support.customer import Customer
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
MONEY = re.compile(r"\$[\d,]+\.\d\d")


@dataclass(frozen=True)
class Story:
    """The person, still at the browser, and what was read on the way."""

    ada: Customer
    shown: str
    on_the_button: str
    charged: str
    videos: int
    banner: str
    end: str


@pytest.fixture(scope="module")
def story(browser: Browser, product: Stack) -> Story:
    """Ada bought Starter, went up to Pro, wanted down and did not, cancelled and came back."""
    ada = Customer(chromium.context(browser), product)
    ada.signs_up()
    ada.opens("/")
    ada.chooses("Starter")
    ada.pays()
    assert ada.heading_becomes("You are on Starter.") == "You are on Starter."
    shown, button, charged = _up(ada)
    ada.opens("/account")
    videos = int(ada.page.locator(".tp-big").inner_text())
    return Story(ada, shown, button, charged, videos, _down_and_back(ada), _away_and_back(ada))


def test_m10_the_preview_the_button_and_the_charge_are_one_sum(story: Story) -> None:
    assert MONEY.fullmatch(story.shown)
    assert story.shown != "$0.00"
    assert story.on_the_button == story.shown == story.charged


def test_an_upgrade_brings_its_share_of_videos_at_once(story: Story) -> None:
    # 70 more a month, of which the time since the purchase has taken at most one.
    assert story.videos >= 30 + 69


def test_a_downgrade_waits_for_its_date_and_can_be_undone(story: Story) -> None:
    assert story.banner.startswith("Starter begins on ")


def test_a_cancelled_plan_says_its_end_and_goes_on_when_resumed(story: Story) -> None:
    assert story.end.startswith("Pro ends on ")
    story.ada.opens("/account")
    plan = story.ada.page.locator(".tp-card", has=story.ada.page.get_by_role("heading", name="Pro"))
    expect(plan).to_contain_text("Active")
    expect(plan).to_contain_text("$49.99 a month")


def test_every_payment_is_in_the_list_with_the_sum_that_was_charged(story: Story) -> None:
    story.ada.opens("/invoices")
    amounts = story.ada.page.locator(".tp-sheet").first.locator("tbody td:nth-child(2)")
    expect(amounts).to_have_text([story.charged, "$19.99"])


@pytest.mark.parametrize("path", ["/videos-left", "/billing-details", "/pause-plan"])
def test_every_page_of_the_account_shows_what_it_is_for(story: Story, path: str) -> None:
    story.ada.opens(path)
    for words in ("cannot be shown", "We cannot reach our payment partner"):
        expect(story.ada.page.get_by_text(words)).to_have_count(0)


def test_a_payment_can_be_opened_with_what_would_come_back_of_it(story: Story) -> None:
    story.ada.opens("/invoices")
    story.ada.page.get_by_role("link", name=re.compile("^Open ")).last.click()
    expect(story.ada.page.get_by_role("heading", name="Return it")).to_be_visible()


def test_the_browser_complained_of_nothing_on_the_way(story: Story) -> None:
    assert story.ada.watch.complaints == []
    assert story.ada.watch.hosts == {"localhost"}


def _up(ada: Customer) -> tuple[str, str, str]:
    """What the preview says, what the button says, and what was charged in the end."""
    ada.opens("/change-plan?item=pro:month")
    shown = ada.page.locator("tfoot td").inner_text()
    button = ada.page.get_by_role("button", name="Change to Pro and pay")
    said = _sum(button.inner_text())
    button.click()
    assert ada.heading_becomes("You are on Pro.") == "You are on Pro."
    return shown, said, _sum(ada.page.locator(".tp-facts").inner_text())


def _down_and_back(ada: Customer) -> str:
    ada.opens("/change-plan?item=starter:month")
    ada.page.get_by_role("button", name="Change to Starter on").click()
    expect(ada.page.get_by_role("heading", level=1)).to_contain_text("Starter begins on")
    ada.opens("/account")
    banner = ada.page.locator(".tp-standing strong").inner_text()
    ada.page.get_by_role("button", name="Undo").click()
    expect(ada.page.get_by_text("You stay on Pro.")).to_be_visible()
    return banner


def _away_and_back(ada: Customer) -> str:
    ada.opens("/account")
    ada.page.get_by_role("link", name="Cancel plan").click()
    ada.page.get_by_role("button", name="Cancel plan").click()
    heading = ada.page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Pro ends on")
    end = heading.inner_text()
    ada.page.get_by_role("button", name="Resume Pro").click()
    expect(ada.page.get_by_text("Pro goes on.")).to_be_visible()
    return end


def _sum(words: str) -> str:
    """The first sum of money in those words."""
    found = MONEY.search(words)
    assert found is not None, words
    return found.group()
