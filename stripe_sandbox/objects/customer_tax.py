"""What the automatic tax knows of a customer: their place, and whether there are rates for it."""

from ipaddress import ip_address as parsed_address

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.forms import FormValue
from stripe_sandbox.objects import automatic_tax
from stripe_sandbox.unit import Unit


def ip_address(value: FormValue, name: str) -> str | None:
    """An IPv4 or IPv6 address as text; empty text unsets it."""
    if value == "":
        return None
    try:
        return str(parsed_address(str(value)))
    except ValueError:
        raise errors.invalid(f"Invalid IP address: {value}", param=name) from None


PARAMETER = params.hash_of(
    {
        "ip_address": ip_address,
        "validate_location": params.choice("auto", "deferred", "immediately"),
    }
)


def take(body: Json, given: Json | None) -> None:
    """The customer's IP address is kept; a location that must be known now is, or is refused."""
    given = given or {}
    if "ip_address" in given:
        body["_ip_address"] = given["ip_address"]
    wanted = given.get("validate_location")
    place = automatic_tax.place_of(automatic_tax.address_of(body))
    if wanted == "immediately" and place is None:
        raise errors.invalid(
            "The customer's location isn't recognized. Set a valid customer address in order to "
            "automatically calculate tax.",
            code="customer_tax_location_invalid",
        )


def of_customer(unit: Unit, body: Json) -> Json:
    """The customer's ``tax``, for expansion.

    An IP address alone tells the sandbox no place: it knows no map of them.
    """
    address = automatic_tax.address_of(body)
    place = automatic_tax.place_of(address)
    shown: Json = {
        "automatic_tax": "unrecognized_location",
        "ip_address": body.get("_ip_address"),
        "location": None,
        "provider": "stripe",
    }
    if place is not None:
        shipped = address is not body["address"]
        shown["automatic_tax"] = (
            "supported" if automatic_tax.collects_in(place) else "not_collecting"
        )
        shown["location"] = {
            "country": place.country,
            "source": "shipping_destination" if shipped else "billing_address",
            "state": place.state,
        }
    return shown
