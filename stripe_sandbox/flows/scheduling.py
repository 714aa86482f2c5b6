"""Subscription schedules at work: a subscription taken from phase to phase."""

from stripe_sandbox import Json, months
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import changing, finalizing, repricing, subscribing
from stripe_sandbox.objects import prices, schedules, subscription_items, subscriptions
from stripe_sandbox.unit import Unit

_MOST_PHASES = 10
_PHASE_EMPTY = (
    "application_fee_percent",
    "billing_thresholds",
    "default_payment_method",
    "default_tax_rates",
    "invoice_settings",
    "on_behalf_of",
    "transfer_data",
    "trial_end",
)


def create(unit: Unit, values: Json) -> Json:
    """A schedule exists: of a running subscription, or of one that begins when it starts."""
    if values.get("from_subscription"):
        return _from_running(unit, values)
    if not values.get("customer") or not values.get("phases"):
        raise errors.invalid("Give from_subscription, or customer and phases.")
    starts = values.get("start_date")
    begins = unit.now if starts in (None, "now") else int(str(starts))
    phases = _phases(unit, values["phases"], begins)
    customer = unit.living("customer", values["customer"], "customer")
    _check_phases(unit, phases, customer["currency"])
    body = schedules.made(unit, values["customer"], values, phases)
    unit.emit("subscription_schedule.created", body)
    if begins > unit.now:
        unit.schedule("phase", body["id"], begins)
        return body
    _begin(unit, body)
    return unit.get(schedules.KIND, body["id"])


