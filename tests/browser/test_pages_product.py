"""The pages on the real services: what they ask for is there, and what a person types arrives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PUBLIC = ("/", "/sign-in", "/sign-up", "/cancel", "/terms", "/privacy", "/refunds", "/contact")


def test_every_address_opens_directly(
    product: Stack, person: Callable[..., BrowserContext]
) -> None:
    page = person().new_page()
    for path in (*PUBLIC, "/account", "/success?session_id=cs_test_none"):
        page.goto(product.app + path)
        expect(page.locator(".tp-foot")).to_be_visible(timeout=30_000)
        expect(page.locator("h1")).to_have_count(1)
        expect(page.get_by_text("cannot be shown")).to_have_count(0)


def test_a_refused_sign_up_keeps_mail_and_choice_and_the_next_try_leads_to_checkout(
    product: Stack, person: Callable[..., BrowserContext]
) -> None:
    page = person(width=375).new_page()
    page.goto(product.app)
    plan = page.get_by_role("region", name="Starter plan")
    plan.get_by_role("button", name="Choose Starter").click(timeout=30_000)
    sign_up(page, email="pat@example.com", password="too short")
    expect(page.locator("#password-error")).to_contain_text("at least 15", timeout=30_000)
    expect(page.get_by_label("E-mail")).to_have_value("pat@example.com")
    expect(page.locator(".tp-choice")).to_contain_text("Starter, $19.99 a month")
    sign_up(page, email="pat@example.com", password="a walk along the river")
    page.wait_for_url(f"{product.sandbox}/**", timeout=30_000)
    page.goto(f"{product.app}/account")
    expect(page.locator(".tp-big")).to_have_text("3", timeout=30_000)
    expect(page.locator(".tp-you")).to_contain_text("pat@example.com")
    expect(page.locator(".tp-empty")).to_contain_text("No invoices yet.")


def sign_up(page: Page, *, email: str, password: str) -> None:
    """The form is filled in and sent."""
    page.get_by_label("E-mail").fill(email, timeout=30_000)
    page.get_by_label("Password").fill(password)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Create account").click()
