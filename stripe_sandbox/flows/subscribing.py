"""A new subscription: what it sells, from when, and the first payment."""

from stripe_sandbox import Json, clock
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import applying, collecting, drafting, finalizing, repricing
from stripe_sandbox.objects import (
    automatic_tax,
    discounts,
    invoiceitems,
    payment_methods,
    schedules,
    subscription_items,
    subscriptions,
    tax_rates,
)
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_MOST_ITEMS = 20
_LONGEST_TRIAL_DAYS = 730


def create(unit: Unit, values: Json) -> Json:
    """A subscription exists; it is active if its first payment went well or none was due."""
    body, invoice = place(unit, values)
    if body["collection_method"] == "send_invoice":
        finalizing.due_after(unit, invoice, body["days_until_due"])
        invoice.update(finalizing.soon(unit))
        unit.save(invoice)
        finalizing.wait(unit, invoice)
        applying.begin(unit, body)
        return unit.get("subscription", body["id"])
    finalizing.finalize(unit, invoice)
    if invoice["status"] == "open":
        _pay_first(unit, body, invoice, values)
    return unit.get("subscription", body["id"])


def place(unit: Unit, values: Json, *, paid: bool = False) -> tuple[Json, Json]:
    """The subscription is stored, with a draft of its first invoice.

    Until that is paid it is incomplete, in its trial, or active if it was paid beforehand.
    """
    customer = unit.living("customer", values["customer"], "customer")
    chosen = _prices(unit, values["items"])
    currency = _currency(customer, values, chosen)
    body = subscriptions.made(unit, values, currency)
    _check(unit, values, customer)
    for price, given in chosen:
        item = subscription_items.made(unit, body["id"], price, given)
        item["tax_rates"] = tax_rates.chosen(unit, given.get("tax_rates") or [], "tax_rates")
        subscriptions.items_of(body).append(item)
    body["default_tax_rates"] = tax_rates.chosen(
        unit, values.get("default_tax_rates") or [], "default_tax_rates"
    )
    _set_calendar(unit, body, values)
    if paid and body["status"] == "incomplete":
        body["status"] = "active"
    _end_later(body, values)
    unit.insert(body)
    _discount(unit, body, customer, values)
    if customer["currency"] is None:
        customer["currency"] = currency
        unit.save(customer)
    unit.emit("customer.subscription.created", body)
    return body, _first_invoice(unit, body, customer, values, alone=paid)


def expire_first(unit: Unit, subscription_id: str) -> None:
    """Nobody has paid the first invoice: the subscription will not begin."""
    body = unit.get("subscription", subscription_id)
    if body["status"] != "incomplete":
        return
    before = unit.get("subscription", subscription_id)
    body.update(status="incomplete_expired", ended_at=unit.now)
    subscriptions.drop_timers(unit, body)
    if body["schedule"]:
        schedules.close(unit, body["schedule"], "canceled")
    unit.update("customer.subscription.updated", body, before)
    collecting.void_open(unit, body)


def refused(unit: Unit, intent: Json) -> errors.StripeFault:
    """The refusal of a payment whose effects are all undone."""
    error = intent["last_payment_error"] or {
        "type": "card_error",
        "code": "subscription_payment_intent_requires_action",
        "message": "This payment needs its owner to confirm it, which the request did not allow.",
    }
    fault = errors.card_refused(error, None)
    fault.keeps_effects = False
    return fault


def _pay_first(unit: Unit, body: Json, invoice: Json, values: Json) -> None:
    behaviour = values.get("payment_behavior") or "allow_incomplete"
    unit.schedule("expire_first", body["id"], unit.now + applying.PATIENCE_SECONDS)
    if behaviour == "default_incomplete":
        return
    if collecting.method_for(unit, invoice) is None:
        raise errors.invalid(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )
    how = collecting.Try(off_session=bool(values.get("off_session")))
    intent = collecting.attempt(unit, invoice, how)
    if behaviour == "error_if_incomplete" and intent["status"] != "succeeded":
        raise refused(unit, intent)


