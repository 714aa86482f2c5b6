"""Tax calculations: what the table of rates says of an order before anything is sold."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import automatic_tax, customer_tax, tax_ids, tax_rates, tax_settings
from stripe_sandbox.objects import taxes as line_taxes
from stripe_sandbox.objects.automatic_tax import Buyer, Good
from stripe_sandbox.objects.taxes import Levy
from stripe_sandbox.unit import Unit

KIND = "tax.calculation"
LINE = "tax.calculation_line_item"
_KEPT_SECONDS = 90 * 24 * 3600
_MOST = 99_999_999
_EXEMPT = {"customer_exempt": "exempt", "none": "none", "reverse_charge": "reverse"}
_OVERRIDE = {exempt: word for word, exempt in _EXEMPT.items()}


def create(unit: Unit, values: Json) -> Json:
    """The taxes of the order are worked out and kept for ninety days."""
    buyer, details = _buyer(unit, values)
    if automatic_tax.place_of(buyer.address) is None:
        raise errors.invalid(
            "We could not determine the customer's tax location based on the provided customer "
            "address.",
            code="customer_tax_location_invalid",
            param="customer_details[address]",
        )
    calculation_id = ids.new_id("taxcalc")
    lines = _lines(unit, values, buyer, calculation_id)
    shipping = _shipping(unit, values, buyer)
    every = [*lines, *([shipping] if shipping else [])]
    total = line_taxes.total([line["_taxes"] for line in every])
    on_top, inside = line_taxes.on_top(total), line_taxes.inside(total)
    return unit.insert(
        {
            "id": calculation_id,
            "object": KIND,
            "amount_total": sum(line["amount"] for line in every) + on_top,
            "currency": values["currency"],
            "customer": values.get("customer"),
            "customer_details": details,
            "expires_at": unit.now + _KEPT_SECONDS,
            "line_items": None,
            "livemode": False,
            "ship_from_details": None,
            "shipping_cost": _without_notes(shipping) if shipping else None,
            "tax_amount_exclusive": on_top,
            "tax_amount_inclusive": inside,
            "tax_breakdown": [_summary(unit, tax) for tax in total],
            "tax_date": values.get("tax_date") or unit.now,
        }
    )


def retrieve(unit: Unit, values: Json, id: str) -> Json:
    """One calculation, until it has expired."""
    body = unit.get(KIND, id)
    if unit.now >= body["expires_at"]:
        raise errors.no_such("tax calculation", id)
    return body


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """One page of the calculation's lines, in their order."""
    retrieve(unit, {}, id)
    return lists.page(unit, LINE, _lines_url(id), values, lists.equal({"_of": id}, "_of"))


def included(unit: Unit, body: Json) -> Json:
    """The first lines of the calculation, for expansion."""
    return lines_of(unit, {}, body["id"])


def breakdown_of(unit: Unit, line: Json) -> list[Json]:
    """The taxes of one line with their places, for expansion."""
    return [_entry(unit, tax) for tax in unit.get(LINE, line["id"])["_taxes"]]


def _buyer(unit: Unit, values: Json) -> tuple[Buyer, Json]:
    given = values.get("customer_details") or {}
    shown: Json = {
        "address": None,
        "address_source": None,
        "ip_address": None,
        "tax_ids": [],
        "taxability_override": "none",
    }
    if values.get("customer"):
        shown.update(_of_customer(unit, unit.living("customer", values["customer"], "customer")))
    shown.update(given)
    for at, tax_id in enumerate(given.get("tax_ids") or ()):
        param = f"customer_details[tax_ids][{at}][value]"
        tax_ids.check(tax_id["type"], str(tax_id["value"]), param)
    if shown["address"] and not shown["address_source"]:
        raise errors.missing_parameter("customer_details[address_source]")
    override = _EXEMPT[shown["taxability_override"] or "none"]
    # As Stripe says of this route, a tax id is believed when it reads like one.
    return Buyer(shown["address"], override, tuple(shown["tax_ids"])), shown


def _of_customer(unit: Unit, customer: Json) -> Json:
    address = automatic_tax.address_of(customer)
    return {
        "address": address,
        "address_source": "billing" if address is customer["address"] else "shipping",
        "ip_address": customer.get("_ip_address"),
        "tax_ids": [
            {"type": held["type"], "value": held["value"]}
            for held in tax_ids.of_customer(unit, customer["id"])
        ],
        "taxability_override": _OVERRIDE[customer["tax_exempt"]],
    }


