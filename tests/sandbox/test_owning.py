"""Nobody pays another sum than was said, and nobody pays twice: what attackers tried."""

import time
from typing import Any

import pytest
import requests

from stripe_sandbox.retention import Limits
from tests.sandbox.payer import Payer
from tests.sandbox.running import Shop

ASKS = "4000 0027 6000 3184"
BACK = "http://localhost:1/back"


def _unpaid_plan(shop: Shop, card: str = "pm_card_visa") -> tuple[str, str, str]:
    """The first invoice of a plan, its PaymentIntent, and a card of its customer."""
    v1 = shop.client.v1
    customer = shop.customer()
    method = v1.payment_methods.attach(card, params={"customer": customer}).id
    made = v1.subscriptions.create(
        params={
            "customer": customer,
            "items": [{"price": shop.plan}],
            "payment_behavior": "default_incomplete",
            "expand": ["latest_invoice.payments"],
        }
    )
    invoice: Any = made.latest_invoice
    return invoice.id, invoice.payments.data[0].payment.payment_intent, method


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 50},
        {"currency": "eur"},
        {"capture_method": "manual"},
        {"payment_method_options": {"card": {"capture_method": "manual"}}},
    ],
)
def test_an_invoice_says_what_its_payment_takes(
    shop: Shop, payer: Payer, change: dict[str, Any]
) -> None:
    invoice, intent, method = _unpaid_plan(shop)
    error = payer.refused(payer.v1.payment_intents.update, intent, params=change)
    assert "belongs to an invoice" in str(error)
    payer.v1.payment_intents.confirm(intent, params={"payment_method": method})
    assert payer.v1.invoices.retrieve(invoice).amount_paid == 1999
    assert payer.v1.payment_intents.retrieve(intent).amount_received == 1999


def test_the_payment_of_an_open_checkout_is_its_pages_alone(shop: Shop, payer: Payer) -> None:
    session = shop.checkout_pack()
    bank = shop.pay(session, ASKS).headers["Location"]
    intent = bank.rpartition("/")[2]
    intents = payer.v1.payment_intents
    for verb, params in (
        (intents.update, {"amount": 50}),
        (intents.update, {"payment_method": "pm_card_visa"}),
        (intents.confirm, {"payment_method": "pm_card_visa"}),
        (intents.cancel, {}),
    ):
        assert "created by the Checkout Session" in str(payer.refused(verb, intent, params=params))
    intents.update(intent, params={"metadata": {"order": "7"}})
    requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=10)
    paid = intents.retrieve(intent)
    assert (paid.status, paid.amount_received) == ("succeeded", 990)
    assert shop.reread(session).payment_status == "paid"


def test_the_card_of_an_open_checkout_is_its_pages_alone(shop: Shop, payer: Payer) -> None:
    params: Any = {"mode": "setup", "currency": "usd", "success_url": BACK}
    session = payer.v1.checkout.sessions.create(params=params)
    bank = shop.pay(session, ASKS).headers["Location"]
    intent = bank.rpartition("/")[2]
    intents = payer.v1.setup_intents
    for verb, change in (
        (intents.update, {"payment_method": "pm_card_visa"}),
        (intents.confirm, {"payment_method": "pm_card_visa"}),
        (intents.cancel, {}),
    ):
        refused = payer.refused(verb, intent, params=change)
        assert "created by the Checkout Session" in str(refused)
    intents.update(intent, params={"metadata": {"order": "7"}})
    requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=10)
    assert intents.retrieve(intent).status == "succeeded"
    assert shop.reread(session).status == "complete"


def test_a_canceled_payment_stays_canceled_when_its_invoice_is_tried_again(
    shop: Shop, payer: Payer
) -> None:
    invoice, intent, method = _unpaid_plan(shop)
    payer.v1.payment_intents.cancel(intent)
    paid = payer.v1.invoices.pay(invoice, params={"payment_method": method})
    assert paid.status == "paid"
    assert payer.v1.payment_intents.retrieve(intent).status == "canceled"
    rows = payer.v1.invoice_payments.list(params={"invoice": invoice}).data
    assert sorted(row.status for row in rows) == ["canceled", "paid"]


def test_what_is_paid_outside_is_not_charged_by_the_bank_that_is_still_asked(
    shop: Shop, payer: Payer
) -> None:
    invoice, intent, method = _unpaid_plan(shop, "pm_card_threeDSecure2Required")
    asked = payer.v1.payment_intents.confirm(
        intent, params={"payment_method": method, "return_url": BACK}
    )
    payer.v1.invoices.pay(invoice, params={"paid_out_of_band": True})
    payer.answer(asked, "approve")
    left = payer.v1.payment_intents.retrieve(intent)
    assert (left.status, left.amount_received) == ("canceled", 0)


def test_an_invoice_whose_debit_is_under_way_is_neither_void_nor_paid_outside(
    shop: Shop, payer: Payer
) -> None:
    v1 = payer.v1
    customer = shop.customer()
    v1.invoice_items.create(params={"customer": customer, "amount": 700, "currency": "usd"})
    invoice = v1.invoices.create(
        params={"customer": customer, "pending_invoice_items_behavior": "include"}
    ).id
    v1.invoices.finalize_invoice(invoice)
    paid = v1.invoices.pay(invoice, params={"payment_method": "pm_usBankAccount_success"})
    assert paid.status == "open"
    for verb, asked in (
        (v1.invoices.void_invoice, {}),
        (v1.invoices.pay, {"paid_out_of_band": True}),
    ):
        assert "being processed" in str(payer.refused(verb, invoice, params=asked))


