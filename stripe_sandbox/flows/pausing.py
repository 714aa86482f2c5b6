"""A paused subscription, and a trial that ends without anything to charge."""

from stripe_sandbox import Json
from stripe_sandbox.flows import collecting
from stripe_sandbox.objects import subscriptions
from stripe_sandbox.unit import Unit


def pause(unit: Unit, body: Json, cause: str) -> None:
    """The subscription is stored as paused for this cause, and nothing of it is due."""
    body["status"] = "paused"
    body["status_details"] = {
        "paused": {
            "subscription": {"type": cause},
            "transitioned_at": unit.now,
            "type": "subscription",
        }
    }
    body["_debits"] = {}
    subscriptions.drop_timers(unit, body)
    unit.save(body)


def outlives_trial(unit: Unit, body: Json) -> bool:
    """True if the plan goes on after its trial; without a method it ends or pauses if told to."""
    behaviour = body["trial_settings"]["end_behavior"]["missing_payment_method"]
    payer = {
        "customer": body["customer"],
        "default_payment_method": body["default_payment_method"],
        "parent": None,
    }
    if behaviour == "create_invoice" or collecting.method_for(unit, payer):
        return True
    if behaviour == "cancel":
        subscriptions.end(unit, body, reason="cancellation_requested")
        return False
    before = unit.get("subscription", body["id"])
    pause(unit, body, "trial_end_without_payment_method")
    unit.emit("customer.subscription.paused", body)
    unit.emit("customer.subscription.updated", body, before)
    return False
