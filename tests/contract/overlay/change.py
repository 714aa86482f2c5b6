"""One written difference, how it is applied, and the short words its shape is written in."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
# "text", "whole", "flag"; "=a|b" one of these words; "@plan" that object, "@id|plan" or its id;
# [shape] many of it; {field: shape} an object, where "field?" may be missing or null.
Shape = str | list[Any] | dict[str, Any]

NEW = "the classes of SDK 16.1.0 have it, the description of 2026-08-26 has it not yet"
KEPT = "an older field that the SDK's class keeps and the public description leaves out"
WORDS = "the SDK's class lists these values besides those of the description"
SURE = "the SDK's class has it always; the description lets it be missing"
PLAIN_ID = "an id that can be expanded in the description, and a plain id in the SDK's class"
EXPANDS = "an id in the description, and in the SDK's class an id that can be expanded"
UNSURE = "the SDK's class lets it be missing; the description has it always"
_PLAIN = {"text": "string", "whole": "integer", "flag": "boolean"}


class Stale(Exception):
    """A change says what the description says already, or speaks of what it has not."""


@dataclass(frozen=True)
class Change:
    """One field of one schema that is otherwise than described, and how we know."""

    schema: str
    field: str
    kind: Literal["added", "retyped", "values", "required", "optional"]
    why: str
    shape: Shape | None = None
    values: tuple[str, ...] = ()


def added(schema: str, field: str, why: str, shape: Shape) -> Change:
    """A field more; one whose name ends in ``?`` may be missing or null."""
    return Change(schema, field, "added", why, shape=shape)


def retyped(schema: str, field: str, why: str, shape: Shape) -> Change:
    """A field of another type."""
    return Change(schema, field, "retyped", why, shape=shape)


def values(schema: str, field: str, *words: str) -> Change:
    """A field that takes more words."""
    return Change(schema, field, "values", WORDS, values=words)


def required(schema: str, *fields: str) -> tuple[Change, ...]:
    """Fields that are always there."""
    return tuple(Change(schema, field, "required", SURE) for field in fields)


def optional(schema: str, *fields: str) -> tuple[Change, ...]:
    """Fields that may be missing."""
    return tuple(Change(schema, field, "optional", UNSURE) for field in fields)


def apply(schemas: dict[str, Json], changes: Iterable[Change]) -> dict[str, Json]:
    """The schemas with every change made; Stale names a change that changes nothing."""
    changed = dict(schemas)
    for change in changes:
        if change.schema not in schemas:
            raise Stale(f"{change.schema}: the description has no such schema")
        if changed[change.schema] is schemas[change.schema]:
            changed[change.schema] = deepcopy(schemas[change.schema])
        if not _made(changed[change.schema], change):
            raise Stale(f"{change.schema}.{change.field}: {change.kind} changes nothing")
    return changed


def _made(schema: Json, change: Change) -> bool:
    fields: Json = schema.setdefault("properties", {})
    must: list[str] = schema.setdefault("required", [])
    name = change.field.removesuffix("?")
    if (name in fields) == (change.kind == "added"):
        return False
    if change.kind in ("added", "retyped"):
        before = fields.get(name)
        _put(fields, must, change.field, change.shape)
        return before is None or {**before, **fields[name]} != before
    if change.kind == "values":
        return _more_words(fields[name], change.values)
    return _moved(must, name, there=change.kind == "required")


def _moved(must: list[str], name: str, *, there: bool) -> bool:
    if (name in must) == there:
        return False
    must.append(name) if there else must.remove(name)
    return True


def _more_words(field: Json, words: tuple[str, ...]) -> bool:
    known: list[str] = field.get("items", field)["enum"]
    if any(word in known for word in words):
        return False
    known += words
    return True


def _put(fields: Json, must: list[str], field: str, shape: Shape | None) -> None:
    name = field.removesuffix("?")
    assert shape is not None, f"{name} has a shape"
    made = _openapi(shape)
    if name != field:
        # The SDK says Optional for what may be null and for what may be missing alike.
        fields[name] = {"anyOf": [made], "nullable": True, "x-may-be-missing": True}
        return
    fields[name] = made
    if name not in must:
        must.append(name)


def _openapi(shape: Shape) -> Json:
    if isinstance(shape, list):
        return {"type": "array", "items": _openapi(shape[0])}
    if isinstance(shape, dict):
        made: Json = {"type": "object", "properties": {}, "required": []}
        for field, inner in shape.items():
            _put(made["properties"], made["required"], field, inner)
        return made
    if shape.startswith("="):
        return {"type": "string", "enum": shape[1:].split("|")}
    if shape.startswith("@"):
        return {"anyOf": [_named(name) for name in shape[1:].split("|")]}
    return {"type": _PLAIN[shape]}


def _named(name: str) -> Json:
    return {"type": "string"} if name == "id" else {"$ref": f"#/components/schemas/{name}"}
