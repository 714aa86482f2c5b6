"""The dashboard's pages to look at: an overview, lists, one object, deliveries and failures."""

import json

from flask import Flask, Response, request

from stripe_sandbox import Json
from stripe_sandbox.delivery import laboratory, log, modes
from stripe_sandbox.delivery.log import Wanted
from stripe_sandbox.faults import rules
from stripe_sandbox.objects import test_clocks
from stripe_sandbox.pages import answer
from stripe_sandbox.pages.dashboard import cells, lists
from stripe_sandbox.pages.dashboard.lists import LISTS, Listing
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit, Where, public

_ABOUT = 20
_COUNTED = (
    ("customers", "customer", None),
    ("payments", "payment_intent", "succeeded"),
    ("subscriptions", "subscription", "active"),
    ("invoices", "invoice", "open"),
)


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application shows the dashboard."""

    def overview() -> Response:
        with sandbox.transaction() as unit:
            facts = _overview(unit)
        return shown(sandbox, "overview", facts)

    def listed(name: str) -> Response:
        listing = LISTS.get(name)
        if listing is None:
            return missing(sandbox, "There is no such list.")
        with sandbox.transaction() as unit:
            facts = _listed(unit, name, listing)
        return shown(sandbox, "list", facts)

    def one(object_id: str) -> Response:
        with sandbox.transaction() as unit:
            body = unit.find(object_id)
            facts = _one(unit, body) if body else None
        if facts is None:
            return missing(sandbox, f"Nothing here has the id {object_id[:80]}.")
        return shown(sandbox, "object", facts)

    app.add_url_rule("/dashboard", "dashboard", overview)
    app.add_url_rule("/dashboard/deliveries", "dashboard_deliveries", lambda: deliveries(sandbox))
    app.add_url_rule("/dashboard/failures", "dashboard_failures", lambda: failures(sandbox))
    app.add_url_rule("/dashboard/objects/<object_id>", "dashboard_object", one)
    app.add_url_rule("/dashboard/<name>", "dashboard_list", listed)


def deliveries(sandbox: Sandbox, refusal: str | None = None, status: int = 200) -> Response:
    """The log of deliveries, and the laboratory of each endpoint."""
    state = request.args.get("state", "")
    after = request.args.get("after", "")
    wanted = Wanted(
        event=request.args.get("event") or None,
        state=state if state in log.STATES else None,
        starting_after=int(after) if after.isascii() and after.isdigit() else None,
        limit=lists.PAGE,
    )
    with sandbox.transaction() as unit:
        page = log.page(unit.connection, wanted)
        endpoints = laboratory.overview(unit)
    facts = {
        "rows": [_delivery(row) for row in page["data"]],
        "states": log.STATES,
        "state": state,
        "event": wanted.event,
        "next": page["data"][-1]["id"] if page["has_more"] else None,
        "endpoints": endpoints,
        "shares": modes.SHARES,
        "refusal": refusal,
        # After a refusal the form stands as it was typed.
        "typed": request.form,
        "typed_for": (request.view_args or {}).get("endpoint_id"),
    }
    return shown(sandbox, "deliveries", facts, status)


def failures(sandbox: Sandbox, refusal: str | None = None, status: int = 200) -> Response:
    """The rules of failure for API calls, and a form for one more."""
    facts = {
        "rules": sandbox.faults.all(),
        "kinds": rules.KINDS,
        "refusal": refusal,
        "typed": request.form,
    }
    return shown(sandbox, "failures", facts, status)


def shown(sandbox: Sandbox, name: str, facts: Json, status: int = 200) -> Response:
    """A page of the dashboard with its menu, the time and what was just done."""
    said = {
        "here": facts.get("here", name),
        "menu": [(key, listing.title) for key, listing in LISTS.items()],
        "now": cells.when(sandbox.now()),
        "done": request.args.get("done", "")[:300],
    }
    return answer.page(sandbox, f"dashboard/{name}.html", {**said, **facts}, status=status)


def missing(sandbox: Sandbox, words: str) -> Response:
    """The page that says what is not there."""
    return shown(sandbox, "missing", {"words": words}, 404)


def _overview(unit: Unit) -> Json:
    counts = []
    for name, kind, status in _COUNTED:
        wheres = [Where("deleted IS NULL")]
        if status:
            wheres.append(Where("json_extract(body, '$.status') = ?", (status,)))
        title = LISTS[name].title.lower()
        counts.append(
            {
                "name": name,
                "words": f"{status} {title}" if status else title,
                "number": unit.count(kind, wheres),
            }
        )
    recent = unit.select("event", (), 8)
    return {
        "counts": counts,
        "events": [
            (cells.linked(body["id"], body["type"]), cells.moment(body["created"]))
            for body in recent
        ],
    }


def _listed(unit: Unit, name: str, listing: Listing) -> Json:
    typed = request.args.get("q", "").strip()[:200]
    wheres = [Where("deleted IS NULL")]
    if typed:
        wheres.append(listing.where(typed))
    after = unit.place(request.args.get("after", ""))
    if after is not None:
        wheres.append(Where("seq < ?", (after,)))
    rows = unit.select(listing.kind, wheres, lists.PAGE + 1)
    more = len(rows) > lists.PAGE
    rows = rows[: lists.PAGE]
    return {
        "here": name,
        "listing": listing,
        "heads": [head for head, _ in listing.columns],
        "rows": [[cell(body) for _, cell in listing.columns] for body in rows],
        "typed": typed,
        "next": rows[-1]["id"] if more else None,
    }


def _one(unit: Unit, body: Json) -> Json:
    object_id = body["id"]
    about = Where("json_extract(body, '$.data.object.id') = ?", (object_id,))
    events = [] if body["object"] == "event" else unit.select("event", [about], _ABOUT)
    told = []
    if body["object"] == "event":
        told = log.page(unit.connection, Wanted(event=object_id))["data"]
    visible = public(body)
    is_clock = body["object"] == test_clocks.KIND
    return {
        "here": next((name for name, one in LISTS.items() if one.kind == body["object"]), ""),
        "object": visible,
        "kind": _words(body["object"]),
        "shows": cells.moment(body["frozen_time"]) if is_clock else None,
        "status": cells.badge(visible.get("status")) if visible.get("status") else None,
        "links": _links(visible),
        "json": json.dumps(visible, indent=2, ensure_ascii=False),
        "events": [
            (cells.linked(event["id"], event["type"]), cells.moment(event["created"]))
            for event in events
        ],
        "deliveries": [_delivery(row) for row in told],
        "is_event": body["object"] == "event",
        "is_clock": is_clock and body["status"] == "ready",
        "page": visible.get("hosted_invoice_url") or visible.get("url"),
    }


def _links(body: Json) -> list[tuple[str, cells.Cell]]:
    """The objects that this one names, by the field that names them; an event tells of one."""
    if body["object"] == "event":
        about = body["data"]["object"]
        return [(_words(about["object"]), cells.linked(about["id"]))] if "id" in about else []
    found = []
    for name, value in body.items():
        named = isinstance(value, str) and "_" in value and len(value) < 100
        if named and name not in ("id", "object", "status") and name in _NAMES:
            found.append((_words(name), cells.linked(value)))
    return found


def _words(name: str) -> str:
    return name.removeprefix("test_helpers.").replace("_", " ").replace(".", " ")


_NAMES = frozenset(
    "balance_transaction charge customer default_payment_method default_price invoice "
    "latest_charge latest_invoice payment_intent payment_method price product schedule "
    "setup_intent subscription test_clock".split()
)


def _delivery(row: Json) -> Json:
    last = row["attempts"][-1] if row["attempts"] else None
    answered = "not tried yet"
    if last is not None:
        answered = f"{last['status'] or last['fault']} in {round(last['seconds'] * 1000)} ms"
    return {
        "event": cells.linked(row["event"], row["type"]),
        "endpoint": cells.linked(row["endpoint"]),
        "state": cells.badge(row["state"]),
        "tries": row["tries"],
        "answer": answered,
        "made": cells.when(row["made_at"]),
        "quirks": ", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in row["quirks"].items()
        ),
        "id": row["event"],
        "to": row["endpoint"],
    }
