"""Checkout: what the page asks a payer for, and where the answers go."""

import re
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.running import Shop
from tests.sandbox.test_checkout_sums import told


def _offered(session: Any) -> list[str]:
    """The saved methods the page offers."""
    page = requests.get(session.url, timeout=5).text
    return re.findall(r'name="saved" value="(pm_\w+)"', page)


def test_phone_business_and_tax_id_arrive_on_the_session_and_the_customer(shop: Shop) -> None:
    session = shop.checkout(
        phone_number_collection={"enabled": True}, tax_id_collection={"enabled": True}
    )
    assert told(shop.pay(session), "phone").startswith("Type your phone number")
    wrong = {"phone": "+49 30 123456", "tax_id_type": "eu_vat", "tax_id": "nonsense"}
    assert told(shop.pay(session, **wrong), "tax_id").startswith("This is not how a tax ID")
    typed = {**wrong, "tax_id": "DE123456789", "business_name": "Lovelace GmbH"}
    assert shop.pay(session, **typed).status_code == 303
    done = shop.reread(session, "customer.tax_ids")
    details = done.customer_details
    assert (details.phone, details.business_name) == ("+49 30 123456", "Lovelace GmbH")
    assert [tax_id.to_dict() for tax_id in details.tax_ids] == [
        {"type": "eu_vat", "value": "DE123456789"}
    ]
    assert done.customer.phone == "+49 30 123456"
    assert done.customer.tax_ids.data[0].value == "DE123456789"


def test_a_tax_id_may_be_required_where_businesses_have_one(shop: Shop) -> None:
    session = shop.checkout_pack(
        tax_id_collection={"enabled": True, "required": "if_supported"},
        billing_address_collection="required",
    )
    there = {"country": "DE", "postal_code": "10115"}
    assert told(shop.pay(session, **there), "tax_id") == "Type the tax ID of your business."
    assert shop.pay(session, country="AQ", postal_code="1").status_code == 303


def test_the_terms_have_to_be_agreed_to_and_news_do_not(shop: Shop) -> None:
    session = shop.checkout_pack(
        consent_collection={"terms_of_service": "required", "promotions": "auto"},
        custom_text={
            "terms_of_service_acceptance": {"message": "I have read the small print."},
            "submit": {"message": "You can cancel any day."},
            "after_submit": {"message": "We write to you at once."},
        },
    )
    page = shop.pay(session)
    assert told(page, "terms") == "Agree to go on."
    for words in ("I have read the small print.", "You can cancel any day.", "We write to you"):
        assert words in page.text
    assert shop.pay(session, terms="yes").status_code == 303
    assert shop.reread(session).consent.to_dict() == {
        "promotions": "opt_out",
        "terms_of_service": "accepted",
    }


def test_a_required_address_is_whole_if_the_payer_types_it(shop: Shop) -> None:
    session = shop.checkout_pack(billing_address_collection="required")
    typed = {
        "country": "us",
        "postal_code": "94103",
        "line1": "510 Townsend St",
        "city": "San Francisco",
        "state": "CA",
    }
    shop.pay(session, **typed)
    address = shop.reread(session).customer_details.address.to_dict()
    assert address == {**typed, "country": "US", "line2": None}


