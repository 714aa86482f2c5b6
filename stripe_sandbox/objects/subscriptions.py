"""Subscriptions: what renews, until when it is paid, and how it ends."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import schedules, subscription_items
from stripe_sandbox.unit import Unit, Where

ENDED = ("canceled", "incomplete_expired")
UPCOMING_SECONDS = 7 * 24 * 3600
_TRIAL_NOTICE_SECONDS = 3 * 24 * 3600
_EMPTY = (
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "cancel_at",
    "canceled_at",
    "customer_account",
    "default_source",
    "ended_at",
    "latest_invoice",
    "managed_payments",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "transfer_data",
    "trial_end",
    "trial_start",
)
_KEPT = ("days_until_due", "default_payment_method", "description")
_UNTAXED = {"disabled_reason": None, "enabled": False, "liability": None}
_SETTINGS = {
    "payment_method_options": None,
    "payment_method_types": None,
    "save_default_payment_method": "off",
}
_INVOICES = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": {"type": "self"},
}


def made(unit: Unit, values: Json, currency: str) -> Json:
    """A subscription without items yet; nothing is stored, its status says that it is unpaid."""
    subscription_id = ids.new_id("sub")
    mode = values.get("billing_mode") or {}
    return {
        "id": subscription_id,
        "object": "subscription",
        **dict.fromkeys(_EMPTY),
        **{name: values.get(name) for name in _KEPT},
        "automatic_tax": taxed(values.get("automatic_tax")),
        "billing_cycle_anchor": unit.now,
        "billing_mode": billing_mode(mode),
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": dict.fromkeys(("comment", "feedback", "feedback_option", "reason")),
        "collection_method": values.get("collection_method") or "charge_automatically",
        "created": unit.now,
        "currency": currency,
        "customer": values["customer"],
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {**_INVOICES, **(values.get("invoice_settings") or {})},
        "items": lists.listed(f"/v1/subscription_items?subscription={subscription_id}", []),
        "livemode": False,
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "payment_settings": {**_SETTINGS, **(values.get("payment_settings") or {})},
        "start_date": unit.now,
        "status": "incomplete",
        "test_clock": unit.clock,
        "trial_settings": values.get("trial_settings")
        or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        # How many periods after the anchor the present one ends.
        "_period": 0,
        # By item: what was billed for which time, which is what a change gives back a part of.
        "_debits": {},
    }


def billing_mode(given: Json) -> Json:
    """The billing mode as it is shown; flexible unless classic was asked for."""
    if given.get("type") == "classic":
        return {"flexible": None, "type": "classic"}
    wanted = (given.get("flexible") or {}).get("proration_discounts") or "included"
    return {"flexible": {"proration_discounts": wanted}, "type": "flexible"}


def taxed(given: Json | None) -> Json:
    """The automatic_tax of a subscription for what was asked."""
    if not (given and given.get("enabled")):
        return dict(_UNTAXED)
    return {**_UNTAXED, "enabled": True, "liability": {"type": "self"}}


def items_of(body: Json) -> list[Json]:
    """The items of the subscription; changing one changes the subscription."""
    found: list[Json] = body["items"]["data"]
    return found


def period_of(body: Json) -> tuple[int, int]:
    """The bounds of the present period; all items of a subscription share them."""
    first = items_of(body)[0]
    return int(first["current_period_start"]), int(first["current_period_end"])


def set_period(body: Json, begins: int, ends: int) -> None:
    """Every item is in this period."""
    for item in items_of(body):
        item.update(current_period_start=begins, current_period_end=ends, billed_until=ends)


def next_end(body: Json) -> int:
    """When the period after the present one ends, counted from the anchor."""
    first = items_of(body)[0]
    return subscription_items.after(body["billing_cycle_anchor"], first, body["_period"] + 1)


def turn_period(body: Json) -> None:
    """The subscription is in its next period."""
    begins = period_of(body)[1]
    ends = next_end(body)
    body["_period"] += 1
    set_period(body, begins, ends)


def anchor(body: Json, moment: int) -> None:
    """Periods are counted from this moment, and the first of them is the present one."""
    body.update(billing_cycle_anchor=moment, _period=0)
    set_period(body, moment, next_end(body))
    body["_period"] = 1


def set_timers(unit: Unit, body: Json) -> None:
    """The end of the period, what is announced before it, and an end on a day are due."""
    ends = period_of(body)[1]
    if body["cancel_at_period_end"]:
        # A change may have moved the end of the period.
        body["cancel_at"] = ends
    unit.schedule("renew", body["id"], ends)
    unit.unschedule("announce", body["id"])
    if body["status"] == "trialing":
        notice = ends - _TRIAL_NOTICE_SECONDS
        unit.schedule("announce", body["id"], max(notice, unit.now))
    elif ends - UPCOMING_SECONDS > unit.now:
        unit.schedule("announce", body["id"], ends - UPCOMING_SECONDS)
    unit.unschedule("cancel", body["id"])
    if body["cancel_at"] and body["cancel_at"] < ends:
        unit.schedule("cancel", body["id"], body["cancel_at"])


def drop_timers(unit: Unit, body: Json) -> None:
    """Nothing of the subscription is due any more."""
    for verb in ("renew", "announce", "cancel", "expire_first", "expire_change", "unpause"):
        unit.unschedule(verb, body["id"])


def end(unit: Unit, body: Json, *, reason: str, details: Json | None = None) -> Json:
    """The subscription has ended now and renews no more."""
    body.update(status="canceled", ended_at=unit.now, pending_update=None)
    if body["schedule"]:
        schedules.close(unit, body["schedule"], "canceled")
    body["canceled_at"] = body["canceled_at"] or unit.now
    body["cancellation_details"].update(details or {})
    body["cancellation_details"]["reason"] = body["cancellation_details"]["reason"] or reason
    drop_timers(unit, body)
    unit.save(body)
    unit.emit("customer.subscription.deleted", body)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The subscriptions, newest first; ended ones only when asked for."""
    wheres = [
        *lists.equal(values, "customer", "collection_method", "test_clock"),
        *lists.within(values, "created"),
        *_with_status(values.get("status")),
    ]
    if values.get("price"):
        has_price = (
            "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') AS item "
            "WHERE json_extract(item.value, '$.price.id') = ?)"
        )
        wheres.append(Where(has_price, (values["price"],)))
    return lists.page(unit, "subscription", "/v1/subscriptions", values, wheres)


def of_customer(unit: Unit, customer_id: str) -> list[Json]:
    """The customer's subscriptions that have not ended."""
    wheres = lists.equal({"customer": customer_id}, "customer")
    return [body for body in unit.select("subscription", wheres) if body["status"] not in ENDED]


def _with_status(status: str | None) -> list[Where]:
    field = "json_extract(body, '$.status')"
    if status == "all":
        return []
    if status == "ended":
        return [Where(f"{field} IN (?, ?)", ENDED)]
    return [Where(f"{field} = ?", (status,))] if status else [Where(f"{field} <> 'canceled'")]


ROUTES = (
    retrieve("subscription", "/v1/subscriptions"),
    Route(
        "GET",
        "/v1/subscriptions",
        all_of,
        {
            **lists.PAGING,
            "collection_method": params.choice("charge_automatically", "send_invoice"),
            "created": params.span,
            "customer": TEXT,
            "price": TEXT,
            "status": params.choice(
                "active",
                "all",
                "canceled",
                "ended",
                "incomplete",
                "incomplete_expired",
                "past_due",
                "paused",
                "trialing",
                "unpaid",
            ),
            "test_clock": TEXT,
        },
    ),
)
