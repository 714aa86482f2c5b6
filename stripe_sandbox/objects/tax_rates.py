"""Tax rates: percentages a merchant keeps by hand, and those the automatic tax leaves behind."""

import re
from decimal import Decimal

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.forms import FormValue
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit

KIND = "tax_rate"
_MOST = 5
_TYPES = (
    "admissions_tax amusement_tax attendance_tax communications_tax digital_excise_tax "
    "entertainment_tax get_fund gross_receipts_tax gst hospitality_tax hst igst jct lease_tax "
    "luxury_tax mass_transit_parking_tax nhil parking_tax pst qst resort_tax retail_delivery_fee "
    "rst sales_tax service_tax tourism_tax utility_users_tax vat"
).split()
_LAND = re.compile(r"[A-Z]{2}\Z")
_PLAIN = ("active", "country", "description", "display_name", "jurisdiction", "state", "tax_type")


def _country(value: FormValue, name: str) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not _LAND.match(value):
        raise errors.invalid(
            f"Country '{value}' is unknown. Try using a 2-character alphanumeric country code.",
            code="country_code_invalid",
            param=name,
        )
    return value


def create(unit: Unit, values: Json) -> Json:
    """A tax rate exists; its percentage and whether prices hold it never change."""
    body = _made(unit, values["display_name"], values["percentage"], inclusive=values["inclusive"])
    _change(body, values)
    unit.insert(body)
    unit.emit("tax_rate.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The tax rate is as asked; tax_rate.updated names what changed."""
    before = unit.get(KIND, id)
    body = unit.get(KIND, id)
    if values.get("active") and body.get("_automatic"):
        raise errors.invalid("A tax rate made by the automatic tax stays archived.", param="active")
    _change(body, values)
    return unit.update("tax_rate.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The tax rates, newest first."""
    wheres = [*lists.equal(values, "active", "inclusive"), *lists.within(values, "created")]
    return lists.page(unit, KIND, _PATH, values, wheres)


def chosen(unit: Unit, rate_ids: list[str], param: str) -> list[Json]:
    """The active tax rates with these ids, whole, or Stripe's refusal."""
    if len(rate_ids) > _MOST:
        raise errors.invalid(f"At most {_MOST} tax rates can be used.", param=param)
    found = [unit.get(KIND, one, f"{param}[{at}]") for at, one in enumerate(rate_ids)]
    for at, rate in enumerate(found):
        if not rate["active"]:
            raise errors.invalid(
                f"The tax rate {rate['id']} is archived and cannot be used.", param=f"{param}[{at}]"
            )
    return found


def automatic(unit: Unit, name: str, percentage: str, *, inclusive: bool, place: Json) -> Json:
    """The archived tax rate the automatic tax uses for this; made if it is the first time."""
    key = "|".join(
        (name, percentage, str(inclusive), *(str(place[part]) for part in sorted(place)))
    )
    for found in unit.select(KIND, lists.equal({"_automatic": key}, "_automatic"), 1):
        return found
    body = _made(unit, name, Decimal(percentage), inclusive=inclusive)
    body.update(place, active=False, _automatic=key, effective_percentage=body["percentage"])
    body["rate_type"] = "percentage" if body["percentage"] else None
    return unit.insert(body)


def percentage_of(rate: Json) -> str:
    """The percentage as text, exact."""
    return str(Decimal(str(rate["percentage"])))


def _made(unit: Unit, name: str, percentage: Decimal, *, inclusive: bool) -> Json:
    return {
        "id": ids.new_id("txr"),
        "object": KIND,
        "active": True,
        "country": None,
        "created": unit.now,
        "description": None,
        "display_name": name,
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": inclusive,
        "jurisdiction": None,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": float(percentage),
        "rate_type": None,
        "state": None,
        "tax_type": None,
    }


def _change(body: Json, values: Json) -> None:
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    body.update({name: values[name] for name in _PLAIN if name in values})


_PATH = "/v1/tax_rates"
_FIELDS: params.Fields = {
    "active": params.boolean,
    "country": _country,
    "description": TEXT,
    "display_name": params.text(50),
    "jurisdiction": params.text(50),
    "metadata": params.metadata,
    "state": params.text(50),
    "tax_type": params.choice(*_TYPES),
}
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {**_FIELDS, "inclusive": params.boolean, "percentage": params.percentage()},
        ("display_name", "inclusive", "percentage"),
    ),
    retrieve(KIND, _PATH),
    Route("POST", f"{_PATH}/<id>", update, _FIELDS),
    Route(
        "GET",
        _PATH,
        all_of,
        {
            **lists.PAGING,
            "active": params.boolean,
            "created": params.span,
            "inclusive": params.boolean,
        },
    ),
)
