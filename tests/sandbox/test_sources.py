"""Cards saved by the older API: tokens in, cards out, and both APIs see the same card."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Shop


@pytest.fixture
def v1(shop: Shop) -> Any:
    """The official SDK's resources, untyped."""
    return shop.client.v1


def test_the_first_saved_card_is_what_the_customer_pays_with(shop: Shop, v1: Any) -> None:
    customer = v1.customers.create(params={"name": "Ada"})
    card = v1.customers.payment_sources.create(customer.id, params={"source": "tok_visa"})
    assert (card.object, card.brand, card.last4, card.customer) == (
        *("card", "Visa", "4242"),
        customer.id,
    )
    v1.customers.payment_sources.create(customer.id, params={"source": "tok_mastercard"})
    read = v1.customers.retrieve(
        customer.id, params={"expand": ["default_source", "sources"]}
    ).to_dict()
    assert read["default_source"]["id"] == card.id
    assert read["default_source"]["object"] == "card"
    assert [one["brand"] for one in read["sources"]["data"]] == ["MasterCard", "Visa"]
    events = shop.events_about(customer.id, card.id)
    assert events.count("customer.source.created") == 2
    assert events.count("customer.updated") == 1


def test_a_saved_card_is_a_payment_method_under_the_same_id(v1: Any) -> None:
    customer = v1.customers.create(params={"source": "tok_visa"})
    (method,) = v1.customers.payment_methods.list(customer.id).data
    assert method.id == customer.default_source
    intent = v1.payment_intents.create(
        params={
            "amount": 500,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": customer.default_source,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert intent.status == "succeeded"
    charge = v1.charges.create(
        params={"amount": 700, "currency": "usd", "customer": customer.id}
    ).to_dict()
    assert (charge["paid"], charge["source"]["id"]) == (True, customer.default_source)


def test_a_subscription_is_paid_by_the_saved_card(shop: Shop, v1: Any) -> None:
    customer = v1.customers.create(params={"source": "tok_visa"})
    plan = v1.subscriptions.create(
        params={"customer": customer.id, "items": [{"price": shop.plan}]}
    )
    assert plan.status == "active"


def test_a_saved_card_keeps_what_is_told_of_it(shop: Shop, v1: Any) -> None:
    customer = v1.customers.create(params={"source": "tok_visa"})
    changed = v1.customers.payment_sources.update(
        customer.id,
        customer.default_source,
        params={
            "metadata": {"colour": "red"},
            "name": "Ada Lovelace",
            "address_zip": "10115",
            "exp_year": 2040,
        },
    ).to_dict()
    read = v1.customers.payment_sources.retrieve(customer.id, changed["id"]).to_dict()
    assert read == changed
    assert (read["name"], read["address_zip"], read["exp_year"]) == ("Ada Lovelace", "10115", 2040)
    method = v1.payment_methods.retrieve(changed["id"]).to_dict()
    assert method["billing_details"]["address"]["postal_code"] == "10115"
    assert method["card"]["exp_year"] == 2040
    assert shop.events_about(changed["id"])[-1] == "customer.source.updated"


def test_a_new_source_takes_the_place_of_the_old_one(v1: Any) -> None:
    customer = v1.customers.create(params={"source": "tok_visa"})
    renewed = v1.customers.update(customer.id, params={"source": "tok_amex"})
    (only,) = v1.customers.payment_sources.list(customer.id).data
    assert (only.id, only.brand) == (renewed.default_source, "American Express")


def test_when_the_default_is_deleted_the_newest_other_card_pays(v1: Any) -> None:
    customer = v1.customers.create(params={"source": "tok_visa"})
    other = v1.customers.payment_sources.create(customer.id, params={"source": "tok_jcb"})
    gone = v1.customers.payment_sources.delete(customer.id, customer.default_source)
    assert gone.deleted is True
    assert v1.customers.retrieve(customer.id).default_source == other.id
    v1.payment_methods.detach(other.id)
    assert v1.customers.retrieve(customer.id).default_source is None
    assert v1.customers.payment_sources.list(customer.id).data == []


def test_another_of_the_saved_cards_can_be_made_the_default(v1: Any) -> None:
    customer = v1.customers.create(params={"source": "tok_visa"})
    other = v1.customers.payment_sources.create(customer.id, params={"source": "tok_jcb"})
    changed = v1.customers.update(customer.id, params={"default_source": other.id})
    assert changed.default_source == other.id
    stranger = v1.customers.create(params={"source": "tok_visa"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.customers.update(customer.id, params={"default_source": stranger.default_source})
    assert refused.value.param == "default_source"


def test_a_card_that_its_bank_refuses_is_not_saved(v1: Any) -> None:
    customer = v1.customers.create()
    with pytest.raises(stripe.CardError) as refused:
        v1.customers.payment_sources.create(customer.id, params={"source": "tok_chargeDeclined"})
    assert refused.value.code == "card_declined"
    assert v1.customers.payment_sources.list(customer.id).data == []


def test_a_ready_made_card_said_twice_is_one_card(v1: Any) -> None:
    customer = v1.customers.create(
        params={
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    (method,) = v1.customers.payment_methods.list(customer.id).data
    assert customer.invoice_settings.default_payment_method == method.id
