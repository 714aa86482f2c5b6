"""Checkout: from a session through the page to what was bought."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.running import Process, Receiver, Shop, eventually


def test_a_paid_pack_leaves_a_complete_session_and_its_events(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout_pack(
        customer=customer,
        client_reference_id="user-1",
        metadata={"item": "pack:10"},
        payment_intent_data={"metadata": {"order": "7"}},
    )
    assert (session.status, session.payment_status, session.payment_intent) == (
        "open",
        "unpaid",
        None,
    )
    answer = shop.pay(session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://localhost:1/success?session_id={session.id}"
    paid = shop.reread(session, "payment_intent", "line_items")
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.email == "ada@example.com"
    assert paid.payment_intent.metadata.to_dict() == {"order": "7"}
    assert paid.payment_intent.amount_received == 990
    assert paid.line_items.data[0].price.id == shop.pack
    about = shop.events_about(customer, paid.payment_intent.id, session.id)
    assert about == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_paid_subscription_leaves_every_object_in_the_shapes_of_this_version(
    shop: Shop,
) -> None:
    customer = shop.customer()
    session = shop.checkout(customer=customer, subscription_data={"metadata": {"plan": "starter"}})
    shop.pay(session)
    paid = shop.reread(session, "subscription", "invoice.payments")
    subscription, invoice = paid.subscription, paid.invoice
    item = subscription["items"].data[0]
    assert subscription.status == "active"
    assert subscription.metadata.to_dict() == {"plan": "starter"}
    assert item.current_period_end > item.current_period_start
    assert "current_period_end" not in subscription
    assert invoice.status == "paid"
    assert invoice.billing_reason == "subscription_create"
    for removed in ("paid", "payment_intent", "subscription", "charge", "tax"):
        assert removed not in invoice
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"plan": "starter"}
    line = invoice.lines.data[0]
    assert line.pricing.price_details.price == shop.plan
    assert line.parent.subscription_item_details.subscription_item == item.id
    assert line.period.end == item.current_period_end
    assert invoice.total_taxes == []
    assert invoice.status_transitions.paid_at
    assert invoice.number.endswith("-0001")
    payment = invoice.payments.data[0]
    assert (payment.status, payment.amount_paid) == ("paid", 1999)
    found = shop.client.v1.invoice_payments.list(
        params={
            "payment": {
                "type": "payment_intent",
                "payment_intent": payment.payment.payment_intent,
            }
        }
    ).data
    assert [entry.invoice for entry in found] == [invoice.id]
    by_invoice = shop.client.v1.invoice_payments.list(params={"invoice": invoice.id}).data
    assert [entry.id for entry in by_invoice] == [payment.id]


def test_a_paid_subscription_emits_what_stripe_emits(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer=customer)
    shop.pay(session)
    paid = shop.reread(session)
    seen = shop.events_about(customer, paid.invoice)
    assert seen == [
        "customer.created",
        "payment_intent.created",
        "payment_method.attached",
        "charge.succeeded",
        "payment_intent.succeeded",
        "customer.updated",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]


def test_a_subscription_without_a_customer_makes_one(shop: Shop) -> None:
    session = shop.checkout(customer_email="new@example.com")
    shop.pay(session, email="new@example.com")
    paid = shop.reread(session, "customer", "subscription.default_payment_method")
    assert paid.customer.email == "new@example.com"
    assert paid.subscription.default_payment_method.customer == paid.customer.id


def test_no_subscription_exists_before_the_payment(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer=customer)
    shop.pay(session, "4000 0000 0000 0002")
    everything: Any = {"customer": customer, "status": "all"}
    assert shop.client.v1.subscriptions.list(params=everything).data == []
    assert shop.client.v1.invoices.list(params={"customer": customer}).data == []
    shop.pay(session)
    assert len(shop.client.v1.subscriptions.list(params=everything).data) == 1


def test_pressing_pay_many_times_at_once_charges_once(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout_pack(customer=customer)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.pay(session), range(8)))
    assert {answer.headers.get("Location") for answer in answers} == {
        f"http://localhost:1/success?session_id={session.id}"
    }
    assert len(shop.client.v1.charges.list(params={"customer": customer}).data) == 1


def test_sessions_are_found_by_what_they_led_to(shop: Shop) -> None:
    customer = shop.customer()
    pack, plan = shop.checkout_pack(customer=customer), shop.checkout(customer=customer)
    shop.pay(pack)
    shop.pay(plan)
    listing = shop.client.v1.checkout.sessions.list
    intent = shop.reread(pack).payment_intent
    subscription = shop.reread(plan).subscription
    assert [s.id for s in listing(params={"payment_intent": intent}).data] == [pack.id]
    assert [s.id for s in listing(params={"subscription": subscription}).data] == [plan.id]
    assert {s.id for s in listing(params={"customer": customer}).data} == {pack.id, plan.id}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"mode": "payment"}, "passed a recurring price"),
        ({"line_items": []}, "line_items"),
        ({"payment_method_types": ["card"]}, "unknown parameter: payment_method_types"),
        ({"expires_at": 1}, "between 30 minutes and 24 hours"),
        ({"customer_email": "a@b.c", "customer": "cus_1"}, "only specify one of these"),
        ({"payment_intent_data": {"description": "x"}}, "can not pass `payment_intent_data`"),
        ({"ui_mode": "hosted"}, "must be one of hosted_page"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(
    shop: Shop, extra: dict[str, Any], message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        shop.checkout(**extra)


def test_a_session_with_an_inactive_price_or_a_quantity_of_none_is_refused(shop: Shop) -> None:
    price = shop.client.v1.prices.create(
        params={"currency": "usd", "unit_amount": 1, "product_data": {"name": "P"}, "active": False}
    )
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.checkout_pack(line_items=[{"price": price.id, "quantity": 1}])
    for quantity in (0, -1):
        with pytest.raises(stripe.InvalidRequestError):
            shop.checkout_pack(line_items=[{"price": shop.pack, "quantity": quantity}])


def test_an_expired_session_cannot_be_paid_and_says_so(shop: Shop) -> None:
    session = shop.checkout_pack()
    shop.pay(session, "4000 0000 0000 0002")
    expired = shop.client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    answer = shop.pay(session)
    assert answer.status_code == 410
    assert "This checkout has expired" in answer.text
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        shop.client.v1.checkout.sessions.expire(session.id)
    assert "checkout.session.expired" in shop.events_about(session.id)


def test_a_bank_debit_completes_unpaid_and_arrives_some_seconds_later(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    assert shop.pay(session, method="bank_arrives").status_code == 303
    promised = shop.reread(session)
    assert (promised.status, promised.payment_status) == ("complete", "unpaid")
    eventually(lambda: shop.reread(session).payment_status == "paid")
    paid = shop.reread(session, "invoice", "subscription")
    assert (paid.invoice.status, paid.subscription.status) == ("paid", "active")
    assert shop.events_about(session.id) == [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
    ]


def test_a_bank_debit_that_bounces_says_so_later(shop: Shop) -> None:
    session = shop.checkout_pack()
    shop.pay(session, method="bank_bounces")
    intent = shop.reread(session).payment_intent

    def bounced() -> bool:
        return "checkout.session.async_payment_failed" in shop.events_about(session.id)

    eventually(bounced)
    assert shop.reread(session).payment_status == "unpaid"
    status = shop.client.v1.payment_intents.retrieve(intent).status
    assert status == "requires_payment_method"


def test_the_redirect_does_not_wait_for_a_slow_receiver(
    sandbox: Process, shop: Shop, receiver: Receiver
) -> None:
    receiver.hold_seconds = 3.0
    session = shop.checkout_pack()
    began = time.monotonic()
    assert shop.pay(session).status_code == 303
    assert time.monotonic() - began < 2.0
    receiver.hold_seconds = 0.0


def test_a_subscription_is_canceled_at_once(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    shop.pay(session)
    subscription = shop.reread(session).subscription
    ended = shop.client.v1.subscriptions.cancel(subscription)
    assert (ended.status, bool(ended.ended_at)) == ("canceled", True)
    assert "customer.subscription.deleted" in shop.events_about(subscription)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.cancel(subscription)


def test_an_order_can_come_with_an_invoice(shop: Shop) -> None:
    session = shop.checkout_pack(customer=shop.customer(), invoice_creation={"enabled": True})
    shop.pay(session)
    invoice = shop.reread(session, "invoice").invoice
    assert (invoice.status, invoice.total, invoice.parent) == ("paid", 990, None)


def test_the_invoice_has_a_page_and_a_pdf_that_opens(shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    shop.pay(session)
    invoice = shop.reread(session, "invoice").invoice
    page = requests.get(invoice.hosted_invoice_url, timeout=5)
    assert invoice.number in page.text
    assert "$19.99" in page.text
    pdf = requests.get(invoice.invoice_pdf, timeout=5)
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-1.4")
    table = int(pdf.content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert pdf.content[table:].startswith(b"xref")
    assert invoice.number.encode() in pdf.content
