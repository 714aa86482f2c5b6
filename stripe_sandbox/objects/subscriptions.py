"""Subscriptions: what renews, until when it is paid, and how it ends."""

from dataclasses import dataclass

from stripe_sandbox import Json, ids, months
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import payment_methods, prices
from stripe_sandbox.unit import Unit, Where, public

_ENDED = ("canceled", "incomplete_expired")
_EMPTY = (
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "cancel_at",
    "canceled_at",
    "days_until_due",
    "default_source",
    "ended_at",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "status_details",
    "test_clock",
    "transfer_data",
    "trial_end",
    "trial_start",
)
_FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
_FLEXIBLE = {
    "flexible": {"proration_discounts": "included"},
    "type": "flexible",
    "updated_at": None,
}
_SETTINGS = {
    "payment_method_options": None,
    "payment_method_types": None,
    "save_default_payment_method": "off",
}


@dataclass(frozen=True)
class Order:
    """What was bought: (price, quantity) pairs of one period, by whom, and what pays for it."""

    customer: str
    currency: str
    method: str
    lines: tuple[tuple[Json, int], ...]
    metadata: Json
    description: str | None = None


def start(unit: Unit, order: Order) -> Json:
    """An active subscription exists whose first period begins now and renews at its end."""
    subscription_id = ids.new_id("sub")
    items = [_item(unit, subscription_id, price, quantity) for price, quantity in order.lines]
    body = unit.insert(
        {
            "id": subscription_id,
            "object": "subscription",
            **dict.fromkeys(_EMPTY),
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": unit.now,
            "billing_mode": dict(_FLEXIBLE),
            "billing_schedules": [],
            "cancel_at_period_end": False,
            "cancellation_details": dict.fromkeys(("comment", "feedback", "reason")),
            "collection_method": "charge_automatically",
            "created": unit.now,
            "currency": order.currency,
            "customer": order.customer,
            "default_payment_method": order.method,
            "default_tax_rates": [],
            "description": order.description,
            "discounts": [],
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": lists.listed(f"/v1/subscription_items?subscription={subscription_id}", items),
            "livemode": False,
            "metadata": order.metadata,
            "payment_settings": dict(_SETTINGS),
            "start_date": unit.now,
            "status": "active",
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "_period": 1,
        }
    )
    unit.schedule("renew", subscription_id, period_end(body))
    return body


def turn_period(unit: Unit, body: Json) -> Json:
    """The subscription is in its next period, counted from its anchor; the renewal after is due."""
    body["_period"] += 1
    for item in body["items"]["data"]:
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = _end_of(body, item, body["_period"])
        item["billed_until"] = item["current_period_end"]
    unit.schedule("renew", body["id"], period_end(body))
    return body


def period_end(body: Json) -> int:
    """The moment the paid period ends; all items of a subscription share it."""
    return int(body["items"]["data"][0]["current_period_end"])


def end(unit: Unit, body: Json, *, reason: str, details: Json | None = None) -> Json:
    """The subscription has ended now and renews no more."""
    body.update(status="canceled", ended_at=unit.now)
    body["canceled_at"] = body["canceled_at"] or unit.now
    body["cancellation_details"].update(details or {})
    body["cancellation_details"]["reason"] = body["cancellation_details"]["reason"] or reason
    unit.unschedule("renew", body["id"])
    unit.save(body)
    unit.emit("customer.subscription.deleted", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The subscription is as asked; customer.subscription.updated names what changed."""
    before = unit.get("subscription", id)
    body = unit.get("subscription", id)
    if body["status"] in _ENDED:
        raise errors.invalid(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    if values.get("default_payment_method"):
        payment_methods.of_customer(unit, values["default_payment_method"], body["customer"])
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    body["cancellation_details"].update(values.get("cancellation_details") or {})
    if "cancel_at_period_end" in values:
        _end_with_period(unit, body, wanted=values["cancel_at_period_end"])
    body.update(
        {name: values[name] for name in ("default_payment_method", "description") if name in values}
    )
    return unit.update("customer.subscription.updated", body, before)


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """The subscription has ended now; nothing is given back."""
    body = unit.get("subscription", id)
    if body["status"] in _ENDED:
        raise errors.no_such("subscription", id)
    return end(
        unit, body, reason="cancellation_requested", details=values.get("cancellation_details")
    )


def all_of(unit: Unit, values: Json) -> Json:
    """The subscriptions, newest first; ended ones only when asked for."""
    wheres = [
        *lists.equal(values, "customer", "collection_method"),
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
    return [body for body in unit.select("subscription", wheres) if body["status"] not in _ENDED]


def item(unit: Unit, values: Json, id: str) -> Json:
    """One item of a subscription."""
    has_item = (
        "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') AS item "
        "WHERE json_extract(item.value, '$.id') = ?)"
    )
    for body in unit.select("subscription", [Where(has_item, (id,))], 1):
        return dict(next(item for item in body["items"]["data"] if item["id"] == id))
    raise errors.no_such("subscription_item", id)


def items(unit: Unit, values: Json) -> Json:
    """The items of one subscription."""
    body = unit.get("subscription", values["subscription"], "subscription")
    return lists.listed("/v1/subscription_items", body["items"]["data"])


def _with_status(status: str | None) -> list[Where]:
    field = "json_extract(body, '$.status')"
    if status == "all":
        return []
    if status == "ended":
        return [Where(f"{field} IN (?, ?)", _ENDED)]
    return [Where(f"{field} = ?", (status,))] if status else [Where(f"{field} <> 'canceled'")]


def _end_with_period(unit: Unit, body: Json, *, wanted: bool) -> None:
    body["cancel_at_period_end"] = wanted
    body["cancel_at"] = period_end(body) if wanted else None
    body["canceled_at"] = unit.now if wanted else None
    body["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def _item(unit: Unit, subscription_id: str, price: Json, quantity: int) -> Json:
    shown = public(price)
    every = price["recurring"]
    ends = months.after(unit.now, every["interval"], every["interval_count"])
    return {
        "id": ids.new_id("si", 14),
        "object": "subscription_item",
        "billed_until": ends,
        "billing_thresholds": None,
        "created": unit.now,
        "current_period_end": ends,
        "current_period_start": unit.now,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": prices.plan_of(shown),
        "price": shown,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def _end_of(body: Json, item: Json, period: int) -> int:
    every = item["price"]["recurring"]
    return months.after(
        body["billing_cycle_anchor"], every["interval"], every["interval_count"] * period
    )


_DETAILS = params.hash_of({"comment": TEXT, "feedback": params.choice(*_FEEDBACK)})
_PRORATION = "The sandbox does not serve proration yet: leave it out or false"
ROUTES = (
    retrieve("subscription", "/v1/subscriptions"),
    Route(
        "POST",
        "/v1/subscriptions/<id>",
        update,
        {
            "cancel_at_period_end": params.boolean,
            "cancellation_details": _DETAILS,
            "default_payment_method": TEXT,
            "description": params.text(500),
            "metadata": params.metadata,
        },
        partly="no change of items",
    ),
    Route(
        "DELETE",
        "/v1/subscriptions/<id>",
        cancel,
        {
            "cancellation_details": _DETAILS,
            "invoice_now": params.only(False, _PRORATION),
            "prorate": params.only(False, _PRORATION),
        },
        partly="no proration",
    ),
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
        },
    ),
    Route("GET", "/v1/subscription_items/<id>", item),
    Route(
        "GET",
        "/v1/subscription_items",
        items,
        {**lists.PAGING, "subscription": TEXT},
        ("subscription",),
    ),
)
