"""The end of a paid period: a new one begins and is billed for, or the subscription ends."""

from stripe_sandbox import Json
from stripe_sandbox.flows import (
    changing,
    drafting,
    ending,
    finalizing,
    pausing,
    previewing,
    scheduling,
)
from stripe_sandbox.objects import subscriptions
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_RENEWS = ("active", "past_due", "trialing", "unpaid")


def renew(unit: Unit, subscription_id: str) -> None:
    """The subscription is in its next period, with a draft of its invoice, or it has ended.

    As at Stripe the draft becomes final, and is charged, an hour later.
    """
    body = unit.get("subscription", subscription_id)
    if body["status"] not in _RENEWS:
        return
    # A change that still waits was priced for the period that is over.
    changing.expire(unit, subscription_id)
    body = unit.get("subscription", subscription_id)
    if body["schedule"]:
        body = scheduling.at_period_end(unit, body)
        if body["status"] in subscriptions.ENDED:
            ending.bill_last(unit, body)
            return
    if body["cancel_at_period_end"] or (body["cancel_at"] and body["cancel_at"] <= unit.now):
        subscriptions.end(unit, body, reason="cancellation_requested")
        ending.bill_last(unit, body)
        return
    before = unit.get("subscription", subscription_id)
    if body["status"] == "trialing" and not pausing.outlives_trial(unit, body):
        return
    ended = subscriptions.period_of(body)
    subscriptions.turn_period(body)
    if body["status"] == "trialing":
        body["status"] = "active"
    invoice = _bill(unit, body, ended)
    body["latest_invoice"] = invoice["id"]
    subscriptions.set_timers(unit, body)
    unit.update("customer.subscription.updated", body, before)
    if invoice["auto_advance"]:
        finalizing.wait(unit, invoice)


def announce(unit: Unit, subscription_id: str) -> None:
    """The merchant hears of a trial that ends soon, or of the next invoice."""
    body = unit.get("subscription", subscription_id)
    if body["status"] == "trialing":
        unit.emit("customer.subscription.trial_will_end", body)
    elif body["status"] in _RENEWS and not body["cancel_at_period_end"]:
        upcoming = previewing.of_next_period(unit, body)
        upcoming.pop("id")
        unit.emit("invoice.upcoming", upcoming)


def _bill(unit: Unit, body: Json, ended: tuple[int, int]) -> Json:
    pause = body["pause_collection"]
    waits = body["status"] == "unpaid" or (pause and pause["behavior"] == "keep_as_draft")
    bill = Bill(
        customer=unit.get("customer", body["customer"]),
        currency=body["currency"],
        reason="subscription_cycle",
        period=ended,
        subscription=body,
        wishes={"auto_advance": False} if waits else finalizing.soon(unit),
    )
    invoice = drafting.of_period(unit, bill)
    if invoice["collection_method"] == "send_invoice":
        finalizing.due_after(unit, invoice, body["days_until_due"])
        unit.save(invoice)
    return invoice
