"""Checkout: what the page shows is what is charged, and what the invoice says, to the cent."""

import re
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.running import Shop

BERLIN = {"country": "DE", "postal_code": "10115"}


def shown(page: requests.Response) -> str:
    """The sum that stands large on the page."""
    found = re.search(r'class="sum">([^<]+?) <', page.text)
    assert found, page.text
    return found.group(1)


def press(session: Any, **fields: str) -> requests.Response:
    """A button of the page that is not the main one."""
    return requests.post(session.url, fields, allow_redirects=False, timeout=10)


def code_for(shop: Shop, *, coupon: dict[str, Any], **code: Any) -> str:
    """A promotion code for a new coupon."""
    v1 = shop.client.v1
    offer: Any = coupon
    wanted: Any = {
        "promotion": {"type": "coupon", "coupon": v1.coupons.create(params=offer).id},
        **code,
    }
    return str(v1.promotion_codes.create(params=wanted).code)


def told(page: requests.Response, field: str) -> str:
    """The sentence beside a wrong field."""
    found = re.search(rf'id="{field}-error" role="alert">([^<]+)<', page.text)
    return found.group(1) if found else ""


def _agrees(shop: Shop, session: Any) -> Any:
    """The completed session, after its sums were held against the invoice and its lines."""
    done = shop.reread(
        session, "invoice", "line_items.data.taxes", "total_details.breakdown", "payment_intent"
    )
    invoice, lines = done.invoice, done.line_items.data
    taxes = sum(tax.amount for tax in invoice.total_taxes)
    off = sum(part.amount for part in invoice.total_discount_amounts)
    assert done.amount_subtotal == invoice.subtotal == sum(line.amount_subtotal for line in lines)
    assert done.amount_total == invoice.total == sum(line.amount_total for line in lines)
    assert done.total_details.amount_tax == taxes == sum(line.amount_tax for line in lines)
    assert done.total_details.amount_discount == off
    assert off == sum(line.amount_discount for line in lines)
    assert taxes == sum(tax.amount for line in lines for tax in line.taxes)
    assert taxes == sum(tax.amount for tax in done.total_details.breakdown.taxes)
    assert invoice.amount_paid == done.amount_total
    return done


def test_a_code_is_taken_on_the_page_and_taken_back(shop: Shop) -> None:
    code = code_for(shop, coupon={"percent_off": 20, "duration": "once"}, code="SPRING")
    session = shop.checkout(customer=shop.customer(), allow_promotion_codes=True)
    page = press(session, do="apply", code=code.lower())
    assert (page.status_code, shown(page)) == (200, "$15.99")
    assert "Code SPRING, 20 % off" in page.text
    assert "-$4.00" in page.text
    assert "Then $19.99 a month, from this card, until you cancel." in page.text
    assert shown(press(session, do="remove_code")) == "$19.99"
    press(session, do="apply", code=code)
    assert shop.pay(session).status_code == 303
    done = _agrees(shop, session)
    assert (done.amount_total, done.payment_status) == (1599, "paid")
    assert done.discounts[0].promotion_code
    used = shop.client.v1.promotion_codes.retrieve(done.discounts[0].promotion_code)
    assert used.times_redeemed == 1


def test_a_code_that_was_only_typed_changes_the_total_and_charges_nothing(shop: Shop) -> None:
    code = code_for(shop, coupon={"percent_off": 20, "duration": "forever"})
    session = shop.checkout(customer=shop.customer(), allow_promotion_codes=True)
    page = shop.pay(session, code=code, shown="1999")
    assert page.status_code == 409
    assert "The total is now $15.99." in page.text
    assert shop.reread(session).status == "open"
    assert shop.pay(session, shown="1599").status_code == 303
    assert _agrees(shop, session).amount_total == 1599


