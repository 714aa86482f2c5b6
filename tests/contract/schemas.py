"""The description as JSON Schema: null said in types, unknown fields refused, overlay applied."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.contract import overlay, spec

Json = dict[str, Any]

_KEPT = ("enum", "pattern", "type")
_PATTERNS = {"currency": "^[a-z]{3}$", "decimal": r"^-?[0-9]+(\.[0-9]+)?$"}
# Null or there in the description, and yet missing: the first ones unless expand[] asks for them.
_MAY_BE_MISSING = frozenset(
    {
        ("charge", "refunds"),
        ("customer", "cash_balance"),
        ("invoice", "confirmation_secret"),
        ("deleted_bank_account", "currency"),
        ("deleted_card", "currency"),
    }
)
_OF_BROWSERS = "_type_specific_payment_method_options_client"


@cache
def described() -> dict[str, Json]:
    """The description's schemas with the overlay on them."""
    return overlay.apply(spec.schemas(), overlay.CHANGES)


@cache
def definitions() -> dict[str, Json]:
    """The same as JSON Schema, each by its name."""
    return {name: converted(schema, name) for name, schema in described().items()}


@cache
def answers() -> dict[str, Json]:
    """What each route of the description answers with 200, as JSON Schema; see `shape_of`."""
    found = {
        f"{method.upper()} {shape_of(path)}": converted(_body(verb["responses"]["200"]))
        for path, verbs in spec.document()["paths"].items()
        for method, verb in verbs.items()
    }
    for route, (name, _) in overlay.ROUTES.items():
        if shape_of(route) in found:
            raise overlay.Stale(f"{route}: the description has this route")
        found[shape_of(route)] = {"$ref": f"#/$defs/{name}"}
    return found


def shape_of(path: str) -> str:
    """A path with its parts between brackets unnamed, as the two sides name them otherwise."""
    return re.sub(r"[<{][^>}]*[>}]", "*", path)


def alternatives(schema: Json) -> list[Json]:
    """What an answer to a secret key may be; a browser is shown less, in shapes of its own."""
    return [one for one in schema["anyOf"] if not one.get("$ref", "").endswith(_OF_BROWSERS)]


def _body(answer: Json) -> Json:
    # A few routes answer with a file.
    content: Json = answer["content"]
    return content.get("application/json", {}).get("schema", {})  # type: ignore[no-any-return]


def converted(schema: Json, name: str = "") -> Json:
    """One schema of OpenAPI 3.0 in the words of JSON Schema."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref'].rsplit('/', 1)[1]}"}
    made: Json = {key: schema[key] for key in _KEPT if key in schema}
    if schema.get("format") in _PATTERNS:
        made["pattern"] = _PATTERNS[schema["format"]]
    if "anyOf" in schema:
        made["anyOf"] = [converted(one) for one in alternatives(schema)]
    if "items" in schema:
        made["items"] = converted(schema["items"])
    if schema.get("type") == "object":
        made.update(_object(schema, name))
    return _or_null(made) if schema.get("nullable") else made


def _object(schema: Json, name: str) -> Json:
    fields: Json = schema.get("properties", {})
    # Stripe sends null for what is empty; the description only says what is never null.
    empty = {
        field
        for field, shape in fields.items()
        if shape.get("nullable")
        and not shape.get("x-may-be-missing")
        and (name, field) not in _MAY_BE_MISSING
    }
    more = schema.get("additionalProperties", False)
    shapes = {field: converted(shape) for field, shape in fields.items()}
    if "livemode" in shapes:
        # Nothing here is real money, and nothing says so.
        shapes["livemode"] = {"enum": [False]}
    return {
        "properties": shapes,
        "required": sorted({*schema.get("required", []), *empty}),
        "additionalProperties": converted(more) if isinstance(more, dict) else more,
    }


def _or_null(made: Json) -> Json:
    if "anyOf" in made:
        return {**made, "anyOf": [*made["anyOf"], {"type": "null"}]}
    if "enum" in made:
        made = {**made, "enum": [*made["enum"], None]}
    return {**made, "type": [made["type"], "null"]}
