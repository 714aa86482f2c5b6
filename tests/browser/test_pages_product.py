"""The pages on the real services: what they ask for is there, and what a person types arrives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
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


@pytest.mark.parametrize(
    "path", ["/", "/account", "/no-such-page", "/_stcore/health", "/_stcore/nothing"]
)
def test_d7_every_answer_of_the_app_carries_the_security_headers(product: Stack, path: str) -> None:
    answer = requests.get(product.app + path, timeout=15)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    scripts = policy.partition("script-src ")[2].partition(";")[0]
    assert scripts.startswith("'self' 'sha256-") and "unsafe" not in scripts
    targets = policy.rpartition("form-action 'self' ")[2].split()
    assert set(targets) == {product.app, product.web, product.sandbox}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    if answer.headers["Content-Type"].startswith("text/html"):
        assert answer.headers["Cache-Control"] == "no-store"


def test_s15_another_host_name_is_not_answered(product: Stack) -> None:
    evil = {"Host": "evil.example", "Origin": "http://evil.example"}
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = requests.get(f"{product.app}/_stcore/stream", headers=upgrade | evil, timeout=15)
    assert answer.status_code == 403


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
    # The free videos come when the address is proved.
    expect(page.locator(".tp-big")).to_have_text("0", timeout=30_000)
    expect(page.locator(".tp-you")).to_contain_text("pat@example.com")
    expect(page.locator(".tp-empty").last).to_contain_text("No invoices yet.")


def sign_up(page: Page, *, email: str, password: str) -> None:
    """The form is filled in and sent."""
    page.get_by_label("E-mail").fill(email, timeout=30_000)
    page.get_by_label("Password").fill(password)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Create account").click()