def update(unit: Unit, values: Json, id: str) -> Json:
    """The schedule is as asked; what of the present phase changes is in force at once."""
    before = _open(unit, id)
    body = unit.get(schedules.KIND, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if values.get("end_behavior"):
        body["end_behavior"] = values["end_behavior"]
    if values.get("phases"):
        first = before["phases"][0]["start_date"]
        body["phases"] = _phases(unit, values["phases"], first)
        _check_phases(unit, body["phases"], before["phases"][0]["currency"])
    if body["status"] == "active" and values.get("phases"):
        number = schedules.phase_at(body, unit.now)
        if number is None:
            raise errors.invalid("The last phase must end in the future.", param="phases")
        schedules.enter(unit, body, number)
        behaviour = values.get("proration_behavior") or "create_prorations"
        _apply(unit, body, number, behaviour)
        body = {**unit.get(schedules.KIND, id), "phases": body["phases"]}
    return unit.update("subscription_schedule.updated", body, before)


def release(unit: Unit, values: Json, id: str) -> Json:
    """The subscription goes on as it is, without a schedule."""
    body = _open(unit, id)
    return _release(unit, body)


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """The schedule and its subscription have ended now."""
    body = _open(unit, id)
    closed = schedules.close(unit, id, "canceled")
    if body["subscription"]:
        subscription = unit.get("subscription", body["subscription"])
        if subscription["status"] not in subscriptions.ENDED:
            if values.get("prorate", True):
                for item in subscriptions.items_of(subscription):
                    moment = repricing.Moment(unit.now, prorate=True)
                    repricing.give_back(unit, subscription, item, moment)
            subscriptions.end(unit, subscription, reason="cancellation_requested")
    return closed


def next_phase(unit: Unit, schedule_id: str) -> None:
    """The next phase has begun, unless the renewal of this same moment begins it."""
    body = unit.get(schedules.KIND, schedule_id)
    if body["status"] == "not_started":
        _begin(unit, body)
        return
    if body["status"] != "active" or body["current_phase"]["end_date"] > unit.now:
        return
    subscription = unit.get("subscription", body["subscription"])
    # A paused plan takes the step when it is resumed.
    changeable = subscription["status"] not in ("paused", "incomplete")
    if changeable and subscriptions.period_of(subscription)[1] > unit.now:
        _step(unit, body)


def at_period_end(unit: Unit, subscription: Json) -> Json:
    """The subscription as its schedule wants it from now on, if a phase ends with the period."""
    body = unit.get(schedules.KIND, subscription["schedule"])
    if body["status"] != "active" or body["current_phase"]["end_date"] > unit.now:
        return subscription
    _step(unit, body)
    return unit.get("subscription", subscription["id"])


def _step(unit: Unit, body: Json) -> None:
    number = schedules.phase_at(body, unit.now)
    if number is None:
        _finish(unit, body)
        return
    schedules.enter(unit, body, number)
    _apply(unit, body, number, body["phases"][number]["proration_behavior"])
    unit.emit("subscription_schedule.updated", unit.get(schedules.KIND, body["id"]))


def _finish(unit: Unit, body: Json) -> None:
    """The last phase is over: the subscription ends, or goes on by itself."""
    if body["end_behavior"] == "cancel":
        schedules.close(unit, body["id"], "completed")
        subscription = unit.get("subscription", body["subscription"])
        subscriptions.end(unit, subscription, reason="cancellation_requested")
        return
    body["completed_at"] = unit.now
    unit.save(body)
    unit.emit("subscription_schedule.completed", body)
    _release(unit, body)


def _release(unit: Unit, body: Json) -> Json:
    if body["subscription"]:
        before = unit.get("subscription", body["subscription"])
        subscription = unit.get("subscription", body["subscription"])
        subscription["schedule"] = None
        unit.update("customer.subscription.updated", subscription, before)
    return schedules.close(unit, body["id"], "released")


def _begin(unit: Unit, body: Json) -> None:
    """The first phase has begun with a new subscription, billed in an hour like a renewal."""
    phase = body["phases"][0]
    order = {
        "customer": body["customer"],
        "items": [
            {"price": item["price"], "quantity": item["quantity"], "_chosen": True}
            for item in phase["items"]
        ],
        "metadata": phase["metadata"],
        "discounts": [
            {name: value for name, value in given.items() if value} for given in phase["discounts"]
        ],
        "collection_method": phase["collection_method"],
        "default_payment_method": body["default_settings"]["default_payment_method"],
    }
    subscription, invoice = subscribing.place(unit, order, paid=True)
    subscription["schedule"] = body["id"]
    unit.save(subscription)
    body["subscription"] = subscription["id"]
    schedules.enter(unit, body, 0)
    invoice.update(finalizing.soon(unit))
    finalizing.due_after(unit, invoice, None)
    unit.save(invoice)
    finalizing.wait(unit, invoice)
    unit.emit("subscription_schedule.updated", body)


def _apply(unit: Unit, body: Json, number: int, behaviour: str) -> None:
    """The subscription sells what the phase says."""
    phase = body["phases"][number]
    subscription = unit.get("subscription", body["subscription"])
    wanted = _as_items(subscription, phase)
    if wanted and subscriptions.period_of(subscription)[1] <= unit.now:
        _apply_quietly(unit, subscription, wanted)
    elif wanted:
        change = {"items": wanted, "proration_behavior": behaviour}
        changing.update(unit, change, subscription["id"])


def _apply_quietly(unit: Unit, subscription: Json, wanted: list[Json]) -> None:
    """At the end of a period nothing is left to prorate: the renewal bills the new items."""
    before = subscription_items.rhythm_of(subscriptions.items_of(subscription)[0])
    subscription["items"]["data"] = repricing.items_after(unit, subscription, wanted)
    first = subscriptions.items_of(subscription)[0]
    if subscription_items.rhythm_of(first) != before:
        subscription.update(billing_cycle_anchor=unit.now, _period=0)
    unit.save(subscription)


def _as_items(subscription: Json, phase: Json) -> list[Json]:
    """What an update says to make the subscription's items those of the phase; empty if they are.

    Items keep their ids in order, as their prices change under them.
    """
    items = subscriptions.items_of(subscription)
    wanted: list[Json] = []
    for index, target in enumerate(phase["items"]):
        asked = {"price": target["price"], "quantity": target["quantity"], "_chosen": True}
        if index >= len(items):
            wanted.append(asked)
            continue
        item = items[index]
        if (item["price"]["id"], item["quantity"]) != (target["price"], target["quantity"]):
            wanted.append({"id": item["id"], **asked})
    for item in items[len(phase["items"]) :]:
        wanted.append({"id": item["id"], "deleted": True})
    return wanted


def _from_running(unit: Unit, values: Json) -> Json:
    if values.get("phases") or values.get("customer"):
        raise errors.invalid(
            "You cannot set `phases` or `customer` together with `from_subscription`; update the "
            "schedule afterwards.",
            param="from_subscription",
        )
    subscription = unit.get("subscription", values["from_subscription"], "from_subscription")
    if subscription["schedule"] or subscription["status"] in subscriptions.ENDED:
        raise errors.invalid(
            "The subscription has ended or has a schedule already.", param="from_subscription"
        )
    begins, ends = subscriptions.period_of(subscription)
    items = [
        {"price": item["price"]["id"], "quantity": item["quantity"]}
        for item in subscriptions.items_of(subscription)
    ]
    given = {"items": items, "start_date": begins, "end_date": ends}
    phases = [_phase(unit, given, begins)]
    body = schedules.made(unit, subscription["customer"], values, phases)
    body["subscription"] = subscription["id"]
    before = dict(subscription)
    subscription["schedule"] = body["id"]
    schedules.enter(unit, body, 0)
    unit.emit("subscription_schedule.created", body)
    unit.update("customer.subscription.updated", subscription, before)
    return body


def _phases(unit: Unit, given: list[Json], begins: int) -> list[Json]:
    if len(given) > _MOST_PHASES:
        raise errors.invalid(f"A schedule has at most {_MOST_PHASES} phases.", param="phases")
    phases: list[Json] = []
    for index, wanted in enumerate(given):
        starts = phases[-1]["end_date"] if phases else begins
        said = wanted.get("start_date")
        if isinstance(said, int) and said != starts:
            raise errors.invalid(
                f"A phase begins where the one before ends: at {starts}.",
                param=f"phases[{index}][start_date]",
            )
        phase = _phase(unit, wanted, starts)
        if phase["end_date"] <= starts:
            raise errors.invalid(
                "A phase must end after it begins.", param=f"phases[{index}][end_date]"
            )
        phases.append(phase)
    return phases


def _check_phases(unit: Unit, phases: list[Json], currency: str | None) -> None:
    """Refused now, and not when a phase begins: by then nobody would hear of it."""
    sold = currency or phases[0]["currency"]
    for index, phase in enumerate(phases):
        found = [unit.get("price", item["price"]) for item in phase["items"]]
        for price in found:
            prices.amount_in(price, sold)
        rhythms = {subscription_items.rhythm_of({"price": price}) for price in found}
        if len(rhythms) > 1 or len({price["id"] for price in found}) < len(found):
            raise errors.invalid(
                "The items of a phase must have different prices that share one billing interval.",
                param=f"phases[{index}][items]",
            )


def _phase(unit: Unit, given: Json, starts: int) -> Json:
    sold = [
        (subscription_items.priced(unit, item, f"phases[items][{index}]"), item)
        for index, item in enumerate(given["items"])
    ]
    price = sold[0][0]
    every = given.get("duration") or price["recurring"]
    end = given.get("end_date")
    ends = unit.now if end == "now" else end
    if ends is None:
        ends = months.after(starts, every["interval"], every.get("interval_count") or 1)
    return {
        **dict.fromkeys(_PHASE_EMPTY),
        "add_invoice_items": [],
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": None,
        "collection_method": given.get("collection_method"),
        "currency": price["currency"],
        "description": given.get("description"),
        "discounts": [
            {**dict.fromkeys(("coupon", "discount", "promotion_code")), **offer}
            for offer in given.get("discounts") or []
        ],
        "end_date": ends,
        "items": [_phase_item(found, item) for found, item in sold],
        "metadata": params.merged_metadata({}, given.get("metadata") or {}),
        "proration_behavior": given.get("proration_behavior") or "create_prorations",
        "start_date": starts,
    }


def _phase_item(price: Json, given: Json) -> Json:
    quantity = given.get("quantity")
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": params.merged_metadata({}, given.get("metadata") or {}),
        "plan": price["id"],
        "price": price["id"],
        "quantity": 1 if quantity is None else quantity,
        "tax_rates": [],
    }


