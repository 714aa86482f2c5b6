"""The pages in a real browser: by keyboard, in both themes, wide and narrow."""

import shutil
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.sandbox.running import Shop

pytestmark = pytest.mark.browser
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
_WIDER_THAN_WINDOW = "() => document.scrollingElement.scrollWidth > innerWidth"
_TOO_LOW = """() => [...document.querySelectorAll('button, a.btn, input')]
    .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield opened
        opened.close()


def _type(page: Page, *texts: str) -> None:
    """Each text into the focused field, then on to the next by Tab."""
    for text in texts:
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def test_a_payer_pays_by_keyboard_and_arrives_at_the_merchants_other_origin(
    shop: Shop, browser: Browser
) -> None:
    merchant = f"http://127.0.0.1:{shop.sandbox.port}/healthz?session_id={{CHECKOUT_SESSION_ID}}"
    session = shop.checkout(customer=shop.customer(), success_url=merchant)
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(session.url)
    page.get_by_label("Card number").focus()
    _type(page, "4000000000009995", "1234", "123", "Ada Lovelace")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("There is not enough money on this card.").wait_for()
    number = page.get_by_label("Card number")
    assert number.input_value() == "4000000000009995"
    number.fill("4242 4242 4242 4242")
    page.get_by_role("button", name="Pay $19.99").click()
    page.wait_for_url(f"**/healthz?session_id={session.id}")
    assert shop.reread(session).payment_status == "paid"
    assert not [text for text in refused if "Content Security Policy" in text]
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_pages_fit_the_window_and_their_controls_a_thumb(
    shop: Shop, browser: Browser, width: int, theme: Literal["light", "dark"]
) -> None:
    session = shop.checkout(customer=shop.customer())
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
    page.goto(session.url)
    for name in ("Test cards", "Other ways to pay"):
        page.get_by_text(name).click()
    assert not page.evaluate(_WIDER_THAN_WINDOW)
    assert page.evaluate(_TOO_LOW) == 0
    shop.pay(session)
    page.goto(shop.reread(session, "invoice").invoice.hosted_invoice_url)
    assert not page.evaluate(_WIDER_THAN_WINDOW)
    page.close()