def test_a_card_is_kept_if_the_payer_says_so_and_offered_the_next_time(shop: Shop) -> None:
    customer = shop.customer()
    options = {"payment_method_save": "enabled"}
    first = shop.checkout_pack(customer=customer, saved_payment_method_options=options)
    shop.pay(first)
    second = shop.checkout_pack(customer=customer, saved_payment_method_options=options)
    assert _offered(second) == []
    shop.pay(second, save_card="yes")
    third = shop.checkout_pack(customer=customer)
    (kept,) = _offered(third)
    answer = requests.post(
        third.url, {"email": "ada@example.com", "saved": kept}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 303
    paid = shop.reread(third, "payment_intent").payment_intent
    assert (paid.status, paid.payment_method) == ("succeeded", kept)


def test_a_plans_card_is_offered_only_where_the_merchant_asks_for_such(shop: Shop) -> None:
    customer = shop.customer()
    shop.pay(shop.checkout(customer=customer))
    assert _offered(shop.checkout_pack(customer=customer)) == []
    wider = {"allow_redisplay_filters": ["always", "limited"]}
    assert len(_offered(shop.checkout_pack(customer=customer, saved_payment_method_options=wider)))


def test_another_customers_card_cannot_be_picked(shop: Shop) -> None:
    options = {"payment_method_save": "enabled"}
    owner = shop.customer()
    shop.pay(
        shop.checkout_pack(customer=owner, saved_payment_method_options=options), save_card="yes"
    )
    theirs = shop.client.v1.payment_methods.list(params={"customer": owner}).data[0].id
    session = shop.checkout_pack(customer=shop.customer())
    typed = {"email": "ada@example.com", "saved": theirs}
    assert requests.post(session.url, typed, timeout=5).status_code == 422


@pytest.mark.parametrize(
    ("kind", "button"),
    [
        ("book", "Book for $9.90"),
        ("donate", "Donate $9.90"),
        ("pay", "Pay $9.90"),
        ("subscribe", "Subscribe for $9.90"),
    ],
)
def test_the_button_has_the_word_of_the_submit_type(shop: Shop, kind: str, button: str) -> None:
    session = shop.checkout_pack(submit_type=kind)
    assert f"{button}</button>" in requests.get(session.url, timeout=5).text


def test_an_invoice_of_an_order_has_what_the_merchant_wrote(shop: Shop) -> None:
    wanted = {
        "description": "As agreed.",
        "footer": "Thank you.",
        "custom_fields": [{"name": "Order", "value": "77"}],
        "metadata": {"order": "77"},
    }
    session = shop.checkout_pack(invoice_creation={"enabled": True, "invoice_data": wanted})
    shop.pay(session)
    done = shop.reread(session, "invoice")
    assert done.customer is not None
    assert done.invoice.to_dict().items() >= wanted.items()


def test_a_plans_settings_arrive_on_the_subscription(shop: Shop) -> None:
    wanted = {
        "description": "For the theatre",
        "metadata": {"seat": "12"},
        "invoice_settings": {"footer": "Thank you.", "description": "Box office"},
    }
    session = shop.checkout(subscription_data=wanted)
    shop.pay(session)
    done = shop.reread(session, "subscription", "invoice")
    assert done.subscription.description == "For the theatre"
    assert done.subscription.metadata.to_dict() == {"seat": "12"}
    assert (done.invoice.description, done.invoice.footer) == ("Box office", "Thank you.")


def test_a_held_sum_completes_the_session_and_is_paid_when_it_is_captured(shop: Shop) -> None:
    session = shop.checkout_pack(payment_intent_data={"capture_method": "manual"})
    assert session.payment_method_types == ["card"]
    shop.pay(session)
    held = shop.reread(session)
    assert (held.status, held.payment_status) == ("complete", "unpaid")
    shop.client.v1.payment_intents.capture(held.payment_intent)
    assert shop.reread(session).payment_status == "paid"
    assert shop.events_about(session.id) == ["checkout.session.completed"]


def test_an_expired_session_can_be_recovered_at_its_address(shop: Shop) -> None:
    recovery = {"recovery": {"enabled": True, "allow_promotion_codes": True}}
    session = shop.checkout_pack(after_expiration=recovery)
    expired = shop.client.v1.checkout.sessions.expire(session.id)
    assert expired.after_expiration is not None
    assert expired.after_expiration.recovery is not None
    address = str(expired.after_expiration.recovery.url)
    first, again = (requests.get(address, allow_redirects=False, timeout=5) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    found = shop.client.v1.checkout.sessions.retrieve(first.headers["Location"].split("/")[-1])
    assert (found.recovered_from, found.allow_promotion_codes) == (session.id, True)
    assert shop.pay(found).status_code == 303


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"customer_update": {"name": "auto"}}, "only be used with `customer`"),
        (
            {"discounts": [{"coupon": "c"}], "allow_promotion_codes": True},
            "allow_promotion_codes, discounts",
        ),
        ({"discounts": [{"coupon": "none"}]}, "No such coupon"),
        ({"customer_creation": "always"}, "can not pass `customer_creation`"),
        ({"locale": "tlh"}, "Invalid locale"),
        ({"shipping_options": [{"shipping_rate": "shr_1"}]}, "unknown parameter: shipping_options"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(
    shop: Shop, extra: dict[str, Any], message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.checkout(**extra)


def test_a_tax_id_needs_the_name_of_a_known_customer_to_be_changeable(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="requires updating business name"):
        shop.checkout(customer=shop.customer(), tax_id_collection={"enabled": True})
    session = shop.checkout(
        customer=shop.customer(),
        tax_id_collection={"enabled": True},
        customer_update={"name": "auto"},
    )
    assert session.tax_id_collection.required == "never"