def _first_invoice(unit: Unit, body: Json, customer: Json, values: Json, *, alone: bool) -> Json:
    for extra in values.get("add_invoice_items") or []:
        add_once(unit, body, extra)
    bill = Bill(
        customer=customer,
        currency=body["currency"],
        reason="subscription_create",
        period=(unit.now, unit.now),
        subscription=body,
        alone=alone,
    )
    if body["_period"] or body["status"] == "trialing":
        invoice = drafting.of_period(unit, bill)
    else:
        _charge_until_anchor(unit, body, values)
        invoice = drafting.of_waiting(unit, bill)
    body["latest_invoice"] = invoice["id"]
    unit.save(body)
    if body["status"] != "incomplete":
        subscriptions.set_timers(unit, body)
    return invoice


def _charge_until_anchor(unit: Unit, body: Json, values: Json) -> None:
    if values.get("proration_behavior") == "none":
        return
    anchor = body["billing_cycle_anchor"]
    for item in subscriptions.items_of(body):
        whole = (subscription_items.after(anchor, item, -1), anchor)
        repricing.charge_part(unit, body, item, whole, unit.now)


def _set_calendar(unit: Unit, body: Json, values: Json) -> None:
    """The first period: a trial, what is left until a chosen anchor, or a whole one from now."""
    trial_end = _trial_end(unit, values)
    anchor = values.get("billing_cycle_anchor")
    if trial_end:
        body.update(
            status="trialing",
            trial_start=unit.now,
            trial_end=trial_end,
            billing_cycle_anchor=trial_end,
        )
        subscriptions.set_period(body, unit.now, trial_end)
    elif anchor:
        latest = subscription_items.after(unit.now, subscriptions.items_of(body)[0], 1)
        if not unit.now < anchor <= latest:
            raise errors.invalid(
                "billing_cycle_anchor must be in the future and at most one period away.",
                param="billing_cycle_anchor",
            )
        body["billing_cycle_anchor"] = anchor
        subscriptions.set_period(body, unit.now, anchor)
    else:
        subscriptions.anchor(body, unit.now)


def _trial_end(unit: Unit, values: Json) -> int | None:
    days, moment = values.get("trial_period_days"), values.get("trial_end")
    if days and moment:
        raise errors.invalid(
            "You may only specify one of these parameters: trial_end, trial_period_days."
        )
    if moment == "now" or not (days or moment):
        return None
    end = unit.now + days * clock.DAY if days else int(str(moment))
    if not unit.now < end <= unit.now + _LONGEST_TRIAL_DAYS * clock.DAY:
        raise errors.invalid(
            "The trial must end in the future, within two years.", param="trial_end"
        )
    return end


def _end_later(body: Json, values: Json) -> None:
    if values.get("cancel_at_period_end"):
        body.update(cancel_at_period_end=True, cancel_at=subscriptions.period_of(body)[1])
    elif values.get("cancel_at"):
        at = values["cancel_at"]
        body["cancel_at"] = at if isinstance(at, int) else subscriptions.period_of(body)[1]


def _discount(unit: Unit, body: Json, customer: Json, values: Json) -> None:
    if not values.get("discounts"):
        return
    amounts = [
        subscription_items.amount_of(unit, item, body["currency"])
        for item in subscriptions.items_of(body)
    ]
    target = discounts.Target(
        "subscription",
        body["id"],
        body["currency"],
        customer=customer,
        amount=sum(amounts),
        subscription=body["id"],
    )
    found = discounts.applied(unit, values["discounts"], target)
    for made in found:
        discounts.bound(unit, made, body["id"])
    body["discounts"] = [made["id"] for made in found]
    unit.save(body)


def add_once(unit: Unit, body: Json, extra: Json) -> None:
    """A sum of its own waits for the next invoice of the subscription."""
    named = {"pricing": {"price": extra["price"]}} if extra.get("price") else {}
    described = {"price_data": extra["price_data"]} if extra.get("price_data") else {}
    waiting = invoiceitems.create(
        unit,
        {
            "customer": body["customer"],
            "currency": body["currency"],
            "subscription": body["id"],
            "quantity": extra.get("quantity") or 1,
            "metadata": extra.get("metadata") or {},
            **named,
            **described,
        },
    )
    rates = extra.get("tax_rates") or []
    waiting["tax_rates"] = tax_rates.chosen(unit, rates, "add_invoice_items[tax_rates]")
    unit.save(waiting)


