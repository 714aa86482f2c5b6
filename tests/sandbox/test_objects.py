"""Customers, products, prices, payment methods, PaymentIntents and refunds, through the SDK."""

import pytest
import requests
import stripe

from tests.sandbox.running import Shop


def test_a_customer_is_made_changed_found_and_deleted(shop: Shop) -> None:
    v1 = shop.client.v1
    made = v1.customers.create(params={"email": "x@example.com", "metadata": {"a": "1", "b": "2"}})
    changed = v1.customers.update(made.id, params={"name": "Ada", "metadata": {"a": "", "c": "3"}})
    assert changed.metadata is not None
    assert (changed.name, changed.metadata.to_dict()) == ("Ada", {"b": "2", "c": "3"})
    assert made.id in [c.id for c in v1.customers.list(params={"email": "x@example.com"}).data]
    v1.customers.delete(made.id)
    assert v1.customers.retrieve(made.id).deleted
    assert v1.customers.list(params={"email": "x@example.com"}).data == []
    assert shop.events_about(made.id) == [
        "customer.created",
        "customer.updated",
        "customer.deleted",
    ]


def test_an_update_says_what_was_there_before(shop: Shop) -> None:
    customer = shop.client.v1.customers.create(params={"name": "Old"})
    shop.client.v1.customers.update(customer.id, params={"name": "New"})
    event = shop.client.v1.events.list(params={"type": "customer.updated", "limit": 1}).data[0]
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes.to_dict() == {"name": "Old"}


def test_a_lookup_key_belongs_to_one_price_and_can_be_taken_over(shop: Shop) -> None:
    v1 = shop.client.v1
    params: stripe.params.PriceCreateParams = {
        "currency": "usd",
        "unit_amount": 100,
        "lookup_key": "taken",
        "product_data": {"name": "P"},
    }
    first = v1.prices.create(params=params)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        v1.prices.create(params=params)
    second = v1.prices.create(params={**params, "transfer_lookup_key": True})
    found = v1.prices.list(params={"lookup_keys": ["taken", "nobody's"]}).data
    assert [price.id for price in found] == [second.id]
    assert v1.prices.retrieve(first.id).lookup_key is None


def test_a_price_can_be_asked_for_in_its_other_currencies(shop: Shop) -> None:
    price = shop.client.v1.prices.create(
        params={
            "currency": "usd",
            "unit_amount": 1000,
            "currency_options": {"eur": {"unit_amount": 900}},
            "tax_behavior": "exclusive",
            "product_data": {"name": "P"},
        }
    )
    assert "currency_options" not in price
    full = shop.client.v1.prices.retrieve(price.id, params={"expand": ["currency_options"]})
    assert full.currency_options is not None
    assert full.currency_options["eur"].unit_amount == 900
    assert full.currency_options["usd"].unit_amount == 1000
    session = shop.checkout_pack(line_items=[{"price": price.id, "quantity": 2}], currency="eur")
    assert (session.currency, session.amount_total) == ("eur", 1800)
    with pytest.raises(stripe.InvalidRequestError, match="only supports"):
        shop.checkout_pack(line_items=[{"price": price.id, "quantity": 1}], currency="gbp")


def test_a_product_keeps_its_own_id_and_is_made_once(shop: Shop) -> None:
    shop.client.v1.products.create(params={"id": "mine", "name": "P"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.products.create(params={"id": "mine", "name": "P"})
    assert caught.value.code == "resource_already_exists"


def test_a_payment_method_is_attached_listed_and_detached(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = shop.customer()
    method = v1.payment_methods.attach("pm_card_visa", params={"customer": customer})
    assert method.card is not None
    assert (method.customer, method.card.last4) == (customer, "4242")
    listed = v1.payment_methods.list(params={"customer": customer, "type": "card"}).data
    assert [m.id for m in listed] == [method.id]
    assert v1.payment_methods.detach(method.id).customer is None
    assert v1.payment_methods.list(params={"customer": customer}).data == []


def test_a_card_its_bank_refuses_cannot_be_attached_except_the_one_that_fails_later(
    shop: Shop,
) -> None:
    attach = shop.client.v1.payment_methods.attach
    customer = shop.customer()
    with pytest.raises(stripe.CardError) as caught:
        attach("pm_card_chargeDeclinedInsufficientFunds", params={"customer": customer})
    assert caught.value.http_status == 402
    assert caught.value.error is not None
    assert caught.value.error.decline_code == "insufficient_funds"
    later = attach("pm_card_chargeCustomerFail", params={"customer": customer})
    assert later.customer == customer


def test_a_payment_intent_is_confirmed_and_leaves_a_charge_and_its_fee(shop: Shop) -> None:
    intent = shop.client.v1.payment_intents.create(
        params={
            "amount": 2000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "expand": ["latest_charge.balance_transaction"],
        }
    )
    assert (intent.status, intent.amount_received) == ("succeeded", 2000)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    moved = charge.balance_transaction
    assert isinstance(moved, stripe.BalanceTransaction)
    # 2.9 % of 2000 is 58, and 30: 88.
    assert (moved.amount, moved.fee, moved.net) == (2000, 88, 1912)
    listed = shop.client.v1.charges.list(params={"payment_intent": intent.id}).data
    assert [c.id for c in listed] == [charge.id]


def test_a_declined_intent_keeps_its_trace_and_can_be_tried_again(shop: Shop) -> None:
    v1 = shop.client.v1
    intent = v1.payment_intents.create(params={"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.CardError) as caught:
        v1.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_chargeDeclined"})
    error = caught.value.error
    assert error is not None and error.payment_intent is not None
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    assert error.payment_intent.id == intent.id
    assert str(error.charge).startswith("ch_")
    assert v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    again = v1.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"
    assert shop.events_about(intent.id) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_a_paid_or_canceled_intent_cannot_be_canceled_or_confirmed(shop: Shop) -> None:
    v1 = shop.client.v1
    intent = v1.payment_intents.create(params={"amount": 500, "currency": "usd"})
    assert v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_visa"})
    assert caught.value.code == "payment_intent_unexpected_state"


def test_refunds_in_parts_never_give_back_more_than_was_taken(shop: Shop) -> None:
    v1 = shop.client.v1
    intent = v1.payment_intents.create(
        params={"amount": 990, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    first = v1.refunds.create(params={"payment_intent": intent.id, "amount": 300})
    assert (first.status, first.amount) == ("succeeded", 300)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        v1.refunds.create(params={"payment_intent": intent.id, "amount": 691})
    rest = v1.refunds.create(params={"payment_intent": intent.id})
    assert rest.amount == 690
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.refunds.create(params={"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"
    charge = v1.charges.retrieve(str(intent.latest_charge), params={"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (990, True)
    assert charge.refunds is not None and len(charge.refunds.data) == 2
    assert shop.events_about(charge.id).count("charge.refunded") == 2


def test_a_payment_that_needs_its_owner_is_answered_on_a_page(shop: Shop) -> None:
    v1 = shop.client.v1
    intent = v1.payment_intents.create(
        params={
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
            "return_url": "http://localhost:1/back",
        }
    )
    assert intent.status == "requires_action"
    assert intent.next_action is not None and intent.next_action.redirect_to_url is not None
    url = str(intent.next_action.redirect_to_url.url)
    answer = requests.post(url, {"answer": "approve"}, allow_redirects=False, timeout=5)
    assert "redirect_status=succeeded" in answer.headers["Location"]
    assert v1.payment_intents.retrieve(intent.id).status == "succeeded"
