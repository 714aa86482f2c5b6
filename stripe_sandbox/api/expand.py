"""Expansion: ids turned into the objects they name, and lists that come only when asked for."""

from collections.abc import Callable, Mapping

from stripe_sandbox import Json
from stripe_sandbox.api import errors
from stripe_sandbox.objects import balance
from stripe_sandbox.unit import Unit, visible

# (kind, field) -> the value that is left out unless it is asked for.
Included = Mapping[tuple[str, str], Callable[[Unit, Json], object]]
_DEEPEST = 4


def shown(unit: Unit, body: Json, paths: list[str], included: Included) -> Json:
    """The object as a caller sees it, with every asked-for path expanded."""
    if body.get("object") in ("list", "search_result"):
        view = {**body, "data": [_finished(unit, row) for row in body["data"]]}
    else:
        view = _finished(unit, body)
    for path in paths:
        parts = path.split(".")
        if len(parts) > _DEEPEST:
            raise errors.invalid(
                "You cannot expand more than 4 levels of a property. "
                f"Here's the property you're trying to expand: {path}",
                param="expand",
            )
        _expand(unit, view, parts, _Asked(path, included))
    # A page of a search remembers its query for as long as it may be asked to count.
    return {name: value for name, value in view.items() if not name.startswith("_")}


class _Asked:
    """The path as the caller wrote it, for the refusal, and what may be included."""

    def __init__(self, path: str, included: Included) -> None:
        self.path = path
        self.included = included

    def refused(self) -> errors.StripeFault:
        return errors.invalid(f"This property cannot be expanded ({self.path}).", param="expand")


def _expand(unit: Unit, node: object, parts: list[str], asked: _Asked) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(unit, item, parts, asked)
        return
    if not isinstance(node, dict):
        raise asked.refused()
    head, rest = parts[0], parts[1:]
    include = asked.included.get((str(node.get("object")), ".".join(parts)))
    if rest and include is not None and isinstance(node.get(head), dict):
        node[head][".".join(rest)] = include(unit, unit.find(str(node.get("id"))) or node)
        return
    opened = _opened(unit, node, head, asked)
    if opened is None and head not in node:
        return
    node[head] = opened
    if rest and node[head] is not None:
        _expand(unit, node[head], rest, asked)


def _opened(unit: Unit, node: Json, head: str, asked: _Asked) -> object:
    include = asked.included.get((str(node.get("object")), head))
    if include is not None and not isinstance(node.get(head), dict):
        stored = unit.find(str(node.get("id")))
        return _whole(unit, include(unit, stored or node))
    value = node.get(head)
    if head not in node or head == "id":
        raise asked.refused()
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return [_named(unit, item, asked) for item in value]
    return _named(unit, value, asked) if isinstance(value, str) else value


def _whole(unit: Unit, included: object) -> object:
    """What was included, without the sandbox's own notes where it is a list of objects."""
    if isinstance(included, dict) and included.get("object") == "list":
        return {**included, "data": [_finished(unit, row) for row in included["data"]]}
    return included


def _named(unit: Unit, object_id: str, asked: _Asked) -> Json:
    found = unit.find(object_id)
    if found is None:
        raise asked.refused()
    return _finished(unit, found)


def _finished(unit: Unit, body: Json) -> Json:
    view = visible(body)
    kind = view.get("object")
    if kind == "balance_transaction":
        view["status"] = balance.status_of(unit, view)
    elif kind == "dispute":
        view["balance_transactions"] = [
            {**moved, "status": balance.status_of(unit, moved)}
            for moved in view["balance_transactions"]
        ]
    elif kind == "event":
        view["pending_webhooks"] = unit.connection.execute(
            "SELECT count(*) FROM deliveries WHERE event = ? AND state = 'waiting'", (view["id"],)
        ).fetchone()[0]
    # A deleted discount is still shown whole: invoices name it.
    if view.get("deleted") and view["object"] != "discount":
        return {"id": view["id"], "object": view["object"], "deleted": True}
    return view
