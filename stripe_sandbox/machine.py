"""The sandbox's own addresses: is it up, what time is it, what became of the deliveries."""

import json

from flask import Flask, Response, request

from stripe_sandbox import Json
from stripe_sandbox.sandbox import LONGEST_MOVE_SECONDS, Sandbox

_MOST_DELIVERIES = 100


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers /healthz and /_sandbox/…."""

    def health() -> Response:
        sandbox.now()
        return _json({"status": "ok"})

    def clock() -> Response:
        return _json({"now": sandbox.now()})

    def move() -> Response:
        moment = _moment(sandbox)
        if isinstance(moment, str):
            return _json({"error": {"message": moment}}, 400)
        return _json({"now": sandbox.move_clock(moment)})

    def deliveries() -> Response:
        return _json({"data": _deliveries(sandbox, request.args.get("event"))})

    app.add_url_rule("/healthz", "health", health)
    app.add_url_rule("/_sandbox/clock", "clock", clock)
    app.add_url_rule("/_sandbox/clock", "move", move, methods=["POST"])
    app.add_url_rule("/_sandbox/deliveries", "deliveries", deliveries)


def _moment(sandbox: Sandbox) -> int | str:
    """The moment asked for, or the sentence that says what is wrong with it."""
    by, to = request.form.get("advance_seconds", ""), request.form.get("to", "")
    given = by or to
    if bool(by) == bool(to) or not (given.isascii() and given.isdigit() and len(given) < 12):
        return "Give advance_seconds or to (unix seconds), a whole number that is not negative."
    now = sandbox.now()
    moment = now + int(by) if by else int(to)
    if moment < now:
        return f"The clock does not run back: it shows {now}."
    if moment - now > LONGEST_MOVE_SECONDS:
        return f"The clock moves at most {LONGEST_MOVE_SECONDS} seconds at once."
    return moment


def _deliveries(sandbox: Sandbox, event: str | None) -> list[Json]:
    with sandbox.store.transaction() as connection:
        rows = connection.execute(
            "SELECT * FROM deliveries WHERE ?1 IS NULL OR event = ?1 ORDER BY id DESC LIMIT ?2",
            (event, _MOST_DELIVERIES),
        ).fetchall()
        return [
            {
                **dict(row),
                "attempts": [
                    dict(attempt)
                    for attempt in connection.execute(
                        "SELECT at, status, seconds, fault FROM attempts WHERE delivery = ? "
                        "ORDER BY id",
                        (row["id"],),
                    )
                ],
            }
            for row in rows
        ]


def _json(body: Json, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
