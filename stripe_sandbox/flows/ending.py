"""Subscriptions that end, pause and resume, and items changed one by one."""

import json

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import (
    applying,
    changing,
    collecting,
    drafting,
    finalizing,
    pausing,
    repricing,
    settling,
    subscribing,
)
from stripe_sandbox.flows.applying import Held
from stripe_sandbox.flows.repricing import Moment
from stripe_sandbox.objects import invoiceitems, invoices, subscription_items, subscriptions
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_RUNNING = ("active", "past_due", "trialing", "unpaid")


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """The subscription has ended now; unused time comes back as a credit if that was asked."""
    body = unit.get("subscription", id)
    if body["status"] in subscriptions.ENDED:
        raise errors.no_such("subscription", id)
    changing.expire(unit, id)
    body = unit.get("subscription", id)
    if values.get("prorate"):
        give_back(unit, body, unit.now)
    subscriptions.end(
        unit, body, reason="cancellation_requested", details=values.get("cancellation_details")
    )
    for status in ("draft", "open"):
        for invoice in invoices.of_subscription(unit, id, status):
            settling.stop_collecting(unit, invoice)
    if values.get("invoice_now"):
        _bill_rest(unit, body)
    return unit.get("subscription", id)


def cancel_due(unit: Unit, subscription_id: str) -> None:
    """The day has come on which the subscription was to end."""
    body = unit.get("subscription", subscription_id)
    if body["status"] in subscriptions.ENDED:
        return
    changing.expire(unit, subscription_id)
    body = unit.get("subscription", subscription_id)
    subscriptions.end(unit, body, reason="cancellation_requested")
    bill_last(unit, body)


def bill_last(unit: Unit, body: Json) -> None:
    """What still waits for the subscription that came to its end is billed in an hour."""
    found = invoiceitems.waiting(unit, body["customer"], body["id"])
    mine = [waiting for waiting in found if waiting["parent"]]
    if not mine:
        return
    bill = Bill(
        customer=unit.get("customer", body["customer"]),
        currency=body["currency"],
        reason="subscription_cycle",
        period=subscriptions.period_of(body),
        subscription=body,
        wishes=finalizing.soon(unit),
    )
    invoice = drafting.of_items(unit, bill, mine)
    body["latest_invoice"] = invoice["id"]
    unit.save(body)
    finalizing.wait(unit, invoice)


def pause(unit: Unit, values: Json, id: str) -> Json:
    """The subscription is paused: it bills nothing until it is resumed."""
    body = unit.get("subscription", id)
    if body["status"] not in _RUNNING:
        raise errors.invalid(f"A subscription that is {body['status']} cannot be paused.")
    changing.expire(unit, id)
    before, body = unit.get("subscription", id), unit.get("subscription", id)
    unused = ((values.get("bill_for") or {}).get("unused_time_from") or {}).get("type") or "now"
    if unused != "none":
        begins = subscriptions.period_of(body)[0]
        give_back(unit, body, begins if unused == "item_current_period_start" else unit.now)
    pausing.pause(unit, body, "pause_requested")
    unit.emit("customer.subscription.paused", body)
    unit.emit("customer.subscription.updated", body, before)
    if values.get("invoicing_behavior") == "invoice":
        _bill_rest(unit, body)
    return unit.get("subscription", id)


def resume(unit: Unit, values: Json, id: str) -> Json:
    """The paused subscription goes on in a new period, once the invoice for it is paid."""
    body = unit.get("subscription", id)
    if body["status"] != "paused":
        raise errors.invalid(
            "Only paused subscriptions can be resumed; this one is " + body["status"] + "."
        )
    if body["collection_method"] == "send_invoice":
        raise errors.invalid("Only subscriptions with charge_automatically can be resumed.")
    # A former try to resume it is over: nobody shall pay for both.
    changing.expire(unit, id)
    body = unit.get("subscription", id)
    after: Json = json.loads(json.dumps(body))
    after["status"] = "active"
    earlier = invoiceitems.waiting(unit, body["customer"], id)
    invoice = _first_of_new_period(unit, after, values)
    after["latest_invoice"] = body["latest_invoice"] = invoice["id"]
    applying.hold_paused(unit, body, Held(after, invoice, earlier))
    finalizing.finalize(unit, invoice)
    if invoice["status"] == "open":
        if values.get("payment_behavior") != "resume_on_payment_success":
            # Before the try: one that fails is tried again like that of any running plan.
            applying.apply(unit, unit.get("subscription", id))
        collecting.attempt(unit, invoice, collecting.Try(off_session=False))
    return unit.get("subscription", id)


