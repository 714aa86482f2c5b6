"""Card data where none may be: found by the name of a field and by what it holds.

A number counts as a card's when it has a brand's prefix and length and passes the Luhn check, so
that order numbers, times and ids do not. What was found is named by its place, never repeated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from uuid import UUID

from talkingphoto.accounts import card_names, card_numbers
from talkingphoto.accounts.card_names import Kind
from talkingphoto.foundation import errors

DEEPEST = 32
MOST_VALUES = 20_000
MOST_CHARACTERS = 200_000
MOST_FINDINGS = 100
_MASKS = "*•●"
# Python prints no whole number above 4300 digits.
_LONGEST_NUMBER_BITS = 10_000


@dataclass(frozen=True)
class Finding:
    """One place that holds card data, and which."""

    field: str
    kind: Kind


def find(given: object) -> tuple[Finding, ...]:
    """Every place with card data; names in a bare list count as names of fields.

    InvalidRequest when it is too deep, too large or of a kind that cannot be read: what was not
    looked at is not vouched for.
    """
    search = _Search()
    names = not isinstance(given, Mapping)
    findings = dict.fromkeys(_walk(search, given, _Place("", names=names)))
    return tuple(findings)[:MOST_FINDINGS]


def holds_card_data(text: str) -> bool:
    """True when a card number or security code stands anywhere in the text."""
    return card_numbers.kind_in(text) is not None


@dataclass(frozen=True)
class _Place:
    """Where the search stands; `names` while strings may be names of fields."""

    path: str
    names: bool = False
    parent: str = ""
    depth: int = 0

    def inside(self, step: str, *, parent: str = "", names: bool = False) -> _Place:
        return _Place(f"{self.path}{step}", names, parent, self.depth + 1)


@dataclass
class _Search:
    """What was seen so far, so that a search ends."""

    values: int = 0
    characters: int = 0
    open: set[int] = field(default_factory=set)

    def count(self, *, characters: int = 0) -> None:
        self.values += 1
        self.characters += characters
        if self.values > MOST_VALUES or self.characters > MOST_CHARACTERS:
            raise _too_large()


def _walk(search: _Search, value: object, place: _Place) -> Iterator[Finding]:
    search.count()
    if isinstance(value, Mapping | list | tuple | AbstractSet):
        yield from _walk_inside(search, value, place)
        return
    text = _as_text(value)
    if text is None:
        return
    search.count(characters=len(text))
    found = card_numbers.kind_in(text)
    if found:
        yield Finding(place.path or "value", found)
    elif place.names and (kind := card_names.kind_of(text)):
        yield Finding(card_names.shown(text), kind)


def _walk_inside(
    search: _Search,
    value: Mapping[object, object] | list[object] | tuple[object, ...] | AbstractSet[object],
    place: _Place,
) -> Iterator[Finding]:
    if id(value) in search.open:
        return  # a circle: its values are already being looked at
    if place.depth >= DEEPEST:
        raise errors.InvalidRequest(
            "security.too_deep", f"Fields are nested deeper than {DEEPEST} levels. Flatten them."
        )
    search.open.add(id(value))
    if isinstance(value, Mapping):
        yield from _walk_mapping(search, value, place)
    else:
        yield from _walk_items(search, list(value), place)
    search.open.discard(id(value))


def _walk_items(search: _Search, items: list[object], place: _Place) -> Iterator[Finding]:
    found = []
    for position, item in enumerate(items):
        inner = place.inside(f"[{position}]", parent=place.parent, names=place.names)
        found += list(_walk(search, item, inner))
    yield from found
    if place.names and _has_number(found):
        texts = [item for item in items if isinstance(item, str)]
        yield from (
            Finding(card_names.shown(text), "beside")
            for text in texts
            if card_names.is_beside(text)
        )


def _walk_mapping(
    search: _Search, value: Mapping[object, object], place: _Place
) -> Iterator[Finding]:
    found: list[Finding] = []
    beside = []
    for key, inner in value.items():
        name = _as_text(key) or ""
        search.count(characters=len(name))
        in_name = card_numbers.kind_in(name)
        step = card_names.HIDDEN if in_name else card_names.shown(name)
        here = place.inside(f".{step}" if place.path else step, parent=name)
        kind = in_name or _kind_by_name(name, inner, parent=place.parent)
        inside = list(_walk(search, inner, here))
        # What was found in the value itself is one finding with its name, not two.
        found += [Finding(here.path, kind)] if kind else []
        found += [finding for finding in inside if not kind or finding.field != here.path]
        if card_names.is_beside(name):
            beside.append(here.path)
    yield from found
    if _has_number(found):
        yield from (Finding(path, "beside") for path in beside)


def _kind_by_name(name: str, value: object, *, parent: str) -> Kind | None:
    if isinstance(value, str) and any(c in _MASKS for c in value):
        return None  # stars and the last four: what a receipt may show
    if isinstance(value, Mapping) and card_names.is_card(name):
        return None
    return card_names.kind_of(name, parent=parent)


def _has_number(found: list[Finding]) -> bool:
    return any(finding.kind == "number" for finding in found)


def _digits(value: int) -> str:
    if value.bit_length() > _LONGEST_NUMBER_BITS:
        raise _too_large()
    return str(value)


def _too_large() -> errors.InvalidRequest:
    return errors.InvalidRequest(
        "security.too_large", "There is too much to check at once. Check it in parts."
    )


def _as_text(value: object) -> str | None:
    """The value as text to search; None for what cannot hold a card number."""
    if value is None or isinstance(value, bool | date | time | UUID):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        # Without NULs, text of two bytes a letter reads like text of one.
        return bytes(value).replace(b"\0", b"").decode("utf-8", "replace")
    if isinstance(value, int):
        return _digits(value)
    if isinstance(value, float):
        return f"{value:.0f}" if math.isfinite(value) and value.is_integer() else None
    if isinstance(value, Decimal):
        whole = value.is_finite() and abs(value.adjusted()) < 40 and value == value.to_integral()
        return f"{value:.0f}" if whole else None
    raise errors.InvalidRequest(
        "security.unreadable",
        f"A value of type {type(value).__name__} cannot be checked. Give text, numbers, lists or "
        "mappings.",
    )
