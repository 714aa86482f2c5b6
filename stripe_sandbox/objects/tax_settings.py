"""Tax settings: where the merchant sits, and how prices without a tax behaviour are taken."""

from stripe_sandbox import Json, tax_table
from stripe_sandbox.api import params
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.unit import Unit

_ID = "tax_settings"


def current(unit: Unit) -> Json:
    """The settings as they are; until somebody changes them, those of the table of rates."""
    stored = unit.find(_ID) or _first()
    return {name: value for name, value in stored.items() if name != "id"}


def retrieve(unit: Unit, values: Json) -> Json:
    """The settings, as the API shows them."""
    return current(unit)


def update(unit: Unit, values: Json) -> Json:
    """The settings are as asked."""
    body = current(unit)
    body["defaults"].update(values.get("defaults") or {})
    address = (values.get("head_office") or {}).get("address")
    if address:
        body["head_office"]["address"] = address
    if unit.find(_ID):
        unit.save({**body, "id": _ID})
    else:
        unit.insert({**body, "id": _ID})
    unit.emit("tax.settings.updated", body)
    return body


def seller_country(unit: Unit) -> str:
    """The country the merchant sells from."""
    return str(current(unit)["head_office"]["address"]["country"] or tax_table.SELLER_COUNTRY)


def _first() -> Json:
    return {
        "object": "tax.settings",
        "defaults": {
            "provider": "stripe",
            "tax_behavior": "inferred_by_currency",
            "tax_code": tax_table.GENERAL,
        },
        "head_office": {
            "address": {
                "city": None,
                "country": tax_table.SELLER_COUNTRY,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            }
        },
        "livemode": False,
        "status": "active",
        "status_details": {"active": {}},
    }


ROUTES = (
    Route("GET", "/v1/tax/settings", retrieve),
    Route(
        "POST",
        "/v1/tax/settings",
        update,
        {
            "defaults": params.hash_of(
                {
                    "tax_behavior": params.choice("exclusive", "inclusive", "inferred_by_currency"),
                    "tax_code": TEXT,
                }
            ),
            "head_office": params.hash_of({"address": ADDRESS}, ("address",)),
        },
    ),
)
