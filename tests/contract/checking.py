"""Bodies held against their schemas; what does not fit is said with its JSON path."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tests.contract import schemas

Json = dict[str, Any]
Fault = tuple[str, str]

_LONGEST_MESSAGE = 240


def _is_whole(checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema takes 5.0 for an integer; an amount that became a float is a fault here.
_Strict = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole),
)


def faults(body: Any, schema: str) -> list[Fault]:
    """Where and how the body is not that object, as JSON path and sentence; none when it is."""
    if schema not in schemas.definitions():
        return [("$", f"the description has no object {schema!r}")]
    return _found(_of_schema(schema), body)


def answer_faults(body: Any, route: str) -> list[Fault]:
    """Where and how the body is not what the route answers: ``POST /v1/customers/<id>``."""
    shape = schemas.shape_of(route)
    if shape not in schemas.answers():
        return [("$", "the description has no such route")]
    return _found(_of_route(shape), body)


def previous_faults(before: Json, schema: str) -> list[Fault]:
    """Where an event's previous attributes are no fields of the object they are said to be of."""
    fields = schemas.definitions()[schema]["properties"]
    found: list[Fault] = []
    for name, value in before.items():
        if name not in fields:
            found.append((f"$.{name}", f"{schema} has no such field"))
        elif not isinstance(value, dict):
            # Of a nested object only what changed is there, so only plain values are whole.
            found += [(f"$.{name}{at[1:]}", said) for at, said in _of_field(schema, name, value)]
    return found


def name_of(body: Json) -> str:
    """The name of the schema of an object that says what it is."""
    kind = str(body.get("object"))
    return f"deleted_{kind}" if body.get("deleted") else kind


@cache
def _of_schema(name: str) -> Any:
    return _validator({"$ref": f"#/$defs/{name}"})


@cache
def _of_route(route: str) -> Any:
    return _validator(schemas.answers()[route])


def _of_field(schema: str, name: str, value: Any) -> list[Fault]:
    shape = schemas.definitions()[schema]["properties"][name]
    return _found(_validator({"anyOf": [shape, {"type": "null"}]}), value)


def _validator(schema: Json) -> Any:
    return _Strict({**schema, "$defs": schemas.definitions()})


def _found(validator: Any, body: Any) -> list[Fault]:
    return [
        (leaf.json_path, _short(leaf.message))
        for error in validator.iter_errors(body)
        for leaf in _leaves(error)
    ]


def _leaves(error: ValidationError) -> list[ValidationError]:
    """The error, or those of the one alternative that was meant: whose kind and name fit."""
    if error.validator != "anyOf":
        return [error]
    alternatives: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        alternatives.setdefault(inner.schema_path[0], []).extend(_leaves(inner))
    return min(alternatives.values(), key=lambda found: _strangeness(found, error))


def _strangeness(found: list[ValidationError], parent: ValidationError) -> tuple[bool, int]:
    here = list(parent.absolute_path)
    of_another_kind = any(
        list(leaf.absolute_path) == [*here, "object"]
        or (leaf.validator == "type" and list(leaf.absolute_path) == here)
        for leaf in found
    )
    return of_another_kind, len(found)


def _short(message: str) -> str:
    if len(message) <= _LONGEST_MESSAGE:
        return message
    # The value comes first and may be long; what is wrong with it comes last.
    return f"{message[:80]} … {message[-140:]}"
