"""Stripe's search language: ``status:"active" AND metadata["order"]:"6735" AND total>1000``.

A clause is a field, a sign and a value: ``:`` is equal (letters large or small), ``~`` contains,
and numbers are compared with ``< <= > >=``; ``null`` is what is not there; ``-`` before a clause
turns it round. Clauses are joined by AND or by OR, not by both.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from stripe_sandbox import Json, schema
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.routes import Route
from stripe_sandbox.unit import Unit, Where

# What a field holds: words, a number, or true and false.
TEXT, NUMBER, SWITCH = "text", "number", "switch"
Searchable = Mapping[str, str]
_CLAUSE = re.compile(
    r"""\s*(?P<minus>-)?
    (?: metadata \[ (?P<mark>["']) (?P<key>[^"'\\\x00]{1,40}) (?P=mark) \]
      | (?P<field>[a-z_0-9]+ (?:\.[a-z_0-9]+)*) )
    \s* (?P<sign><=|>=|[:~<>]) \s*
    (?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)'
      | (?P<bare>[^\s"']+) )""",
    re.VERBOSE,
)
_JOIN = re.compile(r"\s+(AND|OR)\s+", re.IGNORECASE)
_MOST_CLAUSES = 10
_LONGEST = 2000


def route(kind: str, path: str, fields: Searchable) -> Route:
    """The route that searches the objects of one kind by these fields."""

    def handler(unit: Unit, values: Json) -> Json:
        return found(unit, kind, f"{path}/search", values, fields)

    return Route("GET", f"{path}/search", handler, _PARAMS, ("query",))


def found(unit: Unit, kind: str, url: str, values: Json, fields: Searchable) -> Json:
    """One page of the objects that the query finds, newest first, at once after they changed."""
    limit = values.get("limit", 10)
    condition = parsed(values["query"], fields)
    living = Where("deleted IS NULL")
    wheres = [condition, living]
    if values.get("page"):
        wheres.append(Where("seq < ?", (_place(values["page"]),)))
    rows = unit.select(kind, wheres, limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    last = unit.place(shown[-1]["id"]) if more else None
    return {
        "object": "search_result",
        "data": shown,
        "has_more": more,
        "next_page": base64.urlsafe_b64encode(str(last).encode()).decode() if last else None,
        "url": url,
        "_condition": (kind, condition, living),
    }


def count_of(unit: Unit, body: Json) -> int:
    """How many objects the query of this page finds, for expansion."""
    kind, *wheres = body["_condition"]
    return len(unit.select(kind, wheres, 10_000))


def parsed(query: str, fields: Searchable) -> Where:
    """The query as a condition on stored bodies, or a refusal that says what is wrong with it."""
    if len(query) > _LONGEST:
        raise _unreadable(f"it is longer than {_LONGEST} characters")
    clauses: list[Where] = []
    joins: set[str] = set()
    at = 0
    while True:
        match = _CLAUSE.match(query, at)
        if match is None:
            raise _unreadable(f"no clause begins at '{query[at : at + 40].strip()}'")
        clauses.append(_condition(match, fields))
        at = match.end()
        if not query[at:].strip():
            break
        join = _JOIN.match(query, at)
        if join is None:
            raise _unreadable(f"AND or OR is missing before '{query[at : at + 40].strip()}'")
        joins.add(join.group(1).upper())
        at = join.end()
    if len(joins) > 1:
        raise _unreadable("AND and OR cannot be used in one query")
    if len(clauses) > _MOST_CLAUSES:
        raise _unreadable(f"it has more than {_MOST_CLAUSES} clauses")
    joint = f" {joins.pop()} " if joins else ""
    sql = joint.join(clause.sql for clause in clauses)
    return Where(f"({sql})", tuple(value for clause in clauses for value in clause.values))


def _condition(match: re.Match[str], fields: Searchable) -> Where:
    quoted = match["double"] if match["double"] is not None else match["single"]
    text = match["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    name, sign = match["field"], match["sign"]
    first: tuple[object, ...] = ()
    if match["key"]:
        holder, held, first = "json_extract(body, ?)", TEXT, (f'$.metadata."{match["key"]}"',)
    else:
        if name not in fields:
            listed = ", ".join([*sorted(fields), "metadata"])
            raise _unreadable(f"the field `{name}` cannot be searched; these can: {listed}")
        holder = schema.column_of(name) or f"json_extract(body, '$.{name}')"
        held = fields[name]
    if quoted is None and text == "null":
        where = Where(f"{holder} IS NULL", first)
    else:
        sql, value = _compared(holder, held, sign, text)
        where = Where(sql, (*first, value))
    if not match["minus"]:
        return where
    # What is not there is not equal either.
    return Where(f"NOT coalesce({where.sql}, 0)", where.values)


def _compared(holder: str, held: str, sign: str, text: str) -> tuple[str, object]:
    if held == NUMBER:
        if sign == "~" or not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise _unreadable(f"'{sign}{text}' is no comparison with a whole number")
        return f"{holder} {'=' if sign == ':' else sign} ?", int(text)
    if sign not in ":~":
        raise _unreadable(f"'{sign}' compares numbers only")
    if held == SWITCH:
        if sign == "~" or text not in ("true", "false"):
            raise _unreadable(f"'{text}' is neither true nor false")
        return f"{holder} = ?", int(text == "true")
    if sign == ":":
        return f"lower({holder}) = ?", text.lower()
    if len(text) < 3:
        raise _unreadable("a part of a word has three letters or more")
    return f"instr(lower({holder}), ?) > 0", text.lower()


def _place(page: str) -> int:
    try:
        place = int(base64.urlsafe_b64decode(page.encode()).decode())
    except (ValueError, binascii.Error) as error:
        raise errors.invalid(f"Invalid page: {page[:40]}", param="page") from error
    # The store counts no further, and would fail to compare.
    return min(place, 2**63 - 1)


def _unreadable(why: str) -> errors.StripeFault:
    return errors.invalid(f"We were unable to parse your search query: {why}.", param="query")


_PARAMS: params.Fields = {
    "limit": params.integer(1, 100),
    "page": params.TEXT,
    "query": params.TEXT,
}