def _open(unit: Unit, schedule_id: str) -> Json:
    body = unit.get(schedules.KIND, schedule_id)
    if body["status"] not in ("active", "not_started"):
        raise errors.invalid(
            f"The subscription schedule is {body['status']} and cannot be changed any more."
        )
    return body


_DURATION = params.hash_of(
    {
        "interval": params.choice("day", "week", "month", "year"),
        "interval_count": params.integer(1, 120),
    },
    ("interval",),
)
_ITEM_FIELDS = {name: subscribing.ITEM[name] for name in ("metadata", "price", "quantity")}
_PHASES = params.list_of(
    params.hash_of(
        {
            "collection_method": subscribing.COMMON["collection_method"],
            "description": TEXT,
            "discounts": subscribing.COMMON["discounts"],
            "duration": _DURATION,
            "end_date": params.moment_or("now"),
            "items": params.list_of(params.hash_of(_ITEM_FIELDS, ("price",)), 20),
            "metadata": params.metadata,
            "proration_behavior": subscribing.COMMON["proration_behavior"],
            "start_date": params.moment_or("now"),
        },
        ("items",),
    ),
    _MOST_PHASES,
)
_FIELDS: params.Fields = {
    "end_behavior": params.choice("cancel", "release"),
    "metadata": params.metadata,
    "phases": _PHASES,
}
_PATH = "/v1/subscription_schedules"
_PARTLY = "no trials, taxes, extra items or anchors of a phase; end_behavior cancel and release"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            **_FIELDS,
            "customer": TEXT,
            "default_settings": params.hash_of({"default_payment_method": TEXT}),
            "from_subscription": TEXT,
            "start_date": params.moment_or("now"),
        },
        partly=_PARTLY,
    ),
    Route(
        "POST",
        f"{_PATH}/<id>",
        update,
        {**_FIELDS, "proration_behavior": subscribing.COMMON["proration_behavior"]},
        partly=_PARTLY,
    ),
    Route("POST", f"{_PATH}/<id>/release", release),
    Route(
        "POST",
        f"{_PATH}/<id>/cancel",
        cancel,
        {
            "invoice_now": params.only(False, "The sandbox bills nothing at once here"),
            "prorate": params.boolean,
        },
        partly="invoice_now only false",
    ),
)
