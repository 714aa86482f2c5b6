"""What a payment sets in force: a first period, a change that waited, a plan that was paused."""

from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.objects import discounts, schedules, subscriptions
from stripe_sandbox.unit import Unit

# How long a first payment, or that of a change, may take: 23 hours, as at Stripe.
PATIENCE_SECONDS = 23 * 3600
_CHANGES = (
    "billing_cycle_anchor",
    "items",
    "latest_invoice",
    "status",
    "trial_end",
    "_debits",
    "_period",
)


@dataclass(frozen=True)
class Held:
    """A subscription as it will be, the invoice it waits for, and what had waited before it."""

    changed: Json
    invoice: Json
    earlier: list[Json]


def begin(unit: Unit, body: Json) -> None:
    """The subscription whose first invoice asks for nothing any more is active, or in its trial."""
    before = unit.get("subscription", body["id"])
    trial = body["trial_end"] is not None and body["trial_end"] > unit.now
    body["status"] = "trialing" if trial else "active"
    unit.unschedule("expire_first", body["id"])
    subscriptions.set_timers(unit, body)
    unit.update("customer.subscription.updated", body, before)


def hold(unit: Unit, body: Json, held: Held) -> None:
    """The change waits for the payment of the invoice; until then the subscription is as it was."""
    _wait_for(body, held, "")
    unit.save(body)


def announce(unit: Unit, body: Json) -> None:
    """The payment has failed: the change is shown as pending, and lapses if nobody pays."""
    before = unit.get("subscription", body["id"])
    waiting: Json = body["_waiting"]
    becomes: Json = waiting["becomes"]
    waiting["event"] = "customer.subscription.pending_update_applied"
    expires_at = min(unit.now + PATIENCE_SECONDS, subscriptions.period_of(body)[1])
    moved = becomes["billing_cycle_anchor"] != body["billing_cycle_anchor"]
    change: Json = {
        **dict.fromkeys(("discount", "discounts", "metadata", "trial_end", "trial_from_plan")),
        "billing_cycle_anchor": becomes["billing_cycle_anchor"] if moved else None,
        "expires_at": expires_at,
        "subscription_items": becomes["items"]["data"],
    }
    body["pending_update"] = change
    unit.schedule("expire_change", body["id"], expires_at)
    unit.update("customer.subscription.updated", body, before)


def hold_paused(unit: Unit, body: Json, held: Held) -> None:
    """The subscription stays paused until the invoice that resumes it is paid."""
    _wait_for(body, held, "customer.subscription.resumed")
    unit.schedule("expire_change", body["id"], unit.now + PATIENCE_SECONDS)
    unit.save(body)


def waits_for(body: Json, invoice: Json) -> bool:
    """True if the payment of this invoice is what a change of the subscription waits for."""
    waiting: Json | None = body.get("_waiting")
    return waiting is not None and waiting["invoice"] == invoice["id"]


def apply(unit: Unit, body: Json) -> None:
    """The change that waited is in force."""
    before = unit.get("subscription", body["id"])
    waiting: Json = body["_waiting"]
    body.update(waiting["becomes"])
    body.update(pending_update=None, _waiting=None)
    if waiting["event"] == "customer.subscription.resumed":
        body.pop("status_details", None)
        if body["schedule"]:
            schedules.catch_up(unit, body["schedule"])
    invoice = unit.get("invoice", waiting["invoice"])
    body["discounts"] = discounts.spent(unit, body["discounts"], invoice)
    unit.unschedule("expire_change", body["id"])
    subscriptions.set_timers(unit, body)
    unit.save(body)
    if waiting["event"]:
        unit.emit(waiting["event"], body)
    unit.emit("customer.subscription.updated", body, before)


def told(unit: Unit, body: Json, invoice: Json) -> None:
    """The invoice a change waits for asks for nothing any more: the change comes, or will not.

    As at Stripe a paused plan also goes on when nobody expects its invoice to be paid.
    """
    resumes = body["_waiting"]["event"] == "customer.subscription.resumed"
    if invoice["status"] == "paid" or (resumes and invoice["status"] == "uncollectible"):
        apply(unit, body)
    elif invoice["status"] == "void":
        forget(unit, body)


def forget(unit: Unit, body: Json) -> None:
    """The change that waited will not come, and what its invoice took along waits again."""
    before = unit.get("subscription", body["id"])
    for item_id in body["_waiting"].get("earlier", ()):
        waiting = unit.get("invoiceitem", item_id)
        if waiting["invoice"] == body["_waiting"]["invoice"]:
            waiting["invoice"] = None
            unit.save(waiting)
    had_update = body["pending_update"] is not None
    body.update(pending_update=None, _waiting=None)
    unit.unschedule("expire_change", body["id"])
    unit.save(body)
    if had_update:
        unit.emit("customer.subscription.pending_update_expired", body)
        unit.emit("customer.subscription.updated", body, before)


def _wait_for(body: Json, held: Held, event: str) -> None:
    body["_waiting"] = {
        "invoice": held.invoice["id"],
        "earlier": [waiting["id"] for waiting in held.earlier],
        "becomes": {name: held.changed[name] for name in _CHANGES},
        "event": event,
    }
