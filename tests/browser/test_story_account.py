"""What a customer does on the pages of their account, in the whole product."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import requests
from playwright.sync_api import Browser, Locator, expect

from tests.support import chromium
from tests.support.customer import Customer
from tests.support.stack import Stack, clean_environment, settings_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def bob(browser: Browser, product: Stack) -> Customer:
    """Bob has Pro and ten videos that he bought."""
    made = Customer(chromium.context(browser), product)
    made.signs_up()
    made.opens("/")
    made.chooses("Pro")
    made.pays()
    assert made.heading_becomes("You are on Pro.") == "You are on Pro."
    made.opens("/")
    made.wants_pack(10)
    made.pays()
    assert made.heading_becomes("10 videos added.") == "10 videos added."
    return made


def says(bob: Customer, words: str) -> None:
    """The page has those words in view."""
    expect(bob.page.get_by_text(words).first).to_be_visible()


def presses(bob: Customer, name: str | re.Pattern[str]) -> None:
    """The button of that name was pressed."""
    bob.page.get_by_role("button", name=name).first.click()


def test_a_plan_is_paused_from_its_next_month_and_the_pause_undone(bob: Customer) -> None:
    bob.opens("/pause-plan")
    bob.page.get_by_role("button", name=re.compile("^Pause")).last.click()
    says(bob, "Pro pauses on ")
    bob.opens("/account")
    says(bob, "Pro pauses on ")
    bob.opens("/pause-plan")
    presses(bob, "Undo the pause")
    says(bob, "Pro goes on.")


def test_billing_details_are_kept_and_said_to_be_on_the_next_invoice(bob: Customer) -> None:
    bob.opens("/billing-details")
    bob.page.get_by_label("Company").fill("Bob & Sons <b>")
    presses(bob, "Save details")
    says(bob, "Your next invoice shows it.")
    bob.opens("/billing-details")
    expect(bob.page.get_by_label("Company")).to_have_value("Bob & Sons <b>")


def test_auto_top_up_needs_its_tick_and_is_off_at_once(bob: Customer) -> None:
    bob.opens("/videos-left")
    consent = bob.page.get_by_role("checkbox", name=re.compile("^When fewer than"))
    expect(consent).not_to_be_checked()
    presses(bob, "Turn on auto top-up")
    expect(bob.page.get_by_role("button", name="Turn off")).to_have_count(0)
    consent.locator("xpath=ancestor::label").click()
    expect(consent).to_be_checked()
    presses(bob, "Turn on auto top-up")
    says(bob, "Auto top-up is on.")
    presses(bob, "Turn off")
    says(bob, "Auto top-up is off.")


def test_unused_videos_are_returned_for_exactly_what_they_cost(bob: Customer) -> None:
    bob.opens("/invoices")
    pack = bob.page.locator("tr", has_text="10 videos")
    pack.get_by_role("link", name=re.compile("^Open ")).first.click()
    presses(bob, re.compile("^Return it for"))
    presses(bob, "Return 10 videos for $9.90")
    says(bob, "$9.90 is on its way back.")
    assert bob.videos_left_become(103) == 103


def test_a_trial_begins_without_a_charge_and_says_when_it_ends(
    browser: Browser, product: Stack
) -> None:
    ada = Customer(chromium.context(browser), product)
    ada.signs_up()
    ada.opens("/")
    presses(ada, "Try Starter for 7 days")
    ada.page.wait_for_url(f"{product.sandbox}/c/pay/**")
    ada.fills_in_a_card()
    presses(ada, "Start trial")
    wanted = "Your Starter trial has begun."
    assert ada.heading_becomes(wanted) == wanted
    ada.opens("/account")
    says(ada, "7 days of your Starter trial left.")
    assert ada.watch.complaints == []


def test_a_code_is_refused_in_its_own_words_or_paid_with_at_the_lower_price(
    browser: Browser, product: Stack
) -> None:
    percent = {"percent_off": "20", "duration": "repeating", "duration_in_months": "3"}
    a_code(product, "OVER", percent, active="false")
    least = {"minimum_amount": "1000000", "minimum_amount_currency": "usd"}
    a_code(product, "LARGE", percent, **{f"restrictions[{key}]": least[key] for key in least})
    a_code(product, "SPRING", percent)
    eve = Customer(chromium.context(browser), product)
    eve.signs_up()
    eve.opens("/")
    for code, words in (
        ("NOSUCHCODE", "We do not know this code. Check its spelling."),
        ("LARGE", "This code is not for this plan."),
        ("OVER", "This code has expired."),
    ):
        types_code(eve, code)
        expect(eve.page.locator(".tp-code--bad")).to_have_text(re.compile(re.escape(words)))
        expect(pro_of(eve)).not_to_contain_text("$39.99")
    types_code(eve, "spring")
    says(eve, "SPRING is accepted.")
    expect(pro_of(eve)).to_contain_text("$49.99 $39.99 a month")
    expect(pro_of(eve)).to_contain_text("20 % off for 3 months, then $49.99 a month")
    eve.chooses("Pro")
    expect(eve.pay_button).to_have_text("Pay $39.99")
    eve.pays()
    assert eve.heading_becomes("You are on Pro.") == "You are on Pro."
    eve.opens("/account")
    says(eve, "20 % off until ")
    eve.opens("/invoices")
    paid = eve.page.locator(".tp-sheet").first.locator("tbody td:nth-child(2)")
    expect(paid).to_have_text(["$39.99"])
    eve.page.get_by_role("link", name=re.compile("^Open ")).click()
    expect(eve.page.locator(".tp-facts").first).to_contain_text("$39.99")
    assert eve.watch.complaints == []


def a_code(product: Stack, code: str, coupon: dict[str, str], **rules: str) -> None:
    """The code is known at the sandbox, as its owner would have made it in the dashboard."""
    key = settings_of(product).stripe_secret_key.get_secret_value()
    promotion = {"promotion[type]": "coupon", "code": code, **rules}
    for path, fields in (("coupons", coupon), ("promotion_codes", promotion)):
        made = requests.post(
            f"{product.sandbox}/v1/{path}", data=fields, auth=(key, ""), timeout=10
        )
        assert made.ok, made.text
        promotion["promotion[coupon]"] = made.json()["id"]


def types_code(person: Customer, code: str) -> None:
    """The code is in the field of the price list, and sent."""
    field = person.page.get_by_label("Promo code")
    field.fill(code)
    field.press("Enter")


def pro_of(person: Customer) -> Locator:
    """What the price list says of Pro."""
    return person.page.locator(".tp-plan", has_text="Choose Pro")


def test_who_is_appointed_finds_the_office_in_the_menu(bob: Customer, product: Stack) -> None:
    bob.opens("/account")
    link = bob.page.get_by_role("link", name="Office")
    expect(link).to_have_count(0)
    subprocess.run(
        [sys.executable, "-m", "talkingphoto.cli", "grant-admin", bob.email],
        env=clean_environment(product.data),
        check=True,
        timeout=120,
    )
    bob.opens("/account")
    link.click()
    says(bob, "You are here as admin.")
    for section, words in (
        ("Prices", "Whoever has a plan pays today's price."),
        ("Recovery", "No invoice failed for the first time from"),
    ):
        bob.page.get_by_role("radio", name=section).locator("xpath=ancestor::label").click()
        says(bob, words)


def test_the_browser_complained_of_nothing(bob: Customer) -> None:
    assert bob.watch.complaints == []
