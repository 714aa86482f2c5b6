"""Customers: who pays."""

import re

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.forms import FormValue
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import (
    customer_balance,
    customer_tax,
    payment_methods,
    sessions,
    sources,
    subscriptions,
    tax_ids,
)
from stripe_sandbox.unit import Unit, Where

_PLAIN = ("address", "description", "email", "name", "phone", "shipping")
# Left out while they are empty, as at Stripe.
_OR_ABSENT = ("business_name", "individual_name")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
_PREFIX = re.compile(r"[A-Z0-9]{1,12}\Z")
_DEFAULT_CURRENCY = "usd"
_MOST = 99_999_999


def _email(value: FormValue, name: str) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or len(value) > 512 or not _EMAIL.match(value):
        raise errors.invalid(f"Invalid email address: {value}", code="email_invalid", param=name)
    return value


def _prefix(value: FormValue, name: str) -> str:
    if not isinstance(value, str) or not _PREFIX.match(value):
        raise errors.invalid(
            "An invoice prefix is made of 1 to 12 uppercase letters or digits.", param=name
        )
    return value


_SETTINGS = params.hash_of(
    {
        "custom_fields": params.list_of(
            params.hash_of({"name": params.text(40), "value": params.text(140)}, ("name", "value")),
            4,
        ),
        "default_payment_method": TEXT,
        "footer": TEXT,
        "rendering_options": params.hash_of(
            {"amount_tax_display": params.choice("exclude_tax", "include_inclusive_tax")}
        ),
    }
)
_FIELDS: params.Fields = {
    "address": ADDRESS,
    "balance": params.integer(-_MOST, _MOST),
    "business_name": params.text(150),
    "description": TEXT,
    "email": _email,
    "individual_name": params.text(150),
    "invoice_prefix": _prefix,
    "invoice_settings": _SETTINGS,
    "metadata": params.metadata,
    "name": TEXT,
    "next_invoice_sequence": params.integer(1),
    "phone": TEXT,
    "preferred_locales": params.list_of(TEXT),
    "shipping": params.hash_of(
        {"address": ADDRESS, "name": TEXT, "phone": TEXT}, ("address", "name")
    ),
    "tax": customer_tax.PARAMETER,
    "tax_exempt": params.choice("none", "exempt", "reverse"),
}


def create(unit: Unit, values: Json) -> Json:
    """A new customer exists, with the payment method or card attached that came along."""
    if values.get("test_clock"):
        unit.living("test_helpers.test_clock", values["test_clock"], "test_clock")
        unit.enter(values["test_clock"])
    given_tax_ids = values.pop("tax_id_data", [])
    balance = values.pop("balance", 0)
    values.pop("test_clock", None)
    body = unit.insert(_drawn(unit))
    _attach_given(unit, body, values)
    _change(unit, body, values)
    unit.save(body)
    unit.emit("customer.created", body)
    for at, given in enumerate(given_tax_ids):
        tax_ids.made(unit, given, body["id"], f"tax_id_data[{at}]")
    if balance:
        customer_balance.move(unit, body, balance, "initial", currency=_DEFAULT_CURRENCY)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The customer is as asked; customer.updated names what changed."""
    before = unit.living("customer", id)
    body = unit.living("customer", id)
    wanted = values.pop("balance", before["balance"])
    _change_source(unit, body, values)
    _change(unit, body, values)
    unit.update("customer.updated", body, before)
    if wanted != before["balance"]:
        currency = body["currency"] or _DEFAULT_CURRENCY
        difference = wanted - before["balance"]
        customer_balance.move(unit, body, difference, "adjustment", currency=currency)
    return body


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The customer is gone and so are its subscriptions; its id still says that it was deleted."""
    body = unit.living("customer", id)
    for subscription in subscriptions.of_customer(unit, id):
        subscriptions.end(unit, subscription, reason="cancellation_requested")
    sessions.close_all_of(unit, id)
    unit.emit("customer.deleted", body)
    body["deleted"] = True
    return unit.save(body)


def all_of(unit: Unit, values: Json) -> Json:
    """The customers, newest first."""
    wheres = [*lists.equal(values, "email", "test_clock"), *lists.within(values, "created")]
    if not values.get("test_clock"):
        # As at Stripe: customers on test clocks are listed by their clock alone.
        wheres.append(Where("json_extract(body, '$.test_clock') IS NULL"))
    return lists.page(unit, "customer", "/v1/customers", values, wheres)


