"""The first purchase as a person makes it, in the whole product, told once and looked at often."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from tests.support import chromium
from tests.support.customer import DECLINES, Customer
from tests.support.first_purchase import Step, walk
from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Story:
    """The person, still at the browser, and each step of the way by its name."""

    ada: Customer
    steps: dict[str, Step]


@pytest.fixture(scope="module")
def story(browser: Browser, product: Stack) -> Story:
    """Ada signed up, bought Starter and 50 videos, came back, and tried the cards that fail."""
    ada = Customer(chromium.context(browser), product)
    return Story(ada, {step.step: step for step in walk(ada)})


def test_signing_up_brings_three_videos(story: Story) -> None:
    assert story.steps["credits_at_start"].value == 3


def test_paying_for_starter_says_so_and_adds_thirty_without_a_reload(story: Story) -> None:
    assert story.steps["plan"].value == "You are on Starter."
    assert story.steps["credits_after_starter"].value == 33


def test_a_pack_adds_fifty_more(story: Story) -> None:
    assert story.steps["pack"].value == "50 videos added."
    assert story.steps["credits_after_pack"].value == 83


def test_s6_a_reload_and_a_new_tab_stay_signed_in(story: Story) -> None:
    assert story.steps["credits_after_reload"].value == 83
    assert story.steps["signed_in_in_a_new_tab"].value is True


@pytest.mark.parametrize("card", DECLINES)
def test_a_declining_card_says_why_in_its_own_words(story: Story, card: str) -> None:
    assert story.steps[f"declined_{card}"].value == DECLINES[card]


def test_declined_cards_grant_nothing(story: Story) -> None:
    assert story.steps["credits_after_declined_cards"].value == 83


def test_every_decline_has_a_sentence_of_its_own() -> None:
    assert len(set(DECLINES.values())) == len(DECLINES) == 4


def test_p3_nothing_is_asked_of_another_host(story: Story) -> None:
    assert story.ada.watch.hosts == {"localhost"}


def test_the_browser_complains_of_nothing_but_the_declined_cards(story: Story) -> None:
    # The checkout answers a declined card with 402, as Stripe's API does, and Chromium notes it.
    unexpected = [
        text for text in story.ada.watch.complaints if "402 (PAYMENT REQUIRED)" not in text
    ]
    assert unexpected == []
    assert len(story.ada.watch.complaints) == len(DECLINES)


def test_s5_no_page_can_read_the_session_and_it_never_leaves_this_host(story: Story) -> None:
    ada = story.ada
    ada.opens("/account")
    assert ada.is_signed_in
    assert "tp_session" not in ada.page.evaluate("document.cookie")
    (kept,) = [one for one in ada.browser.cookies() if one.get("name") == chromium.SESSION_COOKIE]
    assert kept.get("httpOnly") is True
    assert kept.get("secure") is True
    assert kept.get("sameSite") == "Lax"
    assert kept.get("path") == "/"
    # A cookie with a Domain would be written with a dot in front.
    assert kept.get("domain") == "localhost"
