"""The pages in a real browser: by keyboard, in both themes, wide and narrow."""

import re
import shutil
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from stripe import Invoice

from tests.sandbox.portal import open_portal
from tests.sandbox.running import Shop

pytestmark = pytest.mark.browser
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
_WIDER_THAN_WINDOW = "() => document.scrollingElement.scrollWidth > innerWidth"
# A tick is as high as its label, and a link in a sentence as high as a link.
_TOO_LOW = """() => [...document.querySelectorAll('button, a.btn, input, select, label:has(input)')]
    .filter(e => e.offsetParent && e.type !== 'hidden' && !e.matches('.plain, label input'))
    .filter(e => e.getBoundingClientRect().height < 42)
    .map(e => e.outerHTML)"""


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
    assert page.evaluate(_TOO_LOW) == []
    shop.pay(session)
    page.goto(shop.reread(session, "invoice").invoice.hosted_invoice_url)
    assert not page.evaluate(_WIDER_THAN_WINDOW)
    page.close()


def test_enter_in_the_code_field_takes_the_code_and_pays_nothing(
    shop: Shop, browser: Browser
) -> None:
    v1 = shop.client.v1
    coupon = v1.coupons.create(params={"percent_off": 20, "duration": "once"})
    code = v1.promotion_codes.create(params={"promotion": {"type": "coupon", "coupon": coupon.id}})
    session = shop.checkout(customer=shop.customer(), allow_promotion_codes=True)
    page = browser.new_page()
    page.goto(session.url)
    page.get_by_label("Card number").focus()
    _type(page, "4242424242424242", "1234", "123", "Ada Lovelace")
    page.get_by_label("Promotion code").fill(code.code)
    page.keyboard.press("Enter")
    expect(page.locator("#changed")).to_contain_text("The total is now $15.99.")
    assert shop.reread(session).status == "open"
    # What was typed is still there, so one press pays the sum that is shown now.
    assert page.get_by_label("Card number").input_value() == "4242424242424242"
    with page.expect_request(lambda request: "/success" in request.url):
        page.get_by_role("button", name="Pay $15.99").click(no_wait_after=True)
    assert shop.reread(session).amount_total == 1599
    page.close()


def test_a_customer_walks_through_the_portal(shop: Shop, browser: Browser) -> None:
    portal = open_portal(shop)
    customer, subscription = portal.subscribed()
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(portal.open(customer).url)
    page.get_by_role("link", name="Add card").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Card number").focus()
    _type(page, "4000000000003220", "1234", "123", "Ada Lovelace")
    page.get_by_role("button", name="Save card").click()
    page.get_by_role("button", name="Confirm card").click()
    expect(page.get_by_role("status")).to_have_text("Your card is saved.")
    page.get_by_role("button", name="Use this: Visa ending 4242").click()
    page.get_by_role("link", name="Change plan").click()
    page.get_by_role("radio", name=re.compile("Pro")).check()
    page.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name=re.compile(r"Pay \$\d+\.\d\d and change plan")).click()
    expect(page.get_by_role("status")).to_have_text("Your plan is changed.")
    page.get_by_role("link", name="Cancel plan").click()
    page.get_by_role("radio", name="It costs too much").check()
    page.get_by_role("button", name="Cancel plan").click()
    expect(page.get_by_text("You keep it until then.")).to_be_visible()
    page.get_by_role("button", name="Keep plan").click()
    expect(page.get_by_role("status")).to_have_text("Your plan goes on.")
    plan = shop.client.v1.subscriptions.retrieve(subscription)
    assert plan["items"].data[0].price.id == portal.pro
    assert not [text for text in refused if "Content Security Policy" in text]
    page.close()


def test_an_open_invoice_is_paid_with_another_card(shop: Shop, browser: Browser) -> None:
    v1 = shop.client.v1
    invoice = _open_invoice(shop)
    page = browser.new_page()
    page.goto(str(invoice.hosted_invoice_url))
    number = page.get_by_label("Card number")
    expect(number).to_be_hidden()
    page.get_by_role("radio", name="Another card").check()
    number.focus()
    _type(page, "4000000000000002", "1234", "123", "Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Your bank declined this card.")
    number.fill("5555 5555 5555 4444")
    page.get_by_role("button", name="Pay $19.00").click()
    expect(page.get_by_text("Mastercard ending 4444")).to_be_visible()
    assert v1.invoices.retrieve(str(invoice.id)).status == "paid"
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_portal_and_invoice_fit_the_window_and_their_controls_a_thumb(
    shop: Shop, browser: Browser, width: int, theme: Literal["light", "dark"]
) -> None:
    portal = open_portal(shop)
    customer, subscription = portal.subscribed()
    base = portal.open(customer).url
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
    for address in (
        base,
        f"{base}/card",
        f"{base}/plan/{subscription}",
        f"{base}/plan/{subscription}/confirm?price={portal.pro}",
        f"{base}/cancel/{subscription}",
        f"{base}/details",
        str(_open_invoice(shop).hosted_invoice_url),
        shop.checkout(
            allow_promotion_codes=True,
            automatic_tax={"enabled": True},
            billing_address_collection="required",
            consent_collection={"terms_of_service": "required"},
            tax_id_collection={"enabled": True},
        ).url,
    ):
        page.goto(address)
        assert not page.evaluate(_WIDER_THAN_WINDOW), address
        assert page.evaluate(_TOO_LOW) == [], address
    page.close()


def _open_invoice(shop: Shop) -> Invoice:
    """A final invoice of $19.00 to a customer with a saved card."""
    v1 = shop.client.v1
    customer = v1.customers.create(
        params={"email": "ada@example.com", "payment_method": "pm_card_visa"}
    ).id
    draft = v1.invoices.create(params={"customer": customer, "collection_method": "send_invoice"})
    v1.invoice_items.create(
        params={
            "customer": customer,
            "invoice": str(draft.id),
            "amount": 1900,
            "currency": "usd",
            "description": "A portrait that talks",
        }
    )
    return v1.invoices.finalize_invoice(str(draft.id))
