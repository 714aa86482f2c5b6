"""Previews: the invoice that a change, a new subscription or the next period would bring.

A preview is made by the very code that makes the invoice, and then undone: that is why the two
agree to the cent for the same ``proration_date``.
"""

from stripe_sandbox import Json, amounts, ids
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import changing, drafting, ending, subscribing
from stripe_sandbox.objects import discounts, invoiceitems, subscriptions
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit, public


def create(unit: Unit, values: Json) -> Json:
    """The invoice as it would be; nothing of it is kept."""
    details = values.get("subscription_details") or {}
    with unit.rehearsal():
        if values.get("subscription"):
            body = unit.get("subscription", values["subscription"], "subscription")
            invoice = _of_change(unit, body, values, details)
        elif details.get("items"):
            invoice = _of_new(unit, values, details)
        else:
            invoice = _of_waiting(unit, values)
        shown = _shown(invoice)
    return shown


def of_next_period(unit: Unit, body: Json) -> Json:
    """The invoice of the period after the present one, as it would be now."""
    with unit.rehearsal():
        return _shown(_next(unit, unit.get("subscription", body["id"])))


def _of_change(unit: Unit, body: Json, values: Json, details: Json) -> Json:
    if body["status"] in subscriptions.ENDED:
        raise errors.invalid(
            "You cannot preview the invoice of a canceled subscription.",
            code="invoice_upcoming_none",
        )
    _add_extras(unit, body, values)
    if values.get("discounts") is not None:
        customer = unit.get("customer", body["customer"])
        target = discounts.Target("subscription", body["id"], body["currency"], customer)
        found = discounts.applied(unit, values["discounts"], target)
        body["discounts"] = [made["id"] for made in found]
        unit.save(body)
    if details.get("cancel_now"):
        return _of_end(unit, body, details)
    wished: Json = {
        name: details[name]
        for name in ("billing_cycle_anchor", "items", "proration_behavior", "proration_date")
        if name in details
    }
    if details.get("trial_end"):
        wished["trial_end"] = details["trial_end"]
    if not {"items", "billing_cycle_anchor", "trial_end"} & set(wished):
        return _next(unit, body)
    change = changing.prepared(unit, body, wished)
    if change.bill is not None:
        return changing.drafted(unit, change)
    return _next(unit, change.after)


def _of_end(unit: Unit, body: Json, details: Json) -> Json:
    if details.get("proration_behavior") != "none":
        ending.give_back(unit, body, details.get("proration_date") or unit.now)
    return drafting.of_waiting(unit, _bill(unit, body, subscriptions.period_of(body)))


def _of_new(unit: Unit, values: Json, details: Json) -> Json:
    if not values.get("customer"):
        raise errors.missing_parameter("customer")
    order = {
        "customer": values["customer"],
        "items": details["items"],
        "automatic_tax": values.get("automatic_tax"),
        "currency": values.get("currency"),
        "discounts": values.get("discounts"),
        "trial_end": details.get("trial_end"),
    }
    return subscribing.place(unit, {k: v for k, v in order.items() if v is not None})[1]


def _of_waiting(unit: Unit, values: Json) -> Json:
    if not values.get("customer"):
        raise errors.missing_parameter("customer")
    customer = unit.living("customer", values["customer"], "customer")
    running = subscriptions.of_customer(unit, customer["id"])
    currency = values.get("currency") or customer["currency"] or "usd"
    if running and not values.get("invoice_items"):
        return _next(unit, running[0])
    _add_extras(unit, {"customer": customer["id"], "currency": currency, "id": None}, values)
    invoice = drafting.of_waiting(unit, Bill(customer, currency, "upcoming", (unit.now, unit.now)))
    if not invoice["lines"]["data"]:
        raise errors.invalid(
            f"No upcoming invoices for customer: {customer['id']}",
            code="invoice_upcoming_none",
            status=404,
        )
    return invoice


def _next(unit: Unit, body: Json) -> Json:
    ended = subscriptions.period_of(body)
    if body["cancel_at_period_end"]:
        raise errors.invalid(
            f"No upcoming invoices: subscription {body['id']} ends with its period.",
            code="invoice_upcoming_none",
            status=404,
        )
    subscriptions.turn_period(body)
    if body["status"] == "trialing":
        body["status"] = "active"
    return drafting.of_period(unit, _bill(unit, body, ended))


def _bill(unit: Unit, body: Json, period: tuple[int, int]) -> Bill:
    customer = unit.get("customer", body["customer"])
    return Bill(customer, body["currency"], "upcoming", period, body)


def _add_extras(unit: Unit, body: Json, values: Json) -> None:
    for extra in values.get("invoice_items") or []:
        given = {name: value for name, value in extra.items() if value is not None}
        owner = {"subscription": body["id"]} if body["id"] else {}
        invoiceitems.create(
            unit,
            {"customer": body["customer"], "currency": body["currency"], **given, **owner},
        )


def _shown(invoice: Json) -> Json:
    shown = public(invoice)
    if 0 < shown["amount_due"] < amounts.smallest(shown["currency"]):
        # As when it is made final: too little to charge is carried to the next invoice.
        shown.update(amount_due=0, amount_remaining=0)
    preview_id = ids.new_id("upcoming_in")
    for line in shown["lines"]["data"]:
        line["invoice"] = preview_id
    shown["lines"]["url"] = f"/v1/invoices/{preview_id}/lines"
    return {**shown, "id": preview_id, "auto_advance": False, "test_clock": invoice["test_clock"]}


_EXTRA = params.list_of(
    params.hash_of(
        {
            "amount": params.integer(-99_999_999, 99_999_999),
            "currency": params.currency,
            "description": TEXT,
            "discountable": params.boolean,
            "metadata": params.metadata,
            "price_data": params.hash_of(invoiceitems.PRICE_DATA, ("currency", "product")),
            "quantity": params.integer(1, 999_999),
        }
    ),
    50,
)
ROUTES = (
    Route(
        "POST",
        "/v1/invoices/create_preview",
        create,
        {
            "automatic_tax": subscribing.COMMON["automatic_tax"],
            "currency": params.currency,
            "customer": TEXT,
            "discounts": discounts.PARAMETER,
            "invoice_items": _EXTRA,
            "preview_mode": params.choice("next"),
            "subscription": TEXT,
            "subscription_details": params.hash_of(
                {
                    "billing_cycle_anchor": changing.ANCHOR,
                    "cancel_now": params.boolean,
                    "items": changing.ITEMS,
                    "proration_behavior": subscribing.COMMON["proration_behavior"],
                    "proration_date": params.integer(),
                    "trial_end": params.moment_or("now"),
                }
            ),
        },
        partly="no customer_details, no schedules, preview mode next only",
    ),
)
