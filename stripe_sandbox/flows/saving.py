"""Payment methods a customer keeps: one more, the one to pay with, one less."""

from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.flows import changing, setting_up
from stripe_sandbox.objects import customers, payment_methods, setup_intents, subscriptions
from stripe_sandbox.unit import Unit


@dataclass(frozen=True)
class Saving:
    """How a card is saved: whether it is to be paid with from now on, and where its page is."""

    prefers: bool
    return_url: str


def save(unit: Unit, customer_id: str, method: Json, how: Saving) -> Json:
    """The method has been tried to be saved; the SetupIntent says how that ended."""
    setup = setup_intents.made(unit, {"customer": customer_id, "return_url": how.return_url})
    setup["_prefers"] = how.prefers
    unit.emit("setup_intent.created", setup)
    setting_up.attempt(unit, setup, method)
    if setup["status"] == "succeeded" and how.prefers:
        prefer(unit, customer_id, method["id"])
    return setup


def prefer(unit: Unit, customer_id: str, method_id: str) -> None:
    """The customer and their running subscriptions pay with this method.

    A subscription that has a method of its own would go on paying with that one.
    """
    settings = {"invoice_settings": {"default_payment_method": method_id}}
    customers.update(unit, settings, customer_id)
    for plan in subscriptions.of_customer(unit, customer_id):
        if plan["default_payment_method"] not in (None, method_id):
            changing.update(unit, {"default_payment_method": method_id}, plan["id"])


def remove(unit: Unit, method_id: str) -> None:
    """The method is the customer's no more, and no subscription names it."""
    customer_id = unit.get("payment_method", method_id)["customer"]
    payment_methods.detach(unit, {}, method_id)
    for plan in subscriptions.of_customer(unit, customer_id):
        if plan["default_payment_method"] == method_id:
            changing.update(unit, {"default_payment_method": None}, plan["id"])
