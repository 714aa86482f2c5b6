"""Changes of a running subscription: what it sells, from when, and who pays for the difference."""

import json
from dataclasses import dataclass, field, replace

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import (
    applying,
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
from stripe_sandbox.objects import (
    discounts,
    invoiceitems,
    payment_methods,
    subscription_items,
    subscriptions,
    tax_rates,
)
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_AFTER_END = frozenset({"cancellation_details", "metadata"})
# What moves money or periods; everything else of an update is only noted.
_MOVES = ("billing_cycle_anchor", "items", "trial_end")
_WITH_PENDING = frozenset(
    (
        *_MOVES,
        "add_invoice_items",
        "cancel_at_period_end",
        "off_session",
        "payment_behavior",
        "proration_behavior",
        "proration_date",
    )
)


@dataclass(frozen=True)
class Change:
    """A subscription as it will be, and the invoice to write at once for it, if any."""

    after: Json
    bill: Bill | None
    # True if a new period begins, which the invoice bills besides the parts that moved.
    begins_period: bool = False
    # What waited to be billed before it.
    earlier: list[Json] = field(default_factory=list)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The subscription is as asked, or waits for a payment to become so."""
    before = unit.get("subscription", id)
    body = unit.get("subscription", id)
    _check(unit, body, values)
    if body.get("_waiting") and any(name in values for name in _MOVES):
        # As at Stripe the newer change takes the place of the one that waits.
        expire(unit, id)
        before, body = unit.get("subscription", id), unit.get("subscription", id)
    _note(unit, body, values)
    if not any(name in values for name in _MOVES):
        return unit.update("customer.subscription.updated", body, before)
    ends_trial = values.get("trial_end") == "now" and body["status"] == "trialing"
    if ends_trial and not pausing.outlives_trial(unit, body):
        return unit.get("subscription", id)
    earlier = invoiceitems.waiting(unit, body["customer"], id)
    change = prepared(unit, body, values)
    if change.bill is None:
        subscriptions.set_timers(unit, change.after)
        return unit.update("customer.subscription.updated", change.after, before)
    if values.get("payment_behavior") == "pending_if_incomplete":
        _change_when_paid(unit, body, replace(change, earlier=earlier), values)
    else:
        _change_now(unit, before, change, values)
    return unit.get("subscription", id)


def prepared(unit: Unit, body: Json, values: Json) -> Change:
    """The change, with what it gives back and charges for waiting to be billed."""
    behaviour = values.get("proration_behavior") or "create_prorations"
    moment = Moment(_at(unit, body, values), prorate=behaviour != "none")
    after: Json = json.loads(json.dumps(body))
    if values.get("items"):
        after["items"]["data"] = repricing.items_after(unit, body, values["items"])
    trial_end = values.get("trial_end")
    if isinstance(trial_end, int):
        _extend_trial(unit, body, after, trial_end)
        _give_all_back(unit, body, moment)
        after["_debits"] = {}
        return Change(after, None)
    for extra in values.get("add_invoice_items") or []:
        subscribing.add_once(unit, body, extra)
    if _begins_period(body, after, values):
        _give_all_back(unit, body, moment)
        return _new_period(unit, after)
    repricing.move_parts(unit, body, after, moment)
    at_once = behaviour == "always_invoice" or values.get("add_invoice_items")
    waits = invoiceitems.waiting(unit, body["customer"], body["id"])
    # A change that moves no money, as in a trial, writes no empty invoice.
    return Change(after, _bill(unit, after) if at_once and waits else None)


def drafted(unit: Unit, change: Change) -> Json:
    """The draft of the invoice that a change asks for at once."""
    assert change.bill is not None, "this change writes no invoice"
    if change.begins_period:
        return drafting.of_period(unit, change.bill)
    return drafting.of_waiting(unit, change.bill)


def expire(unit: Unit, subscription_id: str) -> None:
    """The change that waits for its payment will not come, and its invoice is void."""
    body = unit.get("subscription", subscription_id)
    waiting = body.get("_waiting")
    if not waiting:
        return
    applying.forget(unit, body)
    invoice = unit.get("invoice", waiting["invoice"])
    if invoice["status"] in ("open", "uncollectible"):
        settling.mark_void(unit, invoice)


def unpause(unit: Unit, subscription_id: str) -> None:
    """Collection goes on, as was said when it was paused."""
    before = unit.get("subscription", subscription_id)
    body = unit.get("subscription", subscription_id)
    body["pause_collection"] = None
    unit.update("customer.subscription.updated", body, before)


def _change_now(unit: Unit, before: Json, change: Change, values: Json) -> None:
    """The change is in force whatever becomes of its invoice, unless it must be paid."""
    after = change.after
    invoice = drafted(unit, change)
    after["latest_invoice"] = invoice["id"]
    subscriptions.set_timers(unit, after)
    unit.update("customer.subscription.updated", after, before)
    finalizing.finalize(unit, invoice)
    if invoice["status"] != "open":
        return
    behaviour = values.get("payment_behavior") or "allow_incomplete"
    if behaviour == "default_incomplete":
        _mark_past_due(unit, after["id"])
        return
    how = collecting.Try(off_session=bool(values.get("off_session")))
    if invoice["collection_method"] == "send_invoice":
        finalizing.send(unit, invoice)
        return
    intent = collecting.attempt(unit, invoice, how)
    if behaviour == "error_if_incomplete" and intent["status"] != "succeeded":
        raise subscribing.refused(unit, intent)
    if intent["status"] == "requires_action":
        _mark_past_due(unit, after["id"])


def _change_when_paid(unit: Unit, body: Json, change: Change, values: Json) -> None:
    """The change is in force once its invoice is paid; until then nothing has changed."""
    assert change.bill is not None, "this change has nothing to wait for"
    invoice = drafted(unit, replace(change, bill=replace(change.bill, held=True)))
    change.after["latest_invoice"] = body["latest_invoice"] = invoice["id"]
    applying.hold(unit, body, Held(change.after, invoice, change.earlier))
    finalizing.finalize(unit, invoice)
    if invoice["status"] != "open":
        return
    how = collecting.Try(off_session=bool(values.get("off_session")))
    intent = collecting.attempt(unit, invoice, how)
    if intent["status"] != "succeeded":
        applying.announce(unit, unit.get("subscription", body["id"]))


def _mark_past_due(unit: Unit, subscription_id: str) -> None:
    before = unit.get("subscription", subscription_id)
    body = unit.get("subscription", subscription_id)
    if body["status"] == "active":
        body["status"] = "past_due"
        unit.update("customer.subscription.updated", body, before)


def _begins_period(body: Json, after: Json, values: Json) -> bool:
    if (values.get("billing_cycle_anchor") or {}).get("type") == "now":
        return True
    if values.get("trial_end") == "now":
        return bool(body["status"] == "trialing")
    old, new = subscriptions.items_of(body)[0], subscriptions.items_of(after)[0]
    changed = subscription_items.rhythm_of(old) != subscription_items.rhythm_of(new)
    return changed and body["status"] != "trialing"


def _give_all_back(unit: Unit, body: Json, moment: Moment) -> None:
    for item in subscriptions.items_of(body):
        repricing.give_back(unit, body, item, moment)


def _new_period(unit: Unit, after: Json) -> Change:
    if after["status"] == "trialing":
        after.update(status="active", trial_end=unit.now)
    after["_debits"] = {}
    subscriptions.anchor(after, unit.now)
    return Change(after, _bill(unit, after), begins_period=True)


def _extend_trial(unit: Unit, body: Json, after: Json, trial_end: int) -> None:
    if trial_end <= unit.now:
        raise errors.invalid("The trial must end in the future.", param="trial_end")
    begins = body["trial_start"] if body["status"] == "trialing" else unit.now
    after.update(
        status="trialing",
        trial_start=begins,
        trial_end=trial_end,
        billing_cycle_anchor=trial_end,
        _period=0,
    )
    subscriptions.set_period(after, begins, trial_end)


def _bill(unit: Unit, after: Json) -> Bill:
    return Bill(
        customer=unit.get("customer", after["customer"]),
        currency=after["currency"],
        reason="subscription_update",
        period=(unit.now, unit.now),
        subscription=after,
    )


def _at(unit: Unit, body: Json, values: Json) -> int:
    at = values.get("proration_date")
    if at is None:
        return unit.now
    begins, ends = subscriptions.period_of(body)
    if not begins <= at <= ends:
        raise errors.invalid(
            "proration_date must be within the current period of the subscription.",
            param="proration_date",
        )
    return int(at)


def _check(unit: Unit, body: Json, values: Json) -> None:
    if body["status"] in subscriptions.ENDED and not set(values) <= _AFTER_END:
        raise errors.invalid(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    pending = values.get("payment_behavior") == "pending_if_incomplete"
    if pending and not set(values) <= _WITH_PENDING:
        names = ", ".join(sorted(set(values) - _WITH_PENDING))
        raise errors.invalid(
            f"With payment_behavior=pending_if_incomplete you cannot also change: {names}."
        )
    if pending and body["collection_method"] == "send_invoice":
        raise errors.invalid(
            "payment_behavior=pending_if_incomplete works with charge_automatically only.",
            param="payment_behavior",
        )
    if body["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(values):
        raise errors.invalid(
            f"The subscription is managed by the subscription schedule `{body['schedule']}`, and "
            "updating any cancelation behavior directly is not allowed. Release it first."
        )
    if any(name in values for name in _MOVES) and body["status"] in ("incomplete", "paused"):
        raise errors.invalid(
            f"A subscription that is {body['status']} cannot be changed; pay or resume it first."
        )
    if values.get("default_payment_method"):
        payment_methods.of_customer(unit, values["default_payment_method"], body["customer"])


def _note(unit: Unit, body: Json, values: Json) -> None:
    """Everything of an update that moves no money."""
    plain = ("collection_method", "days_until_due", "default_payment_method", "description")
    body.update({name: values[name] for name in plain if name in values})
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    for name in ("invoice_settings", "payment_settings", "trial_settings", "cancellation_details"):
        if name in values:
            body[name].update(values[name] or {})
    if "automatic_tax" in values:
        body["automatic_tax"] = subscriptions.taxed(values["automatic_tax"])
    if "default_tax_rates" in values:
        chosen = values["default_tax_rates"] or []
        body["default_tax_rates"] = tax_rates.chosen(unit, chosen, "default_tax_rates")
    if "discounts" in values:
        _rediscount(unit, body, values)
    if "pause_collection" in values:
        _pause_collection(unit, body, values["pause_collection"])
    _end_or_not(unit, body, values)


def _rediscount(unit: Unit, body: Json, values: Json) -> None:
    customer = unit.get("customer", body["customer"])
    target = discounts.Target(
        "subscription", body["id"], body["currency"], customer=customer, subscription=body["id"]
    )
    found = discounts.applied(unit, values["discounts"] or [], target)
    kept = [made["id"] for made in found]
    for gone in body["discounts"]:
        if gone not in kept:
            discounts.removed(unit, gone)
    body["discounts"] = kept


def _pause_collection(unit: Unit, body: Json, wanted: Json | None) -> None:
    unit.unschedule("unpause", body["id"])
    if not wanted:
        body["pause_collection"] = None
        return
    resumes_at = wanted.get("resumes_at")
    if resumes_at is not None and resumes_at <= unit.now:
        raise errors.invalid(
            "resumes_at must be in the future.", param="pause_collection[resumes_at]"
        )
    body["pause_collection"] = {"behavior": wanted["behavior"], "resumes_at": resumes_at}
    if resumes_at:
        unit.schedule("unpause", body["id"], resumes_at)


def _end_or_not(unit: Unit, body: Json, values: Json) -> None:
    if "cancel_at_period_end" in values:
        wanted = values["cancel_at_period_end"]
        _end_at(unit, body, subscriptions.period_of(body)[1] if wanted else None)
        body["cancel_at_period_end"] = wanted
    elif "cancel_at" in values:
        at = values["cancel_at"]
        if isinstance(at, int) and at <= unit.now:
            raise errors.invalid("cancel_at must be in the future.", param="cancel_at")
        named = subscriptions.period_of(body)[1] if isinstance(at, str) else at
        _end_at(unit, body, named)
        body["cancel_at_period_end"] = False
    else:
        return
    if body["status"] not in (*subscriptions.ENDED, "incomplete", "paused"):
        subscriptions.set_timers(unit, body)


def _end_at(unit: Unit, body: Json, moment: int | None) -> None:
    body["cancel_at"] = moment
    body["canceled_at"] = unit.now if moment else None
    body["cancellation_details"]["reason"] = "cancellation_requested" if moment else None


FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
DETAILS = params.hash_of({"comment": TEXT, "feedback": params.choice(*FEEDBACK)})
ANCHOR = params.hash_of({"type": params.choice("now", "unchanged")}, ("type",))
ITEMS = params.list_of(
    params.hash_of({**subscribing.ITEM, "deleted": params.boolean, "id": TEXT}), 20
)
FIELDS: params.Fields = {
    **subscribing.COMMON,
    "billing_cycle_anchor": ANCHOR,
    "cancel_at": params.moment_or("max_period_end", "min_period_end"),
    "cancellation_details": DETAILS,
    "items": ITEMS,
    "pause_collection": params.hash_of(
        {
            "behavior": params.choice("keep_as_draft", "mark_uncollectible", "void"),
            "resumes_at": params.integer(),
        },
        ("behavior",),
    ),
    "proration_date": params.integer(),
}
ROUTES = (
    Route(
        "POST",
        "/v1/subscriptions/<id>",
        update,
        FIELDS,
        partly="one interval for all items; an end on a day within a period gives nothing back; "
        "no billing thresholds, Connect",
    ),
)