@pytest.mark.parametrize(
    ("coupon", "code", "sentence"),
    [
        (None, {}, "We do not know the code “CODE”. Check how it is written."),
        ({"percent_off": 5}, {"active": False}, "The code “CODE” has expired."),
        ({"percent_off": 5, "applies_to": {"products": ["other"]}}, {}, "is not for this plan."),
        (
            {"percent_off": 5},
            {"restrictions": {"minimum_amount": 5000, "minimum_amount_currency": "usd"}},
            "is for orders of $50.00 or more.",
        ),
        (
            {"percent_off": 5},
            {"restrictions": {"first_time_transaction": True}},
            "is for a first purchase only.",
        ),
        ({"amount_off": 500, "currency": "eur"}, {}, "is not for prices in USD."),
        ({"amount_off": 1980, "currency": "usd"}, {}, "the total is below $0.50"),
    ],
)
def test_a_code_that_cannot_be_used_has_its_own_sentence(
    shop: Shop, coupon: dict[str, Any] | None, code: dict[str, Any], sentence: str
) -> None:
    customer = shop.customer()
    shop.pay(shop.checkout_pack(customer=customer))
    name = "NOBODY"
    if coupon is not None:
        if "applies_to" in coupon:
            other = shop.client.v1.products.create(params={"name": "Other"}).id
            coupon = {**coupon, "applies_to": {"products": [other]}}
        name = code_for(shop, coupon=coupon, **code)
    session = shop.checkout(customer=customer, allow_promotion_codes=True)
    page = press(session, do="apply", code=name)
    assert page.status_code == 422
    assert sentence.replace("CODE", name) in told(page, "code")
    assert shown(page) == "$19.99"


def test_a_code_used_up_says_so(shop: Shop) -> None:
    code = code_for(shop, coupon={"percent_off": 5}, max_redemptions=1)
    for _ in range(2):
        session = shop.checkout_pack(allow_promotion_codes=True)
        page = press(session, do="apply", code=code)
        shop.pay(session)
    assert told(page, "code") == f"The code “{code}” has been used as often as it may be."


def test_the_tax_of_the_typed_address_is_shown_before_it_is_paid(shop: Shop) -> None:
    session = shop.checkout(automatic_tax={"enabled": True})
    assert (session.amount_total, session.automatic_tax.status) == (
        1999,
        "requires_location_inputs",
    )
    page = requests.get(session.url, timeout=5)
    assert "Show total with tax</button>" in page.text
    assert "today, before tax" in page.text
    page = press(session, do="update", **BERLIN)
    assert (page.status_code, shown(page)) == (200, "$23.79")
    assert "VAT 19 %, DE" in page.text
    assert "Pay $23.79</button>" in page.text
    assert shop.pay(session, shown="2379", **BERLIN).status_code == 303
    done = _agrees(shop, session)
    assert (done.amount_total, done.total_details.amount_tax) == (2379, 380)
    assert done.automatic_tax.status == "complete"
    assert done.payment_intent is None
    customer = shop.client.v1.customers.retrieve(done.customer)
    assert customer.address is not None
    assert customer.address.country == "DE"


def test_another_address_than_the_one_shown_changes_the_total_and_charges_nothing(
    shop: Shop,
) -> None:
    session = shop.checkout_pack(
        automatic_tax={"enabled": True}, invoice_creation={"enabled": True}
    )
    press(session, do="update", **BERLIN)
    page = shop.pay(session, shown="1178", country="US", postal_code="10001")
    assert page.status_code == 409
    assert "The total is now $10.78." in page.text
    assert shop.reread(session).payment_status == "unpaid"
    assert shop.pay(session, shown="1078", country="US", postal_code="10001").status_code == 303
    assert _agrees(shop, session).amount_total == 1078


def test_a_place_the_table_does_not_know_is_asked_for_again(shop: Shop) -> None:
    session = shop.checkout_pack(automatic_tax={"enabled": True})
    page = press(session, do="update", country="US", postal_code="0")
    assert told(page, "postal_code") == "We do not know this place. Check country and postal code."
    assert told(press(session, do="update"), "country").startswith("Type the two letters")


