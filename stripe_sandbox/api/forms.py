"""Nested form fields, as Stripe's SDKs write them: ``a[b][0][c]=1`` and ``a[]=1``."""

import re
from collections.abc import Iterable

from stripe_sandbox.api import errors

# A value of a form: text, or lists and objects of it.
Form = dict[str, "FormValue"]
FormValue = str | list["FormValue"] | Form

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 8
_LONGEST_LIST = 1000
_INDEX = re.compile(r"[0-9]{1,9}\Z")


def decode(pairs: Iterable[tuple[str, str]]) -> Form:
    """The fields as objects and lists; a name that does not parse is refused."""
    root: Form = {}
    for name, value in pairs:
        match = _NAME.match(name)
        parts = _PART.findall(match.group(2)) if match else []
        if match is None or len(parts) > _DEEPEST:
            raise errors.invalid(f"Invalid parameter name: {name[:80]}", param=name[:80])
        _put(root, [match.group(1), *parts], value, name)
    return {key: _with_lists(value) for key, value in root.items()}


def _put(root: Form, path: list[str], value: str, name: str) -> None:
    node = root
    for part, following in zip(path, [*path[1:], None], strict=True):
        key = part or str(len(node))
        if following is None:
            if key in node and part:
                raise errors.invalid(f"Duplicate parameter: {name}", param=name)
            node[key] = value
            return
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise errors.invalid(f"Invalid hash: {name}", param=name)
        node = child


def _with_lists(value: FormValue) -> FormValue:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(item) for key, item in value.items()}
    if inner and len(inner) <= _LONGEST_LIST and all(_INDEX.match(key) for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
