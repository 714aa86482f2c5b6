"""Saved cards of the older API: payment methods with ids and a shape of their own."""

from stripe_sandbox import Json, cards
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import instruments, payment_methods, tokens
from stripe_sandbox.unit import Unit, Where

_IS_SOURCE = Where("id GLOB 'card_*'")
# What the older API calls the parts of an address.
_ADDRESS = {
    "address_city": "city",
    "address_country": "country",
    "address_line1": "line1",
    "address_line2": "line2",
    "address_state": "state",
    "address_zip": "postal_code",
}
_DATES = ("exp_month", "exp_year")


def create(unit: Unit, values: Json, id: str) -> Json:
    """The customer has saved the card, and pays with it if they had none."""
    customer = unit.living("customer", id, "customer")
    method = saved(unit, values["source"], id)
    method["metadata"] = params.merged_metadata({}, values.get("metadata") or {})
    unit.save(method)
    if customer["default_source"] is None:
        before = dict(customer)
        customer["default_source"] = method["id"]
        unit.update("customer.updated", customer, before)
    return shown(method)


def retrieve(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """The saved card."""
    return shown(owned(unit, id, customer, "id"))


def update(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """The saved card is as asked."""
    method = owned(unit, id, customer, "id")
    before = shown(method)
    if "metadata" in values:
        method["metadata"] = params.merged_metadata(method["metadata"], values["metadata"])
    method["card"].update({name: values[name] for name in _DATES if name in values})
    billing = method["billing_details"]
    if "name" in values:
        billing["name"] = values["name"]
    parts = {part: values[name] for name, part in _ADDRESS.items() if name in values}
    if parts:
        billing["address"] = {**(billing["address"] or dict.fromkeys(_ADDRESS.values())), **parts}
    after = shown(method)
    if after != before:
        unit.save(method)
        unit.emit("customer.source.updated", after, before)
    return after


def delete(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """The card is saved no more; the newest of the others pays instead."""
    method = owned(unit, id, customer, "id")
    forget(unit, method)
    body = unit.living("customer", customer, "customer")
    if body["default_source"] == id:
        before = dict(body)
        others = _of(unit, customer, 1)
        body["default_source"] = others[0]["id"] if others else None
        unit.update("customer.updated", body, before)
    return {"id": id, "object": "card", "deleted": True}


def all_of(unit: Unit, values: Json, id: str) -> Json:
    """The customer's saved cards, newest first."""
    unit.living("customer", id, "customer")
    wheres = [_IS_SOURCE, *lists.equal({"customer": id}, "customer")]
    page = lists.page(unit, "payment_method", f"/v1/customers/{id}/sources", values, wheres)
    return {**page, "data": [shown(method) for method in page["data"]]}


def saved(unit: Unit, token: str, customer_id: str) -> Json:
    """A payment method for the token's card is the customer's, unless the bank refused it."""
    method = instruments.source_of(unit, token)
    refusal = payment_methods.refused_saving(method)
    if refusal is not None:
        raise errors.card_refused(payment_methods.refusal_body(refusal), None)
    method["customer"] = customer_id
    unit.insert(method)
    unit.emit("customer.source.created", shown(method))
    return method


def forget(unit: Unit, method: Json) -> None:
    """The card belongs to nobody any more."""
    unit.emit("customer.source.deleted", shown(method))
    method["customer"] = None
    unit.save(method)


def owned(unit: Unit, source_id: str, customer_id: str, param: str) -> Json:
    """The payment method that stands for the customer's saved card."""
    method = unit.find(source_id) if source_id.startswith("card_") else None
    if method is None or method["customer"] != customer_id:
        raise errors.no_such("source", source_id, param)
    return method


def default_of(unit: Unit, body: Json) -> Json | None:
    """The card that the customer pays with by default, for expansion."""
    source = body["default_source"]
    return shown(owned(unit, source, body["id"], "default_source")) if source else None


def included(unit: Unit, body: Json) -> Json:
    """The customer's saved cards, for expansion."""
    cards_of_customer = [shown(method) for method in _of(unit, body["id"], 10)]
    return lists.listed(f"/v1/customers/{body['id']}/sources", cards_of_customer)


def shown(method: Json) -> Json:
    """The saved card in the shape of the older API."""
    card, billing = method["card"], method["billing_details"]
    expiry = (card["exp_month"], card["exp_year"])
    address = billing["address"] or {}
    return {
        **tokens.drawn(cards.by_name(method["_card"]), expiry, with_cvc=False),
        **{name: address.get(part) for name, part in _ADDRESS.items()},
        "id": method["id"],
        "customer": method["customer"],
        "cvc_check": card["checks"]["cvc_check"],
        "metadata": method["metadata"],
        "name": billing["name"],
    }


def _of(unit: Unit, customer_id: str, most: int) -> list[Json]:
    wheres = [_IS_SOURCE, *lists.equal({"customer": customer_id}, "customer")]
    return unit.select("payment_method", wheres, most)


_PATH = "/v1/customers/<id>/sources"
_ONE = "/v1/customers/<customer>/sources/<id>"
_CARDS = "test cards only"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {"metadata": params.metadata, "source": TEXT},
        ("source",),
        partly=_CARDS,
    ),
    Route("GET", _PATH, all_of, {**lists.PAGING, "object": params.choice("card")}, partly=_CARDS),
    Route("GET", _ONE, retrieve),
    Route(
        "POST",
        _ONE,
        update,
        {
            **dict.fromkeys((*_ADDRESS, "name"), TEXT),
            "exp_month": params.integer(1, 12),
            "exp_year": params.integer(2000, 2099),
            "metadata": params.metadata,
        },
        partly=_CARDS,
    ),
    Route("DELETE", _ONE, delete),
)