def _lines(unit: Unit, values: Json, buyer: Buyer, calculation_id: str) -> list[Json]:
    given = values["line_items"]
    if not given:
        raise errors.missing_parameter("line_items")
    references = [one.get("reference") or f"L{at + 1}" for at, one in enumerate(given)]
    if len(set(references)) < len(references):
        raise errors.invalid("References must be unique.", param="line_items")
    lines = []
    for at, (one, reference) in enumerate(zip(given, references, strict=True)):
        code = one.get("tax_code") or _product_code(unit, one, f"line_items[{at}][product]")
        sums = _taxed(unit, buyer, {**one, "tax_code": code}, values["currency"])
        lines.append(
            {
                "id": ids.new_id("tax_li"),
                "object": LINE,
                "livemode": False,
                "metadata": params.merged_metadata({}, one.get("metadata") or {}),
                "product": one.get("product"),
                "quantity": one.get("quantity") or 1,
                "reference": reference,
                "tax_breakdown": None,
                **sums,
                "_of": calculation_id,
            }
        )
    # Lists come newest first, and lines in their order.
    for line in reversed(lines):
        unit.insert(line)
    return lines


def _product_code(unit: Unit, one: Json, param: str) -> str | None:
    if not one.get("product"):
        return None
    code: str | None = unit.living("product", one["product"], param)["tax_code"]
    return code


def _shipping(unit: Unit, values: Json, buyer: Buyer) -> Json | None:
    given = values.get("shipping_cost")
    if not given:
        return None
    code = given.get("tax_code") or "txcd_92010001"
    return _taxed(unit, buyer, {**given, "tax_code": code}, values["currency"])


def _taxed(unit: Unit, buyer: Buyer, one: Json, currency: str) -> Json:
    behavior = one.get("tax_behavior") or "exclusive"
    code = one["tax_code"] or tax_settings.current(unit)["defaults"]["tax_code"]
    levies = automatic_tax.rates_for(unit, buyer, Good(currency, behavior, code))
    found = line_taxes.of_line(one["amount"], levies)
    return {
        "amount": one["amount"],
        "amount_tax": sum(tax["amount"] for tax in found),
        "tax_behavior": behavior,
        "tax_code": code,
        "_taxes": found,
    }


def _without_notes(line: Json) -> Json:
    return {name: value for name, value in line.items() if not name.startswith("_")}


def _rate_of(unit: Unit, tax: Json) -> Json:
    return unit.get(tax_rates.KIND, tax["tax_rate_details"]["tax_rate"])


def _summary(unit: Unit, tax: Json) -> Json:
    rate = _rate_of(unit, tax)
    return {
        "amount": tax["amount"],
        "inclusive": tax["tax_behavior"] == "inclusive",
        "tax_rate_details": {
            "country": rate["country"],
            "flat_amount": None,
            "percentage_decimal": str(rate["percentage"]),
            "rate_type": rate["rate_type"],
            "state": rate["state"],
            "tax_type": rate["tax_type"],
        },
        "taxability_reason": tax["taxability_reason"],
        "taxable_amount": tax["taxable_amount"],
    }


def _entry(unit: Unit, tax: Json) -> Json:
    rate = _rate_of(unit, tax)
    level = "city" if rate["jurisdiction_level"] == "multiple" else rate["jurisdiction_level"]
    nothing = Levy(rate, tax["taxability_reason"]).is_none
    return {
        "amount": tax["amount"],
        "jurisdiction": {
            "country": rate["country"],
            "display_name": rate["jurisdiction"],
            "level": level,
            "state": rate["state"],
        },
        "sourcing": "destination",
        "tax_rate_details": None
        if nothing
        else {
            "display_name": rate["display_name"],
            "percentage_decimal": str(rate["percentage"]),
            "tax_type": rate["tax_type"],
        },
        "taxability_reason": tax["taxability_reason"],
        "taxable_amount": tax["taxable_amount"],
    }


def _lines_url(calculation_id: str) -> str:
    return f"{_PATH}/{calculation_id}/line_items"


_BEHAVIOR = params.choice("exclusive", "inclusive")
_DETAILS: params.Fields = {
    "address": ADDRESS,
    "address_source": params.choice("billing", "shipping"),
    "ip_address": customer_tax.ip_address,
    "tax_ids": params.list_of(params.hash_of(tax_ids.DATUM, ("type", "value"))),
    "taxability_override": params.choice(*_EXEMPT),
}
_PATH = "/v1/tax/calculations"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            "currency": params.currency,
            "customer": TEXT,
            "customer_details": params.hash_of(_DETAILS),
            "line_items": params.list_of(
                params.hash_of(
                    {
                        "amount": params.integer(-_MOST, _MOST),
                        "metadata": params.metadata,
                        "product": TEXT,
                        "quantity": params.integer(1),
                        "reference": params.text(500),
                        "tax_behavior": _BEHAVIOR,
                        "tax_code": TEXT,
                    },
                    ("amount",),
                )
            ),
            "shipping_cost": params.hash_of(
                {"amount": params.integer(0, _MOST), "tax_behavior": _BEHAVIOR, "tax_code": TEXT},
                ("amount",),
            ),
            "tax_date": params.integer(),
        },
        ("currency", "line_items"),
        partly="sandbox rates; no ship_from_details, shipping rates, performance locations; an IP "
        "address is no location",
    ),
    Route("GET", f"{_PATH}/<id>", retrieve),
    Route("GET", f"{_PATH}/<id>/line_items", lines_of, lists.PAGING),
)