def test_a_customers_own_address_decides_the_tax_unless_it_may_be_changed(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = v1.customers.create(
        params={"email": "ada@example.com", "address": {"country": "GB", "postal_code": "SW1Y"}}
    ).id
    fixed = shop.checkout_pack(customer=customer, automatic_tax={"enabled": True})
    assert (fixed.amount_total, fixed.total_details.amount_tax) == (1188, 198)
    assert 'name="country"' not in requests.get(fixed.url, timeout=5).text
    assert shop.pay(fixed).status_code == 303
    moving = shop.checkout_pack(
        customer=customer, automatic_tax={"enabled": True}, customer_update={"address": "auto"}
    )
    assert shop.pay(moving, **BERLIN).status_code == 409
    assert shop.pay(moving, **BERLIN).status_code == 303
    assert shop.reread(moving).amount_total == 1178
    with pytest.raises(stripe.InvalidRequestError, match="valid address on the Customer"):
        shop.checkout(customer=shop.customer(), automatic_tax={"enabled": True})


def test_rates_by_hand_and_a_sum_off_come_out_as_on_the_invoice(shop: Shop) -> None:
    v1 = shop.client.v1
    on_top = v1.tax_rates.create(
        params={"display_name": "VAT", "percentage": 7.25, "inclusive": False}
    ).id
    inside = v1.tax_rates.create(
        params={"display_name": "GST", "percentage": 10, "inclusive": True}
    ).id
    coupon = v1.coupons.create(params={"amount_off": 1000, "currency": "usd", "duration": "once"})
    session = shop.checkout(
        customer=shop.customer(),
        discounts=[{"coupon": coupon.id}],
        line_items=[
            {"price": shop.pack, "quantity": 3, "tax_rates": [inside]},
            {"price": shop.plan, "quantity": 1},
        ],
        subscription_data={"default_tax_rates": [on_top]},
    )
    # 19.99 + 29.70 = 49.69; 10.00 off: 4.02 of the plan, 5.98 of the packs.
    # On 15.97 there are 7.25 % on top, 1.16; in 23.72 there are 10 % inside, 2.16.
    assert (session.amount_subtotal, session.amount_total) == (4969, 4085)
    assert session.total_details.amount_tax == 116 + 216
    assert shop.pay(session).status_code == 303
    _agrees(shop, session)


def test_an_odd_cent_off_falls_on_the_same_line_as_on_the_invoice(shop: Shop) -> None:
    v1 = shop.client.v1
    plan = v1.prices.create(
        params={
            "currency": "usd",
            "unit_amount": 990,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Small"},
        }
    ).id
    coupon = v1.coupons.create(params={"amount_off": 101, "currency": "usd", "duration": "once"})
    session = shop.checkout(
        customer=shop.customer(),
        discounts=[{"coupon": coupon.id}],
        line_items=[{"price": shop.pack, "quantity": 1}, {"price": plan, "quantity": 1}],
    )
    shop.pay(session)
    done = _agrees(shop, session)
    off = {line.price.id: line.amount_discount for line in done.line_items.data}
    billed = {
        line.pricing.price_details.price: line.discount_amounts[0].amount
        for line in done.invoice.lines.data
    }
    # An invoice has its plan first, and the first of equal lines bears the odd cent.
    assert off == billed == {plan: 51, shop.pack: 50}


def test_the_payer_may_change_the_quantity_within_its_bounds(shop: Shop) -> None:
    line = {
        "price": shop.pack,
        "quantity": 2,
        "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 5},
    }
    session = shop.checkout_pack(line_items=[line], invoice_creation={"enabled": True})
    item = shop.reread(session, "line_items").line_items.data[0]
    assert item.adjustable_quantity.maximum == 5
    field = f"quantity_{item.id}"
    assert told(press(session, do="update", **{field: "6"}), field) == "Type a number from 1 to 5."
    assert shown(press(session, do="update", **{field: "3"})) == "$29.70"
    assert shop.pay(session).status_code == 303
    assert _agrees(shop, session).amount_total == 2970


def test_credit_and_what_waits_for_the_customer_do_not_change_what_the_page_showed(
    shop: Shop,
) -> None:
    v1 = shop.client.v1
    customer = v1.customers.create(params={"email": "ada@example.com", "balance": -500}).id
    v1.invoice_items.create(params={"customer": customer, "amount": 700, "currency": "usd"})
    session = shop.checkout(customer=customer)
    assert shop.pay(session).status_code == 303
    done = _agrees(shop, session)
    assert (done.amount_total, done.invoice.starting_balance, done.invoice.ending_balance) == (
        1999,
        -500,
        -500,
    )


def test_a_total_below_the_least_charge_is_refused(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create(params={"amount_off": 950, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="at least") as caught:
        shop.checkout_pack(discounts=[{"coupon": coupon.id}])
    assert caught.value.code == "amount_too_small"


def test_a_bank_that_was_asked_about_the_former_sum_is_not_heard(shop: Shop) -> None:
    code = code_for(shop, coupon={"percent_off": 50})
    session = shop.checkout_pack(allow_promotion_codes=True)
    bank = shop.pay(session, "4000000000003220").headers["Location"]
    press(session, do="apply", code=code)
    requests.post(bank, {"answer": "approve"}, timeout=5)
    assert shop.reread(session).payment_status == "unpaid"
    assert shop.pay(session).status_code == 303
    assert shop.reread(session, "payment_intent").payment_intent.amount_received == 495
