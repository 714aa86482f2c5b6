"""A person whose card is kept at Stripe, so that it can be charged while they are away."""

from __future__ import annotations

from typing import Any

from talkingphoto.billing import customers
from tests.support.shop import Person, Shop


def customer_of(shop: Shop, person: Person) -> str:
    """The id of the person's customer at Stripe, made by opening a checkout if need be."""
    with shop.runtime.read_only() as session:
        known = customers.of_user(session, user_id=person.id).stripe_customer_id
    if known is None:
        shop.opens(person, "pack:10")
        return customer_of(shop, person)
    return known


def save_card(shop: Shop, person: Person, name: str = "pm_card_visa") -> str:
    """The ready-made card of that name is the person's default at Stripe, and we were told."""
    customer_id, v1 = customer_of(shop, person), shop.sandbox.client(shop.key).v1
    card = v1.payment_methods.attach(name, {"customer": customer_id})
    chosen: Any = {"invoice_settings": {"default_payment_method": card.id}}
    v1.customers.update(customer_id, chosen)
    shop.deliver(shop.new_events())
    return str(card.id)
