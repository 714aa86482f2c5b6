"""The pages of a plan's life: what they say before money moves, and what a click does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Opener, Pages
from tests.browser.test_pages_layout import NAMELESS, SIDEWAYS, SMALL
from tests.support import stand_in

pytestmark = pytest.mark.browser

LAYOUT = [
    ("pro", "/account"),
    ("due", "/account"),
    ("pro", "/change-plan"),
    ("pro", "/change-plan?item=enterprise:month"),
    ("leaving", "/cancel-plan"),
    ("pro", "/pause-plan"),
    ("out", "/videos-left"),
    ("pro", "/invoices"),
    ("pro", "/invoices?payment=p6"),
    ("pro", "/billing-details"),
    ("free", "/?code=SPRING"),
]
FOCUSED = "document.activeElement.innerText || document.activeElement.ariaLabel || ''"


@pytest.mark.parametrize(("who", "path"), LAYOUT)
def test_a_page_of_the_account_fits_a_desk_and_a_phone(look: Opener, who: str, path: str) -> None:
    faults: list[str] = []
    page = look(path, who=who)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    assert not page.evaluate(SIDEWAYS)
    page.set_viewport_size({"width": 375, "height": 812})
    expect(page.locator("h1")).to_have_count(1)
    assert not page.evaluate(SIDEWAYS)
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(SMALL) == []
    assert page.locator(".tp-btn--primary, [data-testid^=stBaseButton-primary]").count() <= 1
    assert faults == []


def test_the_account_says_plan_price_next_charge_and_card(look: Opener) -> None:
    page = look("/account", who="pro")
    card = page.locator(".tp-card", has=page.get_by_role("heading", name="Pro"))
    for words in ("$49.99 a month", "$49.99 on", "Visa ending 4242", "100 a month", "Active"):
        expect(card).to_contain_text(words)
    expect(page.get_by_role("img", name="12 of 100 videos of this month used")).to_be_visible()


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("trial", "we charge $49.99"),
        ("trial-bare", "Without one the plan ends; nothing is charged."),
        ("paused", "Pro is paused until"),
        ("discounted", "20 % off for 3 months"),
        ("waiting-bank", "Your bank asks you to confirm a payment."),
        ("low", "At this pace you run out on 27 November."),
        ("out", "You have used all 100 videos."),
        ("away", "Pro renews by itself on"),
    ],
)
def test_every_state_of_a_plan_is_said_in_words(look: Opener, who: str, words: str) -> None:
    expect(look("/account", who=who).get_by_test_id("stMain")).to_contain_text(words)


def test_a_new_account_is_not_told_that_it_has_run_out(look: Opener) -> None:
    page = look("/account", who="empty")
    expect(page.locator(".tp-big")).to_have_text("0")
    expect(page.locator(".tp-warn")).to_have_count(0)


@pytest.mark.parametrize(
    "path",
    [
        "/change-plan?item=enterprise:month",
        "/cancel-plan",
        "/videos-left",
        "/invoices",
    ],
)
def test_c5_while_the_payment_partner_is_away_a_page_says_nothing_was_charged(
    look: Opener, path: str
) -> None:
    page = look(path, who="away")
    expect(page.get_by_text("We cannot reach our payment partner.").first).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text("Nothing was charged.")
    expect(page.get_by_text("cannot be shown just now. Reload")).to_have_count(0)


def test_m10_the_button_names_the_sum_of_the_preview_and_the_keyboard_reaches_it(
    look: Opener,
) -> None:
    page = look("/change-plan?item=enterprise:month", who="pro")
    expect(page.locator("tfoot td")).to_have_text("$89.89")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_test_id("stMain")).to_contain_text("$239.99 on")
    walk_to(page, "Change to Enterprise and pay $89.89")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are on Enterprise.")
    expect(page.locator(".tp-facts")).to_contain_text("$89.89")


def test_m10_a_preview_that_is_out_of_date_is_shown_anew_and_nothing_is_charged(
    pages: Pages, person: Callable[..., BrowserContext]
) -> None:
    page = opened(person(who="stale"), pages, "/change-plan?item=enterprise:month")
    page.get_by_role("button", name="and pay $89.89").click()
    expect(page.get_by_text("The price has changed since you looked.")).to_be_visible()
    expect(page.get_by_role("button", name="and pay $91.23")).to_be_visible()
    expect(page.locator("tfoot td")).to_have_text("$91.23")


@pytest.mark.parametrize(
    ("who", "heading", "action"),
    [
        ("declined", "The payment did not go through", "Update card"),
        ("asked", "Your bank asks you to confirm $89.89", "Confirm with bank"),
    ],
)
def test_a_change_that_is_not_paid_says_what_to_do(
    look: Opener, who: str, heading: str, action: str
) -> None:
    page = look("/change-plan?item=enterprise:month", who=who)
    page.get_by_role("button", name="and pay").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_text(action, exact=True)).to_be_visible()


def test_a_change_to_come_has_a_date_and_can_be_undone(look: Opener) -> None:
    page = look("/account", who="pending")
    expect(page.locator(".tp-standing")).to_contain_text("Starter begins on")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("You stay on Pro.")).to_be_visible()
    expect(page.locator(".tp-standing")).to_have_count(0)


def test_a_plan_is_cancelled_in_two_clicks_and_resumed_in_one(look: Opener) -> None:
    page = look("/account", who="leaving")
    page.get_by_role("link", name="Cancel plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel Pro")
    expect(page.locator(".st-key-tp-offer")).to_have_count(1)
    expect(page.get_by_test_id("stMain")).to_contain_text("You keep 10 videos after that.")
    page.get_by_role("button", name="Cancel plan").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pro ends on")
    page.get_by_role("button", name="Resume Pro").click()
    expect(page.get_by_text("Pro goes on.")).to_be_visible()


def test_auto_top_up_wants_consent_first_and_ends_with_one_click(look: Opener) -> None:
    page = look("/videos-left", who="pro")
    consent = page.get_by_role("checkbox", name="charge my saved card for pack:10")
    expect(consent).not_to_be_checked()
    page.get_by_role("button", name="Turn on auto top-up").click()
    expect(page.get_by_text("Tick the box to agree, then turn it on.")).to_be_visible()
    page.locator("label", has=consent).click()
    page.get_by_role("button", name="Turn on auto top-up").click()
    expect(page.get_by_text("Auto top-up is on.")).to_be_visible()
    expect(page.locator(".st-key-tp-auto")).to_contain_text("$50.00 a month")
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Auto top-up is off.")).to_be_visible()


def test_the_history_has_reasons_links_and_older_pages(look: Opener) -> None:
    page = look("/videos-left", who="low")
    expect(page.get_by_role("link", name="Good morning, team, number 30")).to_have_count(1)
    expect(page.get_by_text("For the delay on Monday")).to_have_count(1)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Good morning, team, number 18")).to_have_count(1)
    expect(page.get_by_role("link", name="Latest")).to_have_count(1)


def test_a_payment_is_returned_in_two_steps_that_name_the_sum(look: Opener) -> None:
    page = look("/invoices?payment=p6", who="pro")
    page.get_by_role("button", name="Return it for $43.99").click()
    expect(page.get_by_text("You get back $43.99, and 88 videos go.")).to_be_visible()
    page.get_by_role("button", name="Return 88 videos for $43.99").click()
    expect(page.get_by_text("$43.99 is on its way back.")).to_be_visible()
    expect(page.get_by_role("button", name="Return")).to_have_count(0)


def test_refunds_and_disputes_are_said_in_words(look: Opener) -> None:
    page = look("/invoices", who="pro")
    expect(page.get_by_text("$12.00 refunded")).to_be_visible()
    expect(page.get_by_text("Its 10 videos are on hold until it has decided.")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download all as CSV").click()
    assert saved.value.suggested_filename == "talkingphoto-payments.csv"


def test_details_that_are_refused_stay_in_their_fields(look: Opener) -> None:
    page = look("/billing-details", who="pro")
    page.get_by_label("VAT or tax number").fill("wrong")
    page.get_by_role("button", name="Save details").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not a VAT number we know.")
    expect(page.get_by_label("VAT or tax number")).to_have_value("wrong")
    page.get_by_label("VAT or tax number").fill("DE999999999")
    page.get_by_role("button", name="Save details").click()
    expect(page.get_by_text("Your next invoice shows it.")).to_be_visible()


def test_a_code_shows_the_price_before_and_after_and_goes_along_to_checkout(look: Opener) -> None:
    page = look("/", who="free")
    page.get_by_label("Promo code").fill("SPRING")
    page.keyboard.press("Enter")
    starter = page.get_by_role("region", name="Starter plan")
    expect(starter).to_contain_text("$19.99 $15.99 a month")
    expect(starter.locator("input[name=code]")).to_have_value("SPRING")
    expect(page.get_by_role("region", name="Enterprise plan")).to_contain_text("$199.99 a month")
    assert "code=SPRING" in page.url


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("code.expired", "This code has expired."),
        ("code.not_for_this", "This code is not for this plan."),
        ("NOTHING", "We do not know this code."),
    ],
)
def test_a_code_that_does_nothing_says_why(look: Opener, code: str, words: str) -> None:
    page = look(f"/?code={code}")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator("input[name=code]")).to_have_count(0)


def test_a_subscriber_is_led_from_a_plan_to_its_preview(look: Opener) -> None:
    page = look("/?cycle=Yearly", who="pro")
    switch = page.get_by_role("link", name="Pay yearly, save 16 %")
    expect(switch).to_have_attribute("href", "/change-plan?item=pro%3Ayear")
    expect(page.get_by_role("link", name="Change to Starter")).to_have_count(1)
    expect(page.locator(".tp-plan form")).to_have_count(0)
    # The panel and the table name one price of a video.
    expect(page.get_by_test_id("stMain").get_by_text("$0.42")).to_have_count(2)


def test_a_failed_payment_is_said_on_every_page_until_it_is_paid(look: Opener) -> None:
    page = look("/", who="due")
    for words in ("$49.99 did not go through", "not enough money on Visa", "We try again on"):
        expect(page.get_by_role("alert")).to_contain_text(words)
    card = page.locator("[role=alert] form", has=page.get_by_role("button", name="Update card"))
    expect(card.locator("input[name=flow]")).to_have_value("update_card")
    page.get_by_role("link", name="Account").first.click()
    page.get_by_role("button", name="Pay $49.99 now").click()
    expect(page.get_by_text("Your payment of $49.99 went through.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_b4_names_from_outside_never_become_markup(look: Opener) -> None:
    page = look("/account", who="literal")
    expect(page.get_by_role("heading", name=stand_in.HOSTILE)).to_have_count(1)
    expect(page.locator(".tp-standing")).to_contain_text(stand_in.HOSTILE)
    expect(page.locator("td img, dd img, h2 img, .tp-standing img")).to_have_count(0)
    assert page.title().startswith("Account")


def walk_to(page: Page, name: str) -> None:
    """The keyboard has come to the control of that name."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED).strip() == name:
            return
    pytest.fail(f"the keyboard does not come to {name}")


def opened(context: BrowserContext, pages: Pages, path: str) -> Page:
    """The page in a browser of its own."""
    page = context.new_page()
    page.goto(pages.url + path)
    page.wait_for_selector(".tp-foot")
    return page
