"""Tax ids: what authorities know a business by, verified some seconds after it was given."""

from stripe_sandbox import Json, ids, tax_id_formats
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.unit import Unit, Where

KIND = "tax_id"
VERIFIED_TYPES = ("au_abn", "eu_vat", "gb_vat")
_VERIFIED_AFTER_SECONDS = 3
_MOST = 20
# What Stripe documents for testing; a country's letters before the digits do not matter.
_OUTCOMES = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}
_NO_ACCOUNTS = "owners are customers and the merchant, no accounts"


def create(unit: Unit, values: Json) -> Json:
    """A tax id of the owner named exists, the merchant's own if none is."""
    owner = values.get("owner") or {"type": "self"}
    if owner["type"] == "self":
        if owner.get("customer"):
            raise errors.invalid("The owner is not a customer.", param="owner[customer]")
        return made(unit, values, None)
    if not owner.get("customer"):
        raise errors.missing_parameter("owner[customer]")
    unit.living("customer", owner["customer"], "owner[customer]")
    return made(unit, values, owner["customer"])


def create_of_customer(unit: Unit, values: Json, customer: str) -> Json:
    """The customer has this tax id."""
    unit.living("customer", customer, "customer")
    return made(unit, values, customer)


def made(unit: Unit, values: Json, customer_id: str | None, param: str = "") -> Json:
    """The tax id is stored; if its type is one that is verified, the answer is due soon."""
    kind, value = values["type"], str(values["value"]).strip()
    check(kind, value, f"{param}[value]" if param else "value")
    if customer_id is not None:
        _check_room(unit, customer_id, kind, value)
    owner: Json = {"customer": customer_id, "type": "customer"} if customer_id else {"type": "self"}
    body: Json = {
        "id": ids.new_id("txi"),
        "object": KIND,
        "country": tax_id_formats.country(kind, value),
        "created": unit.now,
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "owner": {**owner, "customer_account": None},
        "type": kind,
        "value": value,
        "verification": None,
    }
    if customer_id is not None:
        verified = kind in VERIFIED_TYPES
        body["verification"] = {
            "status": "pending" if verified else "unavailable",
            "verified_address": None,
            "verified_name": None,
        }
    unit.insert(body)
    if customer_id is not None:
        unit.emit("customer.tax_id.created", body)
        if kind in VERIFIED_TYPES:
            unit.schedule("verify_tax_id", body["id"], unit.now + _VERIFIED_AFTER_SECONDS)
    return body


def check(kind: str, value: str, param: str) -> None:
    """The value has the form its type asks for, or Stripe's refusal."""
    magic = kind in VERIFIED_TYPES and _digits(value) in _OUTCOMES
    if not magic and not tax_id_formats.fits(kind, value):
        raise errors.invalid(f"Invalid value for {kind}.", code="tax_id_invalid", param=param)


def verify(unit: Unit, tax_id: str) -> None:
    """The authority has answered, or never will for the value that stays pending."""
    before = unit.get(KIND, tax_id)
    body = unit.get(KIND, tax_id)
    if body.get("deleted"):
        return
    outcome = _OUTCOMES.get(_digits(body["value"]), "verified")
    if outcome == "pending":
        return
    body["verification"]["status"] = outcome
    if outcome == "verified":
        holder = unit.get("customer", body["customer"])
        body["verification"]["verified_name"] = holder["name"] or "Verified in the sandbox"
    unit.update("customer.tax_id.updated", body, before)


def verified_of(unit: Unit, customer_id: str) -> list[Json]:
    """The customer's tax ids an authority has confirmed."""
    return [
        body
        for body in of_customer(unit, customer_id)
        if body["verification"]["status"] == "verified"
    ]


def of_customer(unit: Unit, customer_id: str) -> list[Json]:
    """The customer's tax ids, newest first."""
    return unit.select(KIND, [*_of(customer_id), _LIVING], _MOST)


def included(unit: Unit, customer: Json) -> Json:
    """The customer's tax ids as a list, for expansion."""
    rows = of_customer(unit, customer["id"])
    return lists.listed(f"/v1/customers/{customer['id']}/tax_ids", rows)


def retrieve(unit: Unit, values: Json, id: str) -> Json:
    """One tax id."""
    return unit.living(KIND, id)


def retrieve_of_customer(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """One tax id of the customer."""
    body = unit.living(KIND, id)
    if body["customer"] != customer:
        raise errors.no_such("tax id", id)
    return body


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The tax id is gone."""
    body = unit.living(KIND, id)
    if body["customer"]:
        unit.emit("customer.tax_id.deleted", body)
    body["deleted"] = True
    unit.unschedule("verify_tax_id", id)
    return unit.save(body)


def delete_of_customer(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """The customer has this tax id no more."""
    return delete(unit, {}, retrieve_of_customer(unit, {}, customer, id)["id"])


def all_of_customer(unit: Unit, values: Json, customer: str) -> Json:
    """The customer's tax ids, newest first."""
    unit.living("customer", customer, "customer")
    return lists.page(unit, KIND, f"/v1/customers/{customer}/tax_ids", values, _of(customer))


def all_of(unit: Unit, values: Json) -> Json:
    """The tax ids of one owner, the merchant if none is named, newest first."""
    owner = values.get("owner") or {"type": "self"}
    if owner["type"] == "customer" and not owner.get("customer"):
        raise errors.missing_parameter("owner[customer]")
    own = Where("json_extract(body, '$.owner.type') = 'self'")
    wheres = _of(owner["customer"]) if owner["type"] == "customer" else [own]
    return lists.page(unit, KIND, "/v1/tax_ids", values, wheres)


def _check_room(unit: Unit, customer_id: str, kind: str, value: str) -> None:
    held = of_customer(unit, customer_id)
    if any(body["type"] == kind and body["value"] == value for body in held):
        raise errors.invalid(
            "The customer already has this tax id.", code="resource_already_exists", param="value"
        )
    if len(held) >= _MOST:
        raise errors.invalid(f"A customer can have at most {_MOST} tax ids.", param="value")


def _of(customer_id: str) -> list[Where]:
    return lists.equal({"customer": customer_id}, "customer")


def _digits(value: str) -> str:
    return value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


_LIVING = Where("json_extract(body, '$.deleted') IS NULL")
DATUM: params.Fields = {"type": params.choice(*tax_id_formats.TYPES), "value": TEXT}
_NEEDED = ("type", "value")
_OWNER = params.hash_of({"customer": TEXT, "type": params.choice("customer", "self")}, ("type",))
_CUSTOMERS = "/v1/customers/<customer>/tax_ids"
ROUTES = (
    Route("POST", _CUSTOMERS, create_of_customer, DATUM, _NEEDED),
    Route("GET", f"{_CUSTOMERS}/<id>", retrieve_of_customer),
    Route("DELETE", f"{_CUSTOMERS}/<id>", delete_of_customer),
    Route("GET", _CUSTOMERS, all_of_customer, lists.PAGING),
    Route("POST", "/v1/tax_ids", create, {**DATUM, "owner": _OWNER}, _NEEDED, _NO_ACCOUNTS),
    Route("GET", "/v1/tax_ids/<id>", retrieve),
    Route("DELETE", "/v1/tax_ids/<id>", delete),
    Route("GET", "/v1/tax_ids", all_of, {**lists.PAGING, "owner": _OWNER}, partly=_NO_ACCOUNTS),
)
