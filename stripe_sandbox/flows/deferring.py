"""A change of plan that waits for the end of the period, kept by a subscription schedule."""

from stripe_sandbox import Json
from stripe_sandbox.flows import scheduling
from stripe_sandbox.objects import schedules, subscriptions
from stripe_sandbox.unit import Unit


def defer(unit: Unit, plan: Json, price_id: str, quantity: int) -> Json:
    """The subscription sells this from its next period on, and goes on by itself then."""
    schedule_id = plan["schedule"]
    if not schedule_id:
        schedule_id = scheduling.create(unit, {"from_subscription": plan["id"]})["id"]
    begins, ends = subscriptions.period_of(plan)
    now = [
        {"price": item["price"]["id"], "quantity": item["quantity"]}
        for item in subscriptions.items_of(plan)
    ]
    phases = [
        {"items": now, "start_date": begins, "end_date": ends},
        {"items": [{"price": price_id, "quantity": quantity}], "start_date": ends},
    ]
    wanted = {"end_behavior": "release", "phases": phases, "proration_behavior": "none"}
    return scheduling.update(unit, wanted, schedule_id)


def waiting(unit: Unit, plan: Json) -> Json | None:
    """What the subscription sells after its present period, if that will differ: a phase."""
    body = unit.find(plan["schedule"]) if plan["schedule"] else None
    if body is None or body["object"] != schedules.KIND or body["status"] != "active":
        return None
    ends = subscriptions.period_of(plan)[1]
    return next((phase for phase in body["phases"] if phase["start_date"] == ends), None)


def forget(unit: Unit, plan: Json) -> None:
    """The subscription goes on as it is."""
    if waiting(unit, plan) is not None:
        scheduling.release(unit, {}, plan["schedule"])