def _prices(unit: Unit, given: list[Json]) -> list[tuple[Json, Json]]:
    if not given:
        raise errors.missing_parameter("items")
    if len(given) > _MOST_ITEMS:
        raise errors.invalid(f"A subscription has at most {_MOST_ITEMS} items.", param="items")
    found = [
        (subscription_items.priced(unit, item, f"items[{index}]"), item)
        for index, item in enumerate(given)
    ]
    rhythms = {subscription_items.rhythm_of({"price": price}) for price, _ in found}
    if len(rhythms) > 1:
        raise errors.invalid(
            "The sandbox serves subscriptions whose items share one billing interval.",
            param="items",
        )
    return found


def _currency(customer: Json, values: Json, chosen: list[tuple[Json, Json]]) -> str:
    currency = str(values.get("currency") or customer["currency"] or chosen[0][0]["currency"])
    if customer["currency"] not in (None, currency):
        raise errors.invalid(
            f"You cannot combine currencies on a single customer. This customer has "
            f"{customer['currency']}.",
            param="currency",
        )
    return currency


def _check(unit: Unit, values: Json, customer: Json) -> None:
    method = values.get("default_payment_method")
    if method:
        payment_methods.of_customer(unit, method, customer["id"])
    sent = values.get("collection_method") == "send_invoice"
    if values.get("days_until_due") is not None and not sent:
        raise errors.invalid(
            "You can only set days_until_due with collection_method=send_invoice.",
            param="days_until_due",
        )
    taxed = (values.get("automatic_tax") or {}).get("enabled")
    if taxed and automatic_tax.status(automatic_tax.buyer_of(unit, customer)) != "complete":
        raise errors.invalid(
            "The customer's location isn't recognized. Set a valid customer address in order to "
            "automatically calculate tax.",
            code="customer_tax_location_invalid",
        )


TRIAL_SETTINGS = params.hash_of(
    {
        "end_behavior": params.hash_of(
            {"missing_payment_method": params.choice("cancel", "create_invoice", "pause")},
            ("missing_payment_method",),
        )
    },
    ("end_behavior",),
)
ITEM: params.Fields = {
    "metadata": params.metadata,
    "price": TEXT,
    "price_data": subscription_items.PRICE_DATA,
    "quantity": params.integer(0, 999_999),
    "tax_rates": params.list_of(TEXT, 5),
}
ONCE = params.list_of(
    params.hash_of(
        {
            "metadata": params.metadata,
            "price": TEXT,
            "price_data": params.hash_of(invoiceitems.PRICE_DATA, ("currency", "product")),
            "quantity": params.integer(1, 999_999),
            "tax_rates": params.list_of(TEXT, 5),
        }
    ),
    20,
)
COMMON: params.Fields = {
    "add_invoice_items": ONCE,
    "automatic_tax": params.hash_of({"enabled": params.boolean}, ("enabled",)),
    "cancel_at_period_end": params.boolean,
    "collection_method": params.choice("charge_automatically", "send_invoice"),
    "days_until_due": params.integer(0, 365),
    "default_payment_method": TEXT,
    "default_tax_rates": params.list_of(TEXT, 5),
    "description": params.text(500),
    "discounts": discounts.PARAMETER,
    "invoice_settings": params.hash_of({"description": TEXT, "footer": TEXT}),
    "metadata": params.metadata,
    "off_session": params.boolean,
    "payment_behavior": params.choice(
        "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
    ),
    "payment_settings": params.hash_of(
        {"save_default_payment_method": params.choice("off", "on_subscription")}
    ),
    "proration_behavior": params.choice("always_invoice", "create_prorations", "none"),
    "trial_end": params.moment_or("now"),
    "trial_settings": TRIAL_SETTINGS,
}
ROUTES = (
    Route(
        "POST",
        "/v1/subscriptions",
        create,
        {
            **COMMON,
            "billing_cycle_anchor": params.integer(),
            "billing_mode": params.hash_of(
                {
                    "flexible": params.hash_of(
                        {"proration_discounts": params.choice("included", "itemized")}
                    ),
                    "type": params.choice("flexible"),
                },
                ("type",),
            ),
            "cancel_at": params.moment_or("max_period_end", "min_period_end"),
            "currency": params.currency,
            "customer": TEXT,
            "items": params.list_of(params.hash_of(ITEM), 20),
            "trial_period_days": params.integer(0, _LONGEST_TRIAL_DAYS),
        },
        ("customer", "items"),
        partly="billing mode flexible; one interval for all items; discounts on the subscription, "
        "not on single items; no billing thresholds, backdating, anchor configs, Connect",
    ),
)