def methods_of(unit: Unit, values: Json, id: str) -> Json:
    """The payment methods attached to the customer."""
    unit.living("customer", id)
    wheres = lists.equal({**values, "customer": id}, "customer", "type")
    return lists.page(unit, "payment_method", f"/v1/customers/{id}/payment_methods", values, wheres)


def subscriptions_of(unit: Unit, body: Json) -> Json:
    """The customer's subscriptions that have not ended, for expansion."""
    rows = unit.select(
        "subscription",
        [
            *lists.equal({"customer": body["id"]}, "customer"),
            Where("json_extract(body, '$.status') <> 'canceled'"),
        ],
        10,
    )
    return lists.listed(f"/v1/customers/{body['id']}/subscriptions", rows)


def _drawn(unit: Unit) -> Json:
    return {
        "id": ids.new_id("cus", 14),
        "object": "customer",
        "balance": 0,
        "created": unit.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": ids.new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        "test_clock": unit.clock,
        **dict.fromkeys(_PLAIN),
    }


def _attach_given(unit: Unit, body: Json, values: Json) -> None:
    method, token = values.pop("payment_method", None), values.pop("source", None)
    if token:
        body["default_source"] = sources.saved(unit, token, body["id"])["id"]
    if not method:
        return
    # Attached, and no more: what pays by default is said in invoice_settings.
    attached = payment_methods.attach_to(unit, method, body["id"], "payment_method")
    settings = values.get("invoice_settings") or {}
    if settings.get("default_payment_method") == method:
        # A ready-made name said twice, pm_card_visa, is the one card it has just made.
        settings["default_payment_method"] = attached["id"]


def _change_source(unit: Unit, body: Json, values: Json) -> None:
    token, default = values.pop("source", None), values.pop("default_source", None)
    if token:
        new = sources.saved(unit, token, body["id"])
        if body["default_source"]:
            # The new card takes the old one's place.
            old = sources.owned(unit, body["default_source"], body["id"], "source")
            sources.forget(unit, old)
        body["default_source"] = new["id"]
    if default:
        method = sources.owned(unit, default, body["id"], "default_source")
        body["default_source"] = method["id"]


def _change(unit: Unit, body: Json, values: Json) -> None:
    for name, value in values.items():
        if name == "metadata":
            body["metadata"] = params.merged_metadata(body["metadata"], value)
        elif name == "invoice_settings":
            _change_settings(unit, body, value)
        elif name == "tax_exempt":
            body[name] = value or "none"
        elif name == "shipping" and value:
            body[name] = {"carrier": None, "phone": None, "tracking_number": None, **value}
        elif name in _OR_ABSENT and value is None:
            body.pop(name, None)
        elif name != "tax":
            body[name] = value
    customer_tax.take(body, values.get("tax"))


def _change_settings(unit: Unit, body: Json, given: Json | None) -> None:
    settings = given or {"default_payment_method": None, "footer": None}
    method = settings.get("default_payment_method")
    if method:
        payment_methods.of_customer(unit, method, body["id"])
    if "custom_fields" in settings:
        settings["custom_fields"] = settings["custom_fields"] or None
    if settings.get("rendering_options"):
        settings["rendering_options"].setdefault("template", None)
    body["invoice_settings"].update(settings)


_MISSING = "no cash balance, invoice templates"
ROUTES = (
    Route(
        "POST",
        "/v1/customers",
        create,
        {
            **_FIELDS,
            "payment_method": TEXT,
            "source": TEXT,
            "tax_id_data": params.list_of(params.hash_of(tax_ids.DATUM, ("type", "value")), 5),
            "test_clock": TEXT,
        },
        partly=_MISSING,
    ),
    retrieve("customer", "/v1/customers"),
    Route(
        "POST",
        "/v1/customers/<id>",
        update,
        {**_FIELDS, "default_source": TEXT, "source": TEXT},
        partly=_MISSING,
    ),
    Route("DELETE", "/v1/customers/<id>", delete),
    Route(
        "GET",
        "/v1/customers",
        all_of,
        {**lists.PAGING, "email": TEXT, "created": params.span, "test_clock": TEXT},
    ),
    Route(
        "GET",
        "/v1/customers/<id>/payment_methods",
        methods_of,
        {**lists.PAGING, "type": TEXT},
    ),
)
