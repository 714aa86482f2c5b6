"""Native forms: what they send, where an error stands, and the way through them by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.conftest import Opener, Pages
from ui import messages

pytestmark = pytest.mark.browser

FIELD_CODES = [
    (code, messages.of(code).field)
    for code in sorted(messages.codes())
    if messages.of(code).field != "form"
]


@pytest.mark.parametrize(("code", "field"), FIELD_CODES)
def test_an_error_stands_beside_its_field_and_is_announced(
    look: Opener, code: str, field: str
) -> None:
    page = look(f"/sign-up?error={code}")
    refused = page.locator(f"#{field}")
    expect(refused).to_have_attribute("aria-invalid", "true")
    described = refused.get_attribute("aria-describedby")
    error = page.locator(f"#{described}")
    expect(error).to_have_attribute("role", "alert")
    expect(error).to_contain_text(messages.of(code).text)
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)


def test_a_mismatch_names_neither_field(look: Opener) -> None:
    page = look("/sign-in?error=auth.mismatch")
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)


def test_an_unknown_code_is_a_general_sentence_and_never_itself(look: Opener) -> None:
    page = look("/sign-in?error=%3Cb%3Eboo%3C/b%3E")
    expect(page.get_by_role("alert")).to_contain_text("That did not work.")
    expect(page.locator("body")).not_to_contain_text("boo")


def test_the_mail_typed_before_an_error_is_still_there(
    pages: Pages, person: Callable[..., BrowserContext]
) -> None:
    context = person()
    cookie = {"name": "__Host-tp_email", "value": "ada@example.com", "url": "https://localhost"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{pages.url}/sign-up?error=auth.password_short")
    expect(page.get_by_label("E-mail")).to_have_value("ada@example.com")
    expect(page.get_by_label("Password")).to_have_value("")


def test_sign_up_carries_the_choice_and_asks_before_agreeing(look: Opener) -> None:
    page = look("/sign-up?item=pro:year")
    form = page.locator("form.tp-form")
    expect(page.locator(".tp-choice")).to_contain_text("Pro, $499.99 a year")
    assert value_of(form, "item") == "pro:year"
    assert len(value_of(form, "request_id")) == 36
    assert form.get_attribute("method") == "post"
    assert str(form.get_attribute("action")).endswith("/auth/register")
    terms = page.get_by_role("checkbox")
    expect(terms).not_to_be_checked()
    expect(terms).to_have_attribute("required", "")
    expect(page.get_by_role("link", name="terms", exact=True)).to_have_attribute("href", "/terms")


def test_an_item_we_do_not_sell_is_not_shown_as_a_choice(look: Opener) -> None:
    page = look("/sign-up?item=%3Cimg%20src=x%3E")
    expect(page.locator(".tp-choice")).to_have_count(0)


def test_the_keyboard_goes_through_sign_up_in_reading_order(look: Opener) -> None:
    page = look("/sign-up")
    page.get_by_label("E-mail").focus()
    seen = []
    for _ in range(5):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert seen == ["password", "terms", "terms", "privacy notice", "Create account"]


def test_every_purchase_is_a_native_form_with_an_id_of_its_own(look: Opener) -> None:
    page = look("/", who="free")
    forms = page.locator("form[action$='/billing/checkout']")
    expect(forms).to_have_count(6)
    items = [value_of(form, "item") for form in forms.all()]
    ids = [value_of(form, "request_id") for form in forms.all()]
    plans = ["starter:month", "pro:month", "enterprise:month"]
    assert items == [*plans, "pack:10", "pack:50", "pack:200"]
    assert len(set(ids)) == 6


def test_a_rerun_keeps_the_ids_and_the_url_keeps_the_period(look: Opener) -> None:
    page = look("/", who="free")
    pack = page.locator(".tp-pack form").first
    before = value_of(pack, "request_id")
    page.get_by_role("radio", name="Yearly").click()
    starter = page.locator(".tp-plan form input[name=item]").first
    expect(starter).to_have_value("starter:year")
    assert "cycle=Yearly" in page.url
    assert value_of(pack, "request_id") == before
    expect(page.locator("#plans + span")).to_contain_text("save 16 %")


def test_a_subscriber_sees_the_own_plan_and_no_second_one_to_buy(look: Opener) -> None:
    page = look("/", who="starter")
    own = page.get_by_role("region", name="Starter plan")
    expect(own).to_contain_text("Your plan")
    expect(own).to_contain_text("Renews")
    expect(page.locator(".tp-plan form")).to_have_count(0)
    expect(page.locator(".tp-pack form")).to_have_count(3)


def value_of(form: Locator, name: str) -> str:
    return form.locator(f"input[name={name}]").input_value()
