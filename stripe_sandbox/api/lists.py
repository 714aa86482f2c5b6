"""Lists, cut into pages by an object before or after; those of the store have the newest first."""

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
    limit, after, before = _asked(values)
    wheres = [*wheres, Where("deleted IS NULL")]
    if before:
        wheres.append(Where("seq > ?", (_place(unit, before, "ending_before"),)))
        rows, more = _nearest_newer(unit, kind, wheres, limit)
        return listed(url, rows, more=more)
    if after:
        wheres.append(Where("seq < ?", (_place(unit, after, "starting_after"),)))
    rows = unit.select(kind, wheres, limit + 1)
    return listed(url, rows[:limit], more=len(rows) > limit)


def cut(url: str, rows: list[Json], values: Json) -> Json:
    """One page of rows that are all at hand, in their order."""
    limit, after, before = _asked(values)
    if before:
        end = _index(rows, before, "ending_before")
        start = max(0, end - limit)
        return listed(url, rows[start:end], more=start > 0)
    start = _index(rows, after, "starting_after") + 1 if after else 0
    return listed(url, rows[start : start + limit], more=start + limit < len(rows))


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


def _asked(values: Json) -> tuple[int, str | None, str | None]:
    after, before = values.get("starting_after"), values.get("ending_before")
    if after and before:
        raise errors.invalid(
            "You may only specify one of these parameters: ending_before, starting_after."
        )
    return values.get("limit", 10), after, before


def _index(rows: list[Json], object_id: str, param: str) -> int:
    for at, row in enumerate(rows):
        if row["id"] == object_id:
            return at
    raise errors.no_such("object", object_id, param)


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