def test_the_session_of_a_customer_who_is_gone_has_expired(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer=customer)
    bank = shop.pay(session, ASKS).headers["Location"]
    shop.client.v1.customers.delete(customer)
    assert shop.reread(session).status == "expired"
    assert shop.pay(session).status_code == 410
    requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=10)
    intent = shop.client.v1.payment_intents.retrieve(bank.rpartition("/")[2])
    assert (intent.status, intent.amount_received) == ("canceled", 0)


def test_the_sessions_of_a_deleted_test_clock_have_expired(shop: Shop) -> None:
    v1 = shop.client.v1
    clock = v1.test_helpers.test_clocks.create(params={"frozen_time": 1790000000})
    customer = v1.customers.create(params={"test_clock": clock.id})
    session = shop.checkout(customer=customer.id)
    v1.test_helpers.test_clocks.delete(clock.id)
    assert shop.pay(session).status_code == 410


def test_the_last_redemption_goes_to_the_first_who_pays(shop: Shop) -> None:
    v1 = shop.client.v1
    coupon = v1.coupons.create(
        params={"percent_off": 50, "duration": "once", "max_redemptions": 1}
    ).id
    first, second, third = (shop.checkout_pack(discounts=[{"coupon": coupon}]) for _ in range(3))
    assert shop.pay(first, shown="495").status_code == 303
    late = shop.pay(second, shown="495")
    assert late.status_code == 409
    assert "The total is now $9.90." in late.text
    assert shop.pay(second, shown="990").status_code == 303
    sums = [shop.reread(session).amount_total for session in (first, second)]
    assert sums == [495, 990]
    assert v1.coupons.retrieve(coupon).times_redeemed == 1
    confirm = {"payment_method": "pm_card_visa"}
    answer = shop.sandbox.post(f"/v1/payment_pages/{third.id}/confirm", confirm)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "coupon_expired")


def test_a_dispute_takes_only_what_was_not_given_back(payer: Payer) -> None:
    paid = payer.pay()
    payer.v1.refunds.create(params={"payment_intent": paid.id, "amount": 1500})
    payer.desk(f"charges/{paid.latest_charge.id}/complain", kind="fraudulent")
    (dispute,) = payer.v1.disputes.list(params={"payment_intent": paid.id}).data
    assert dispute.amount == 500
    whole = payer.pay()
    payer.v1.refunds.create(params={"payment_intent": whole.id})
    refused = payer.desk(f"charges/{whole.latest_charge.id}/complain", kind="fraudulent")
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "address",
    ["http://", "http://[", "http://localhost:99999999/", "http://x/\r\nA: b", "http://a b/"],
)
def test_an_address_no_browser_could_go_to_is_refused(shop: Shop, address: str) -> None:
    given = {"mode": "payment", "success_url": address}
    line = {"line_items[0][price]": shop.pack, "line_items[0][quantity]": "1"}
    answer = shop.sandbox.post("/v1/checkout/sessions", {**given, **line})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "url_invalid")


def test_an_expired_checkout_is_kept_for_as_long_as_it_may_be_opened_again(shop: Shop) -> None:
    before = int(time.time())
    session = shop.checkout_pack(after_expiration={"recovery": {"enabled": True}})
    expired = shop.client.v1.checkout.sessions.expire(session.id)
    left: Any = expired.after_expiration
    # It might as well have expired by itself, a day after it was made.
    latest = left.recovery.expires_at + session.expires_at - session.created
    assert latest - before <= Limits().abandoned_seconds + int(time.time()) - before


def test_who_comes_back_from_the_bank_to_another_sum_is_not_charged(shop: Shop) -> None:
    v1 = shop.client.v1
    home: Any = {"country": "DE", "postal_code": "10115"}
    customer = v1.customers.create(params={"email": "a@example.com", "address": home}).id
    session = shop.checkout(customer=customer, automatic_tax={"enabled": True})
    bank = shop.pay(session, ASKS).headers["Location"]
    v1.customers.update(customer, params={"tax_exempt": "exempt"})
    back = requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=10)
    assert back.headers["Location"] == f"{session.url}?refused=1"
    assert "$19.99" in requests.get(back.headers["Location"], timeout=5).text
    assert shop.pay(session, shown="1999").status_code == 303
    assert (shop.reread(session).amount_total, shop.reread(session).status) == (1999, "complete")


def test_a_card_that_became_anothers_at_the_bank_is_not_charged(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    bank = shop.pay(session, ASKS).headers["Location"]
    v1 = shop.client.v1
    card = v1.payment_intents.retrieve(bank.rpartition("/")[2]).payment_method
    v1.payment_methods.attach(str(card), params={"customer": shop.customer()})
    back = requests.post(bank, {"answer": "approve"}, allow_redirects=False, timeout=10)
    assert back.status_code == 303
    assert shop.reread(session).status == "open"
