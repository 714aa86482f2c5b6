"""Customers: who pays."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import payment_methods, subscriptions
from stripe_sandbox.unit import Unit, Where

_PLAIN = (
    "address",
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
    "shipping",
)
_FIELDS: params.Fields = {
    "address": ADDRESS,
    "business_name": TEXT,
    "description": TEXT,
    "email": params.text(512),
    "individual_name": TEXT,
    "invoice_prefix": params.text(12),
    "invoice_settings": params.hash_of({"default_payment_method": TEXT, "footer": TEXT}),
    "metadata": params.metadata,
    "name": TEXT,
    "next_invoice_sequence": params.integer(1),
    "phone": TEXT,
    "preferred_locales": params.list_of(TEXT),
    "shipping": params.hash_of({"address": ADDRESS, "name": TEXT, "phone": TEXT}),
    "tax_exempt": params.choice("none", "exempt", "reverse"),
}


def create(unit: Unit, values: Json) -> Json:
    """A new customer exists, with its payment method attached if one came along."""
    if values.get("test_clock"):
        unit.living("test_helpers.test_clock", values["test_clock"], "test_clock")
        unit.enter(values["test_clock"])
    body: Json = {
        "id": ids.new_id("cus", 14),
        "object": "customer",
        "balance": 0,
        "created": unit.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
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
    method = values.pop("payment_method", None)
    values.pop("test_clock", None)
    unit.insert(body)
    _change(unit, body, values)
    if method:
        attached = payment_methods.attach_to(unit, method, body["id"], "payment_method")
        body["invoice_settings"]["default_payment_method"] = attached["id"]
    unit.save(body)
    unit.emit("customer.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The customer is as asked; customer.updated names what changed."""
    before = unit.living("customer", id)
    body = unit.living("customer", id)
    _change(unit, body, values)
    return unit.update("customer.updated", body, before)


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The customer is gone and so are its subscriptions; its id still says that it was deleted."""
    body = unit.living("customer", id)
    for subscription in subscriptions.of_customer(unit, id):
        subscriptions.end(unit, subscription, reason="cancellation_requested")
    unit.emit("customer.deleted", body)
    body["deleted"] = True
    return unit.save(body)


def all_of(unit: Unit, values: Json) -> Json:
    """The customers, newest first."""
    wheres = [*lists.equal(values, "email"), *lists.within(values, "created")]
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


def _change(unit: Unit, body: Json, values: Json) -> None:
    for name, value in values.items():
        if name == "metadata":
            body["metadata"] = params.merged_metadata(body["metadata"], value)
        elif name == "invoice_settings":
            settings = value or {"default_payment_method": None, "footer": None}
            method = settings.get("default_payment_method")
            if method:
                payment_methods.of_customer(unit, method, body["id"])
            body["invoice_settings"].update(settings)
        else:
            body[name] = value


ROUTES = (
    Route(
        "POST",
        "/v1/customers",
        create,
        {**_FIELDS, "payment_method": TEXT, "test_clock": TEXT},
        partly="no balance, tax ids, sources, test clocks",
    ),
    retrieve("customer", "/v1/customers"),
    Route(
        "POST",
        "/v1/customers/<id>",
        update,
        _FIELDS,
        partly="no balance, tax ids, sources, test clocks",
    ),
    Route("DELETE", "/v1/customers/<id>", delete),
    Route(
        "GET",
        "/v1/customers",
        all_of,
        {**lists.PAGING, "email": TEXT, "created": params.span},
    ),
    Route(
        "GET",
        "/v1/customers/<id>/payment_methods",
        methods_of,
        {**lists.PAGING, "type": TEXT},
    ),
)
