"""The classes of the official SDK as plain facts: fields, kinds, words, what may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from stripe import StripeObject
from stripe._object_classes import OBJECT_CLASSES

_PLAIN = {str: "text", int: "whole", float: "number", bool: "flag", Decimal: "text"}


@dataclass(frozen=True)
class Reading:
    """What one annotation says."""

    kinds: frozenset[str]
    optional: bool
    words: frozenset[str] = frozenset()
    # The class of a nested object, or what a list is of.
    inner: Any = None


def class_of(name: str) -> type[StripeObject]:
    """The class of the objects that call themselves so."""
    module, symbol = OBJECT_CLASSES[name]
    found: type[StripeObject] = getattr(import_module(module), symbol)
    return found


def is_object(name: str) -> bool:
    """Whether a schema of the description is an object of its own, deleted or not."""
    return name.removeprefix("deleted_") in OBJECT_CLASSES


def fields(kind: type[StripeObject]) -> dict[str, Any]:
    """The fields of a class by the names they have on the wire."""
    # A few fields are called otherwise in Python, where their name is taken.
    wire = {python: name for name, python in getattr(kind, "_field_remappings", {}).items()}
    return {
        wire.get(name, name): annotation
        for name, annotation in kind.__annotations__.items()
        if "ClassVar" not in str(annotation) and name != "deleted"
    }


def read(annotation: Any) -> Reading:
    """The facts of an annotation of the SDK."""
    parts = list(get_args(annotation)) if get_origin(annotation) is Union else [annotation]
    there = [part for part in parts if part is not type(None)]
    readings = [_read_one(part) for part in there]
    return Reading(
        kinds=frozenset().union(*(reading.kinds for reading in readings)),
        optional=len(there) < len(parts),
        words=frozenset().union(*(reading.words for reading in readings)),
        inner=next((reading.inner for reading in readings if reading.inner), None),
    )


def _read_one(annotation: Any) -> Reading:
    if annotation in _PLAIN:
        return Reading(frozenset({_PLAIN[annotation]}), False)
    if isinstance(annotation, str | ForwardRef):
        return Reading(frozenset({"object"}), False)
    named = str(annotation)
    if get_origin(annotation) is Literal:
        words = get_args(annotation)
        kind = "flag" if words == (True,) else "text"
        return Reading(frozenset({kind}), False, words=frozenset(map(str, words)))
    if get_origin(annotation) is list:
        return Reading(frozenset({"list"}), False, inner=get_args(annotation)[0])
    if "ListObject" in named:
        return Reading(frozenset({"page"}), False)
    if get_origin(annotation) is dict or "UntypedStripeObject" in named:
        return Reading(frozenset({"map"}), False)
    return Reading(frozenset({"group"}), False, inner=annotation)
