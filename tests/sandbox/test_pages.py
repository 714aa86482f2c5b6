"""The hosted page: its words, its headers, and each card's own answer."""

import pytest
import requests

from stripe_sandbox.behaviours import BEHAVIOURS
from stripe_sandbox.cards import CARDS
from tests.sandbox.running import Process, Shop

_DECLINES = {
    "4000 0000 0000 0002": ("Your bank declined this card.", "card_declined", "generic_decline"),
    "4000 0000 0000 9995": (
        "There is not enough money on this card.",
        "card_declined",
        "insufficient_funds",
    ),
    "4000 0000 0000 0069": ("This card has expired.", "expired_card", None),
    "4000 0000 0000 0127": ("The security code is not right.", "incorrect_cvc", None),
    "4000 0000 0000 0119": (
        "The bank could not process this card just now.",
        "processing_error",
        None,
    ),
    "4000 0000 0000 0341": (
        "This card can be saved but not charged.",
        "card_declined",
        "generic_decline",
    ),
}
_PAYING = [
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "4000000760000002",
    "4000003560000008",
    "4000002760000016",
    "4000000356000002",
    "4000000276000002",
]


@pytest.mark.parametrize("card", _DECLINES)
def test_a_declining_card_has_its_own_words_and_leaves_the_session_open(
    shop: Shop, card: str
) -> None:
    words, code, decline_code = _DECLINES[card]
    session = shop.checkout_pack(customer=shop.customer())
    answer = shop.pay(session, card)
    assert answer.status_code == 402
    assert f"<strong>{words}</strong>" in answer.text
    assert "Nothing was charged." in answer.text
    assert f'value="{card}"' in answer.text
    assert 'value="Ada Lovelace"' in answer.text
    assert shop.reread(session).status == "open"
    failed = shop.client.v1.events.list(
        params={"type": "payment_intent.payment_failed", "limit": 1}
    ).data[0]
    error = failed.data.object["last_payment_error"]
    assert error["code"] == code
    assert getattr(error, "decline_code", None) == decline_code
    assert shop.pay(session).status_code == 303


@pytest.mark.parametrize("card", _PAYING)
def test_a_card_that_pays_pays_and_its_number_is_not_kept(shop: Shop, card: str) -> None:
    session = shop.checkout_pack()
    assert shop.pay(session, card).status_code == 303
    files = [shop.sandbox.store, shop.sandbox.store.with_name("sandbox.sqlite-wal")]
    kept = b"".join(path.read_bytes() for path in files if path.exists())
    assert card.encode() not in kept


def test_every_country_card_is_from_its_country(shop: Shop) -> None:
    for card, country in (("4000000760000002", "BR"), ("4000000276000002", "DE")):
        session = shop.checkout_pack()
        shop.pay(session, card)
        paid = shop.reread(session, "payment_intent.payment_method")
        assert paid.payment_intent.payment_method.card.country == country


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"number": ""}, "number"),
        ({"number": "4242 4242 4242 4241"}, "number"),
        ({"expiry": "13 / 34"}, "expiry"),
        ({"expiry": "01 / 20"}, "expiry"),
        ({"expiry": "soon"}, "expiry"),
        ({"cvc": "12"}, "cvc"),
        ({"name": ""}, "name"),
        ({"email": "nobody"}, "email"),
    ],
)
def test_a_wrong_field_is_named_beside_itself_and_nothing_is_tried(
    shop: Shop, fields: dict[str, str], wrong: str
) -> None:
    session = shop.checkout_pack()
    answer = shop.pay(session, **{"card": fields.pop("number", "4242424242424242"), **fields})
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 1
    assert f'id="{wrong}-error" role="alert"' in answer.text
    assert shop.reread(session).payment_intent is None


def test_a_card_that_is_no_test_card_is_refused_without_being_tried(shop: Shop) -> None:
    session = shop.checkout_pack()
    answer = shop.pay(session, "4111 1111 1111 1111")
    assert answer.status_code == 402
    assert "This is not a test card." in answer.text
    assert "Never type a real card number into a sandbox." in answer.text


@pytest.mark.parametrize("card", ["4000002500003155", "4000000000003220"])
def test_a_bank_that_asks_is_answered_on_its_page(shop: Shop, card: str) -> None:
    session = shop.checkout(customer=shop.customer())
    asked = shop.pay(session, card)
    assert asked.status_code == 303
    bank = asked.headers["Location"]
    assert "/c/confirm/pi_" in bank
    page = requests.get(bank, timeout=5)
    assert "Confirm payment" in page.text
    failed = requests.post(bank, {"answer": "fail"}, timeout=5)
    assert "You did not confirm this payment with your bank." in failed.text
    assert shop.reread(session).status == "open"
    bank = shop.pay(session, card).headers["Location"]
    paid = requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=5)
    assert paid.headers["Location"].endswith(session.id)
    assert shop.reread(session).payment_status == "paid"


def test_the_page_says_that_it_is_a_sandbox_and_what_will_be_charged(shop: Shop) -> None:
    session = shop.checkout()
    page = requests.get(session.url, timeout=5).text
    assert "Sandbox. This page stands in for Stripe; no real money moves." in page
    assert "Pay $19.99</button>" in page
    assert "Then $19.99 a month, from this card, until you cancel." in page
    assert 'href="http://localhost:1/cancel"' in page
    assert "Example Shop" in page
    for autocomplete in ("cc-number", "cc-exp", "cc-csc", "cc-name", "email"):
        assert f'autocomplete="{autocomplete}"' in page


def test_every_page_has_strict_headers_and_no_script(shop: Shop) -> None:
    answer = requests.get(shop.checkout().url, timeout=5)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text


def test_what_a_merchant_or_payer_wrote_is_shown_as_text(shop: Shop) -> None:
    line = {
        "price_data": {
            "currency": "usd",
            "unit_amount": 100,
            "product_data": {"name": "<b>bold</b>"},
        },
        "quantity": 1,
    }
    session = shop.checkout_pack(line_items=[line])
    answer = shop.pay(session, "4000000000000002", name='"><img src=x>')
    assert "<b>bold" not in answer.text
    assert "<img" not in answer.text


def test_a_paid_session_says_so_instead_of_asking_again(shop: Shop) -> None:
    session = shop.checkout_pack()
    url = session.url
    shop.pay(session)
    page = requests.get(url, timeout=5)
    assert page.status_code == 200
    assert "This is already paid" in page.text
    assert f"session_id={session.id}" in page.text


def test_an_unknown_session_invoice_or_payment_has_a_page_that_says_so(sandbox: Process) -> None:
    for path in ("/c/pay/cs_test_x", "/i/in_x", "/i/in_x/pdf", "/c/confirm/pi_x"):
        answer = requests.get(f"{sandbox.base}{path}", timeout=5)
        assert answer.status_code == 404, path
        assert "There is no such" in answer.text


def test_a_required_address_is_asked_for_and_kept(shop: Shop) -> None:
    session = shop.checkout_pack(billing_address_collection="required")
    assert shop.pay(session).status_code == 422
    assert shop.pay(session, country="de", postal_code="10115").status_code == 303
    address = shop.reread(session).customer_details.address
    assert (address.country, address.postal_code) == ("DE", "10115")


def test_each_refusal_has_words_of_its_own() -> None:
    titles = [refusal.title for refusal in {b.refusal for b in BEHAVIOURS.values()} if refusal]
    assert len(set(titles)) == len(titles)
    assert all(card.behaviour in BEHAVIOURS for card in CARDS)