def add_item(unit: Unit, values: Json) -> Json:
    """The subscription sells one thing more."""
    subscription_id = values.pop("subscription")
    before = unit.get("subscription", subscription_id, "subscription")
    known = {item["id"] for item in subscriptions.items_of(before)}
    after = changing.update(unit, _as_update(values, {}), subscription_id)
    for item in subscriptions.items_of(after):
        if item["id"] not in known:
            return dict(item)
    # The change waits for its payment; the item is shown as it will be.
    waiting = unit.get("subscription", subscription_id)["pending_update"]
    return dict(waiting["subscription_items"][-1])


def alter_item(unit: Unit, values: Json, id: str) -> Json:
    """The item is as asked."""
    owner = subscription_items.owner_of(unit, id)
    after = changing.update(unit, _as_update(values, {"id": id}), owner["id"])
    return subscription_items.within(after, id)


def drop_item(unit: Unit, values: Json, id: str) -> Json:
    """The subscription does not sell the item any more."""
    owner = subscription_items.owner_of(unit, id)
    changing.update(unit, _as_update(values, {"id": id, "deleted": True}), owner["id"])
    return {"id": id, "object": "subscription_item", "deleted": True}


def _as_update(values: Json, item: Json) -> Json:
    of_item = {name: values[name] for name in subscribing.ITEM if name in values}
    rest = {name: value for name, value in values.items() if name not in subscribing.ITEM}
    return {**rest, "items": [{**of_item, **item}]}


def give_back(unit: Unit, body: Json, at: int) -> None:
    """The unused time of every item from the moment on waits as a credit."""
    for item in subscriptions.items_of(body):
        repricing.give_back(unit, body, item, Moment(at, prorate=True))


def _bill_rest(unit: Unit, body: Json) -> None:
    """What waits for the ended or paused subscription is on an invoice of its own."""
    bill = Bill(
        customer=unit.get("customer", body["customer"]),
        currency=body["currency"],
        reason="subscription_update",
        period=(unit.now, unit.now),
        subscription=body,
    )
    invoice = drafting.of_waiting(unit, bill)
    body["latest_invoice"] = invoice["id"]
    unit.save(body)
    finalizing.finalize(unit, invoice)
    if invoice["status"] == "open":
        finalizing.collect(unit, invoice, collecting.Try())


def _first_of_new_period(unit: Unit, after: Json, values: Json) -> Json:
    anchored = (values.get("billing_cycle_anchor") or {}).get("type") == "unchanged"
    if anchored and subscriptions.period_of(after)[1] > unit.now:
        moment = Moment(unit.now, prorate=values.get("proration_behavior") != "none")
        if moment.prorate:
            for item in subscriptions.items_of(after):
                repricing.charge_part(unit, after, item, subscriptions.period_of(after), unit.now)
        return drafting.of_waiting(unit, _bill(unit, after))
    subscriptions.anchor(after, unit.now)
    return drafting.of_period(unit, _bill(unit, after))


def _bill(unit: Unit, after: Json) -> Bill:
    return Bill(
        customer=unit.get("customer", after["customer"]),
        currency=after["currency"],
        reason="subscription_cycle",
        period=(unit.now, unit.now),
        subscription=after,
        held=True,
    )


_ITEM_CHANGE: params.Fields = {
    **subscribing.ITEM,
    "off_session": params.boolean,
    "payment_behavior": subscribing.COMMON["payment_behavior"],
    "proration_behavior": subscribing.COMMON["proration_behavior"],
    "proration_date": params.integer(),
}
ROUTES = (
    Route(
        "DELETE",
        "/v1/subscriptions/<id>",
        cancel,
        {
            "cancellation_details": changing.DETAILS,
            "invoice_now": params.boolean,
            "prorate": params.boolean,
        },
    ),
    Route(
        "POST",
        "/v1/subscriptions/<id>/pause",
        pause,
        {
            "bill_for": params.hash_of(
                {
                    "unused_time_from": params.hash_of(
                        {"type": params.choice("item_current_period_start", "none", "now")},
                        ("type",),
                    )
                }
            ),
            "invoicing_behavior": params.choice("invoice", "pending_invoice_item"),
            "type": params.choice("subscription"),
        },
        partly="licensed items only, so no outstanding usage",
    ),
    Route(
        "POST",
        "/v1/subscriptions/<id>/resume",
        resume,
        {
            "billing_cycle_anchor": changing.ANCHOR,
            "payment_behavior": params.choice(
                "resume_on_payment_attempt", "resume_on_payment_success"
            ),
            "proration_behavior": subscribing.COMMON["proration_behavior"],
        },
    ),
    Route(
        "POST",
        "/v1/subscription_items",
        add_item,
        {**_ITEM_CHANGE, "subscription": TEXT},
        ("subscription",),
    ),
    Route("POST", "/v1/subscription_items/<id>", alter_item, _ITEM_CHANGE),
    Route("DELETE", "/v1/subscription_items/<id>", drop_item, _ITEM_CHANGE),
)
