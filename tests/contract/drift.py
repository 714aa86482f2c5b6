"""Where the description with its overlay and the SDK's classes differ: nowhere, it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.contract import schemas, sdk

Json = dict[str, Any]

# Every object the sandbox answers with; an answer with another one is a fault.
SERVED = (
    *("balance", "balance_transaction", "billing_portal.configuration", "billing_portal.session"),
    *(
        "card",
        "charge",
        "checkout.session",
        "coupon",
        "credit_note",
        "credit_note_line_item",
        "customer",
    ),
    *("customer_balance_transaction", "discount", "dispute", "event", "invoice", "invoice_payment"),
    *("invoiceitem", "item", "line_item", "mandate", "payment_intent", "payment_method", "plan"),
    *("price", "product", "promotion_code", "radar.early_fraud_warning", "refund", "setup_intent"),
    *("subscription", "subscription_item", "subscription_schedule", "tax.calculation"),
    *("tax.calculation_line_item", "tax_id", "tax_rate", "test_helpers.test_clock", "token"),
    *("tax.settings", "tax.transaction", "tax.transaction_line_item", "tax_code"),
    "webhook_endpoint",
)
_PLAIN = {"string": "text", "integer": "whole", "number": "number", "boolean": "flag"}


@dataclass(frozen=True)
class Place:
    """Where in an object the two are compared, and which schema of the description says it."""

    path: str
    schema: str
    described: dict[str, Json] = field(repr=False)

    def below(self, more: str) -> Place:
        """The place so much further down in the object."""
        return replace(self, path=f"{self.path}{more}")


def differences(described: dict[str, Json] | None = None) -> list[str]:
    """One sentence for each thing the two say otherwise, over every object served."""
    known = schemas.described() if described is None else described
    found = {
        sentence
        for name in SERVED
        for sentence in _compare(Place(name, name, known), sdk.class_of(name), known[name])
    }
    return sorted(found)


def _compare(at: Place, kind: Any, schema: Json) -> Iterator[str]:
    described: Json = schema.get("properties", {})
    written = sdk.fields(kind)
    for name in sorted(written.keys() - described.keys()):
        yield f"{at.path}.{name}: only the SDK has it (schema {at.schema})"
    for name in sorted(described.keys() - written.keys()):
        yield f"{at.path}.{name}: only the description has it (schema {at.schema})"
    must = set(schema.get("required", ()))
    for name in sorted(written.keys() & described.keys()):
        reading, shape = sdk.read(written[name]), described[name]
        if reading.optional == (name in must and not shape.get("nullable")):
            said = "optional" if reading.optional else "always there"
            yield f"{at.path}.{name}: {said} in the SDK only (schema {at.schema})"
        yield from _compare_field(at.below(f".{name}"), reading, shape)


def _compare_field(at: Place, reading: sdk.Reading, shape: Json) -> Iterator[str]:
    at, kinds, words, inner = _described(at, shape)
    if reading.kinds != kinds:
        said = f"{sorted(reading.kinds)} in the SDK, {sorted(kinds)} described"
        yield f"{at.path}: {said} (schema {at.schema})"
    # Where the description lists no words any text may come.
    if words and reading.words != words:
        said = f"words {sorted(reading.words ^ words)} are in one of the two only"
        yield f"{at.path}: {said} (schema {at.schema})"
    if inner is None or reading.inner is None:
        return
    if kinds == {"list"}:
        yield from _compare_field(at.below("[]"), sdk.read(reading.inner), inner)
    else:
        yield from _compare(at, reading.inner, inner)


def _described(at: Place, shape: Json) -> tuple[Place, frozenset[str], frozenset[str], Json | None]:
    """The place with the schema reached, and the kinds, words and inside of a field."""
    if "$ref" in shape:
        name = shape["$ref"].rsplit("/", 1)[1]
        if sdk.is_object(name):
            return at, frozenset({"object"}), frozenset(), None
        return _described(replace(at, schema=name), at.described[name])
    if "anyOf" in shape:
        parts = [_described(at, one) for one in schemas.alternatives(shape)]
        place = parts[0][0] if len(parts) == 1 else at
        return (
            place,
            frozenset().union(*(part[1] for part in parts)),
            frozenset().union(*(part[2] for part in parts)),
            next((part[3] for part in parts if part[3] is not None), None),
        )
    return _described_plainly(at, shape)


def _described_plainly(
    at: Place, shape: Json
) -> tuple[Place, frozenset[str], frozenset[str], Json | None]:
    words = frozenset(str(word) for word in shape.get("enum", ()))
    kind = shape["type"]
    if kind == "array":
        return at, frozenset({"list"}), words, shape["items"]
    if kind != "object":
        return at, frozenset({_PLAIN[kind]}), words, None
    fields: Json = shape.get("properties", {})
    if "data" in fields and fields.get("object", {}).get("enum") == ["list"]:
        return at, frozenset({"page"}), words, None
    if shape.get("additionalProperties") and not fields:
        return at, frozenset({"map"}), words, None
    return at, frozenset({"group"}), words, shape
