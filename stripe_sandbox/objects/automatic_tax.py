"""The automatic tax: from where a buyer is and what was bought to the taxes that apply."""

from dataclasses import dataclass

from stripe_sandbox import Json, tax_table
from stripe_sandbox.objects import tax_ids, tax_rates, tax_settings
from stripe_sandbox.objects.taxes import Levy
from stripe_sandbox.tax_table import Entry
from stripe_sandbox.unit import Unit

COMPLETE = "complete"
NEEDS_LOCATION = "requires_location_inputs"
# Buyers' tax ids that leave a seller abroad without tax: the types Stripe verifies.
_BUSINESS = {**dict.fromkeys(tax_table.EU, "eu_vat"), "AU": "au_abn", "GB": "gb_vat"}
_NO_LEVY = Entry("0", "Tax", "vat")


@dataclass(frozen=True)
class Place:
    """A place the table can be asked about."""

    country: str
    state: str | None = None
    postal_code: str = ""


@dataclass(frozen=True)
class Buyer:
    """Who buys: where, with which exemption, and with tax ids that are to be believed."""

    address: Json | None
    tax_exempt: str = "none"
    tax_ids: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Good:
    """What is bought: in which currency, whether its price holds tax, and of what kind it is."""

    currency: str
    tax_behavior: str | None = None
    tax_code: str | None = None


def buyer_of(unit: Unit, customer: Json) -> Buyer:
    """The customer as a buyer; only verified tax ids count."""
    return Buyer(
        address_of(customer),
        customer["tax_exempt"] or "none",
        tuple(tax_ids.verified_of(unit, customer["id"])),
    )


def address_of(customer: Json) -> Json | None:
    """The address taxes go by: where things are shipped, else the customer's own."""
    shipped = (customer["shipping"] or {}).get("address") or {}
    address: Json | None = shipped if shipped.get("country") else customer["address"]
    return address


def good_of(unit: Unit, price: Json, currency: str) -> Good:
    """The thing a price sells."""
    option = price["_options"].get(currency, price)
    product = unit.get("product", price["product"])
    return Good(currency, option["tax_behavior"], product["tax_code"])


def place_of(address: Json | None) -> Place | None:
    """The place of an address, or None where it says too little or names nothing known."""
    given = address or {}
    country = str(given.get("country") or "").strip().upper()
    postal_code = str(given.get("postal_code") or "").strip().upper()
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        return None
    state = str(given.get("state") or "").strip().upper()
    if country == "US":
        state = state if state in tax_table.STATES else tax_table.state_of_zip(postal_code) or ""
    elif country == "CA" and state not in tax_table.PROVINCES:
        state = tax_table.POSTAL_PROVINCES.get(postal_code[:1], "")
    if country in ("US", "CA"):
        return Place(country, state, postal_code) if state else None
    return Place(country, None, postal_code)


def status(buyer: Buyer) -> str:
    """What an invoice's or session's ``automatic_tax.status`` says for this buyer.

    Stripe's third word, ``failed``, is for an outage of its tax service; the table has none.
    """
    return COMPLETE if place_of(buyer.address) else NEEDS_LOCATION


def collects_in(place: Place) -> bool:
    """True if the table has a rate for the place."""
    return place.country in ("US", "CA") or place.country in tax_table.COUNTRIES


def rates_for(unit: Unit, buyer: Buyer, good: Good) -> tuple[Levy, ...]:
    """The taxes of this sale, or one levy of nothing that says why; none without a location."""
    place = place_of(buyer.address)
    if place is None:
        return ()
    entries = _entries(place)
    reason = _free_because(unit, buyer, good, place, entries)
    inclusive = _is_inclusive(unit, good)
    if reason:
        first = entries[0] if entries else _NO_LEVY
        entries = (Entry("0", first.name, first.tax_type, first.level),)
    return tuple(
        Levy(
            tax_rates.automatic(
                unit, entry.name, entry.percentage, inclusive=inclusive, place=_words(entry, place)
            ),
            reason or "standard_rated",
        )
        for entry in entries
    )


def _entries(place: Place) -> tuple[Entry, ...]:
    if place.country == "CA":
        return tax_table.PROVINCES[str(place.state)]
    if place.country == "US":
        city = tax_table.CITIES.get(place.postal_code[:3])
        state = tax_table.STATES[str(place.state)]
        in_state = tax_table.state_of_zip(place.postal_code) == place.state
        return (city if city and in_state else state,)
    if place.postal_code.startswith(tax_table.OUTSIDE.get(place.country, ("\0",))):
        return (Entry("0", "VAT", "vat"),)
    entry = tax_table.COUNTRIES.get(place.country)
    return (entry,) if entry else ()


def _free_because(
    unit: Unit, buyer: Buyer, good: Good, place: Place, entries: tuple[Entry, ...]
) -> str | None:
    """Stripe's word for why there is no tax, or None where there is."""
    code = good.tax_code or tax_settings.current(unit)["defaults"]["tax_code"]
    if not entries:
        return "not_supported"
    if code == tax_table.NONTAXABLE:
        return "product_exempt"
    if buyer.tax_exempt == "exempt":
        return "customer_exempt"
    if buyer.tax_exempt == "reverse" or _is_business_abroad(unit, buyer, place):
        return "reverse_charge"
    return "not_subject_to_tax" if all(entry.percentage == "0" for entry in entries) else None


def _is_business_abroad(unit: Unit, buyer: Buyer, place: Place) -> bool:
    kind = _BUSINESS.get(place.country)
    held = {tax_id["type"] for tax_id in buyer.tax_ids}
    return kind in held and tax_settings.seller_country(unit) != place.country


def _is_inclusive(unit: Unit, good: Good) -> bool:
    behavior = good.tax_behavior
    if behavior in (None, "unspecified"):
        behavior = tax_settings.current(unit)["defaults"]["tax_behavior"]
    if behavior == "inferred_by_currency":
        # As Stripe's setting of that name: prices in these two currencies come without tax.
        return good.currency not in ("usd", "cad")
    return behavior == "inclusive"


def _words(entry: Entry, place: Place) -> Json:
    whole_country = entry.level == "country"
    return {
        "country": place.country,
        "jurisdiction": place.country if whole_country else place.state,
        "jurisdiction_level": entry.level,
        "state": place.state,
        "tax_type": entry.tax_type,
    }
