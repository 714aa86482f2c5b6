"""Lists: newest first, cut into pages by an object before or after."""

from collections.abc import Iterable

from stripe_sandbox import Json, schema
from stripe_sandbox.api import errors, params
from stripe_sandbox.unit import Unit, Where

PAGING: params.Fields = {
    "limit": params.integer(1, 100),
    "starting_after": params.TEXT,
    "ending_before": params.TEXT,
}
_COMPARISONS = {"eq": "= ?", "gt": "> ?", "gte": ">= ?", "lt": "< ?", "lte": "<= ?"}


def page(unit: Unit, kind: str, url: str, values: Json, wheres: Iterable[Where] = ()) -> Json:
    """One page of the objects that meet every condition."""
    limit = values.get("limit", 10)
    after, before = values.get("starting_after"), values.get("ending_before")
    if after and before:
        raise errors.invalid(
            "You may only specify one of these parameters: ending_before, starting_after."
        )
    wheres = [*wheres, Where("deleted IS NULL")]
    if before:
        wheres.append(Where("seq > ?", (_place(unit, before, "ending_before"),)))
        rows, more = _nearest_newer(unit, kind, wheres, limit)
        return listed(url, rows, more=more)
    if after:
        wheres.append(Where("seq < ?", (_place(unit, after, "starting_after"),)))
    rows = unit.select(kind, wheres, limit + 1)
    return listed(url, rows[:limit], more=len(rows) > limit)


def listed(url: str, rows: list[Json], *, more: bool = False) -> Json:
    """A list object around the rows."""
    return {"object": "list", "url": url, "has_more": more, "data": rows}


def equal(values: Json, *names: str) -> list[Where]:
    """Conditions for the named parameters that were given: the field is equal to the value."""
    return [
        Where(f"{_field(name)} = ?", (values[name],))
        for name in names
        if values.get(name) is not None
    ]


def within(values: Json, *names: str) -> list[Where]:
    """Conditions for the named parameters that hold bounds of a moment."""
    return [
        Where(f"{_field(name)} {_COMPARISONS[how]}", (moment,))
        for name in names
        for how, moment in (values.get(name) or {}).items()
    ]


def _field(name: str) -> str:
    return schema.column_of(name) or f"json_extract(body, '$.{name}')"


def _place(unit: Unit, object_id: str, param: str) -> int:
    place = unit.place(object_id)
    if place is None:
        raise errors.no_such("object", object_id, param)
    return place


def _nearest_newer(
    unit: Unit, kind: str, wheres: list[Where], limit: int
) -> tuple[list[Json], bool]:
    """The rows just above the cursor, still newest first: a page back joins the page before."""
    rows = unit.select(kind, wheres, limit + 1, "ASC")
    return rows[:limit][::-1], len(rows) > limit
