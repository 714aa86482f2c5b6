"""Requests held against the SDK's parameter types: every name known, every value of its type."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache, reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import stripe
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe import RequestOptions
from typing_extensions import TypedDict, is_typeddict

from stripe_sandbox.api import forms
from stripe_sandbox.api.errors import StripeFault
from tests.contract import schemas

Fault = tuple[str, str]

_STRICT = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
# Called with fields only known here, which no type checker can follow.
_TYPED_DICT: Any = TypedDict
_WHOLE = re.compile(r"-?[0-9]+\Z")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
_FLAGS = {"true": True, "false": False}
# Said in headers; as parameters of a request they would be unknown to Stripe.
_OPTIONS = frozenset(RequestOptions.__annotations__)


def faults(method: str, path: str, pairs: Iterable[tuple[str, str]]) -> list[Fault]:
    """Where and how the request is not one the SDK's types allow; none when it is."""
    kind = _type_of(method, path)
    if kind is None:
        return [("$", "the SDK sends no such request")]
    try:
        form = forms.decode(pairs)
    except StripeFault as fault:
        return [("$", str(fault))]
    try:
        _adapter(kind).validate_python(_typed(form, kind))
    except ValidationError as error:
        return [(_json_path(one["loc"]), one["msg"]) for one in error.errors()]
    return []


def route_of(method: str, path: str) -> str | None:
    """The route of the SDK that a request takes, with its ids unnamed; None for no such one."""
    parts = path.strip("/").split("/")
    fitting = [
        template
        for verb, template in _types()
        if verb == method and _fits(template.strip("/").split("/"), parts)
    ]
    # A word of the path is meant before an id: /v1/invoices/search is no invoice.
    best = min(fitting, key=lambda template: template.count("*"), default=None)
    return best and f"{method} {best}"


def _fits(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        wanted in ("*", part) for wanted, part in zip(template, parts, strict=True)
    )


def _type_of(method: str, path: str) -> Any:
    route = route_of(method, path)
    if route is None:
        return None
    module, name = _types()[(method, route.partition(" ")[2])]
    return getattr(import_module(module), name)


@cache
def _types() -> dict[tuple[str, str], tuple[str, str]]:
    """Method and path of every request of the SDK, and where its parameter type is."""
    folder = Path(stripe.__file__).parent
    return {
        route: where
        for file in sorted(folder.rglob("_*_service.py"))
        for route, where in _requests(ast.parse(file.read_text()))
    }


def _requests(tree: ast.Module) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    modules = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        kind = next((_words(arg.annotation) for arg in node.args.args if arg.arg == "params"), [])
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "_request":
                method, path = (_words(part)[0] for part in call.args[:2])
                yield (method.upper(), schemas.shape_of(path)), (modules[kind[0]], kind[0])


def _words(node: ast.AST | None) -> list[str]:
    """The texts written in an expression."""
    return [
        part.value
        for part in (ast.walk(node) if node else ())
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    strict = _strict(kind)
    return TypeAdapter(strict) if is_typeddict(strict) else TypeAdapter(strict, config=_STRICT)


@cache
def _strict(kind: Any) -> Any:
    """The type with every typed dictionary in it taking no other field and no looser value."""
    if is_typeddict(kind):
        fields = {
            name: Required[_strict(hint)]
            if name in kind.__required_keys__
            else NotRequired[_strict(hint)]
            for name, hint in _hints(kind).items()
        }
        made = _TYPED_DICT(kind.__name__, fields)
        made.__pydantic_config__ = _STRICT
        return made
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return reduce(or_, map(_strict, _closed(parts)))
    if origin in (dict, list):
        return origin[tuple(map(_strict, parts))]
    return kind


def _closed(kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """The alternatives without the open end that the SDK leaves for words of later versions."""
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    return tuple(kind for kind in kinds if kind is not str) if any(words) else kinds


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The parameters of a type; what the SDK says in headers is not among them."""
    names = SimpleNamespace(
        __annotations__={
            name: hint for name, hint in kind.__annotations__.items() if name not in _OPTIONS
        }
    )
    return get_type_hints(names, globalns=vars(import_module(kind.__module__)))


def _typed(value: Any, kind: Any) -> Any:
    """What the caller meant by the text on the wire; text that is not of the type stays text."""
    if kind in (int, float, bool, Decimal):
        return _scalar(value, kind)
    if is_typeddict(kind) and isinstance(value, dict):
        hints = _hints(kind)
        return {name: _typed(v, hints.get(name, str)) for name, v in value.items()}
    origin, parts = get_origin(kind), get_args(kind)
    if origin is list and isinstance(value, list):
        return [_typed(one, parts[0]) for one in value]
    if origin is dict and isinstance(value, dict):
        return {name: _typed(one, parts[1]) for name, one in value.items()}
    if origin in (Union, UnionType):
        return _best(value, parts)
    return value


def _scalar(value: Any, kind: Any) -> Any:
    if not isinstance(value, str):
        return value
    if kind is bool:
        return _FLAGS.get(value, value)
    if kind is int:
        return int(value) if _WHOLE.match(value) else value
    return kind(value) if _NUMBER.match(value) else value


def _best(value: Any, kinds: tuple[Any, ...]) -> Any:
    """As the first of the alternatives that takes it."""
    tries = [(kind, _typed(value, kind)) for kind in kinds]
    for kind, typed in tries:
        try:
            _adapter(kind).validate_python(typed)
        except ValidationError:
            continue
        return typed
    # None does: the one whose form it has says best what is wrong.
    nested = [typed for _, typed in tries if typed != value]
    return nested[0] if nested else value


def _json_path(places: tuple[int | str, ...]) -> str:
    # Between the names stand those of the alternatives that were tried.
    names = [one for one in places if isinstance(one, int) or _is_a_name(one)]
    return "$" + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in names)


def _is_a_name(place: str) -> bool:
    return place.islower() and "[" not in place
