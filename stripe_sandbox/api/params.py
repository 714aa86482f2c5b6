"""What a parameter may be: small parsers that turn form text into values or refuse by name."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from stripe_sandbox import Json
from stripe_sandbox.api import errors
from stripe_sandbox.api.forms import Form, FormValue

# (value, full name) -> what the handler gets; None stands for "unset this".
Parser = Callable[[FormValue, str], object]
Fields = Mapping[str, Parser]

_REMOVED = {
    "payment_method_types": "Removed in 2026-10-28.endive: leave it out, or use "
    "allowed_payment_method_types or excluded_payment_method_types.",
    "coupon": "Use discounts, or promotion for promotion codes.",
    "promotion_code": "Use discounts.",
}
_INT64 = 2**63 - 1
# A line break in an address would end the header that leads there.
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f]")


def read(fields: Fields, form: Form, *, required: tuple[str, ...] = (), inside: str = "") -> Json:
    """Every field parsed; unknown, removed and missing ones refused by their full name."""
    values: Json = {}
    for key, raw in form.items():
        name = f"{inside}[{key}]" if inside else key
        parser = fields.get(key)
        if parser is None:
            raise errors.unknown_parameter(name, _REMOVED.get(key, ""))
        values[key] = parser(raw, name)
    for key in required:
        if values.get(key) is None:
            raise errors.missing_parameter(f"{inside}[{key}]" if inside else key)
    return values


def text(longest: int = 5000) -> Parser:
    """Text up to a length; empty text unsets."""

    def parse(value: FormValue, name: str) -> str | None:
        if not isinstance(value, str):
            raise errors.invalid(f"Invalid string: {name}", param=name)
        if len(value) > longest:
            raise errors.invalid(
                f"Invalid string: {name} must be at most {longest} characters", param=name
            )
        return value or None

    return parse


def integer(low: int = 0, high: int = _INT64) -> Parser:
    """A whole number between two bounds."""

    def parse(value: FormValue, name: str) -> int:
        digits = value.removeprefix("-") if isinstance(value, str) else ""
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
            raise errors.invalid(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=name
            )
        number = int(str(value))
        if not low <= number <= high:
            bound = f"at least {low}" if number < low else f"at most {high}"
            raise errors.invalid(
                f"This value must be {bound}: {name}", code="parameter_invalid_integer", param=name
            )
        return number

    return parse


# A year can be added to any of them: the calendar of this package ends with the year 9999.
moment = integer(0, 32_503_680_000)


def percentage(*, above_zero: bool = False) -> Parser:
    """A decimal up to 100 with at most four places, as Decimal."""

    def parse(value: FormValue, name: str) -> Decimal:
        try:
            number = Decimal(value) if isinstance(value, str) else Decimal(-1)
        except InvalidOperation:
            number = Decimal(-1)
        if not (number.is_finite() and 0 <= number <= 100):
            raise errors.invalid(f"Invalid decimal: {value}; must be between 0 and 100", param=name)
        if above_zero and number == 0:
            raise errors.invalid(f"This value must be greater than 0: {name}", param=name)
        if number != round(number, 4):
            raise errors.invalid(f"At most four decimal places: {name}", param=name)
        return number

    return parse


def moment_or(*words: str) -> Parser:
    """A moment in unix seconds, or one of the listed words; empty text unsets."""
    named = choice(*words)

    def parse(value: FormValue, name: str) -> object:
        return moment(value, name) if str(value).isdigit() else named(value, name)

    return parse


def boolean(value: FormValue, name: str) -> bool:
    """True or false."""
    if value not in ("true", "false"):
        raise errors.invalid(f"Invalid boolean: {value}", param=name)
    return value == "true"


def choice(*names: str) -> Parser:
    """One of the listed words; empty text unsets."""

    def parse(value: FormValue, name: str) -> str | None:
        if value == "":
            return None
        if value not in names:
            listed = ", ".join(names)
            raise errors.invalid(f"Invalid {name}: must be one of {listed}", param=name)
        return str(value)

    return parse


def percent(value: FormValue, name: str) -> int:
    """A share of many: ``on``, ``off``, or a whole number of percent."""
    text = value.removesuffix("%") if isinstance(value, str) else ""
    if text in ("on", "off"):
        return 100 if text == "on" else 0
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
        raise errors.invalid(
            f"{name} is on, off or a whole number of percent from 0 to 100.", param=name
        )
    return int(text)


def currency(value: FormValue, name: str) -> str:
    """A three-letter currency code in lower case."""
    code = value.lower() if isinstance(value, str) else ""
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise errors.invalid(f"Invalid currency: {value}", param=name)
    return code


def url(value: FormValue, name: str) -> str:
    """An absolute http or https address."""
    if (
        not isinstance(value, str)
        or not value.startswith(("http://", "https://"))
        or len(value) > 5000
        or _NOT_IN_URL.search(value)
        or not _host(value)
    ):
        raise errors.invalid("Not a valid URL", code="url_invalid", param=name)
    return value


def _host(address: str) -> str | None:
    """The host that the address names; None if no browser could go there."""
    try:
        parts = urlsplit(address)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


def metadata(value: FormValue, name: str) -> dict[str, str | None] | None:
    """Up to 50 keys of text; an empty value takes its key away, an empty text takes all."""
    if value == "":
        return None
    pairs = _as_hash(value, name)
    if len(pairs) > 50:
        raise errors.invalid("Metadata can have up to 50 keys", param=name)
    parsed: dict[str, str | None] = {}
    for key, item in pairs.items():
        if not isinstance(item, str) or len(item) > 500 or len(key) > 40:
            raise errors.invalid(
                f"Metadata is text: keys up to 40, values up to 500: {key[:40]}", param=name
            )
        parsed[key] = item or None
    return parsed


def hash_of(fields: Fields, required: tuple[str, ...] = ()) -> Parser:
    """An object with known fields; empty text unsets it."""

    def parse(value: FormValue, name: str) -> Json | None:
        if value == "":
            return None
        return read(fields, _as_hash(value, name), required=required, inside=name)

    return parse


def hash_by(key: Parser, fields: Fields) -> Parser:
    """An object whose keys follow a rule and whose values share their fields."""

    def parse(value: FormValue, name: str) -> Json:
        pairs = _as_hash(value, name)
        return {
            str(key(item, name)): read(fields, _as_hash(inner, name), inside=f"{name}[{item}]")
            for item, inner in pairs.items()
        }

    return parse


def list_of(parser: Parser, most: int = 100) -> Parser:
    """A list of things of one kind; empty text is the empty list."""

    def parse(value: FormValue, name: str) -> list[object]:
        if value == "":
            return []
        if not isinstance(value, list):
            raise errors.invalid("Invalid array", param=name)
        if len(value) > most:
            raise errors.invalid(f"At most {most} entries: {name}", param=name)
        return [parser(item, f"{name}[{index}]") for index, item in enumerate(value)]

    return parse


def span(value: FormValue, name: str) -> Json:
    """A moment, or bounds of one: gt, gte, lt, lte."""
    if isinstance(value, str):
        return {"eq": moment(value, name)}
    return read(
        dict.fromkeys(("gt", "gte", "lt", "lte"), moment), _as_hash(value, name), inside=name
    )


def only(allowed: bool, why: str) -> Parser:
    """A switch that this sandbox serves in one position, and says so for the other."""

    def parse(value: FormValue, name: str) -> bool:
        if boolean(value, name) is not allowed:
            raise errors.invalid(why, param=name)
        return allowed

    return parse


def _as_hash(value: FormValue, name: str) -> Form:
    if isinstance(value, list):
        # Keys that are all digits arrive as a list; as names of an object they are digits again.
        return {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        raise errors.invalid(f"Invalid object: {name}", param=name)
    return value


_ADDRESS_PARTS = ("city", "country", "line1", "line2", "postal_code", "state")
_GIVEN_ADDRESS = hash_of(dict.fromkeys(_ADDRESS_PARTS, text()))
TEXT = text()


def _address(value: FormValue, name: str) -> Json | None:
    """A postal address with every part, None for those that were not given."""
    given = _GIVEN_ADDRESS(value, name)
    return {**dict.fromkeys(_ADDRESS_PARTS), **given} if isinstance(given, dict) else None


ADDRESS: Parser = _address
_SHIPPING_PARTS = ("carrier", "phone", "tracking_number")
_GIVEN_SHIPPING = hash_of(
    {"address": ADDRESS, "name": TEXT, **dict.fromkeys(_SHIPPING_PARTS, TEXT)},
    ("address", "name"),
)


def _shipping(value: FormValue, name: str) -> Json | None:
    """Where something is sent and by whom, None for what was not given."""
    given = _GIVEN_SHIPPING(value, name)
    return {**dict.fromkeys(_SHIPPING_PARTS), **given} if isinstance(given, dict) else None


SHIPPING: Parser = _shipping


def merged_metadata(current: Json, change: Mapping[str, str | None] | None) -> Json:
    """The metadata after a change: named keys replaced or taken away, all gone for None."""
    if change is None:
        return {}
    kept = {**current, **change}
    return {key: value for key, value in kept.items() if value is not None}
