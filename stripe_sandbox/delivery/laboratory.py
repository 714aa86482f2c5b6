"""The delivery laboratory of each endpoint: its modes set, shown and cleared; events sent again."""

import json
import time

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors
from stripe_sandbox.delivery import modes
from stripe_sandbox.delivery.modes import Modes
from stripe_sandbox.unit import Unit


def overview(unit: Unit) -> list[Json]:
    """Every endpoint with its laboratory, newest first."""
    endpoints = unit.select("webhook_endpoint")
    return [_shown(unit, body) for body in endpoints if not body.get("deleted")]


def of_endpoint(unit: Unit, endpoint_id: str) -> Json:
    """The endpoint with its laboratory; one that was never set up has every mode off."""
    return _shown(unit, unit.living("webhook_endpoint", endpoint_id))


def set_up(unit: Unit, endpoint_id: str, values: Json) -> Json:
    """Exactly the modes named in the values are on, and the endpoint's events count from one."""
    body = unit.living("webhook_endpoint", endpoint_id)
    chosen = Modes(**values)
    unit.connection.execute(
        "INSERT INTO labs (endpoint, modes, second_secret) VALUES (?, ?, ?) "
        "ON CONFLICT (endpoint) DO UPDATE SET modes = excluded.modes, seen = 0",
        (endpoint_id, json.dumps(modes.shown(chosen)), ids.new_secret("whsec")),
    )
    return _shown(unit, body)


def clear(unit: Unit, endpoint_id: str) -> Json:
    """Nothing more is done to the endpoint's webhooks; what was decided before stays decided."""
    body = unit.living("webhook_endpoint", endpoint_id)
    unit.connection.execute("DELETE FROM labs WHERE endpoint = ?", (endpoint_id,))
    return _shown(unit, body)


def redeliver(unit: Unit, event_id: str, endpoint_id: str | None) -> Json:
    """The event is due again, as it is: for the endpoint, or for all that were told of it."""
    event = unit.get("event", event_id, "event")
    if endpoint_id is not None:
        unit.living("webhook_endpoint", endpoint_id, "endpoint")
        chosen = [endpoint_id]
    else:
        chosen = _told_before(unit, event_id)
        if not chosen:
            raise errors.invalid(
                "No endpoint was told about this event: name one.", param="endpoint"
            )
    now = time.time()
    made = [
        unit.connection.execute(
            "INSERT INTO deliveries (event, endpoint, type, made_at, due_at) "
            "VALUES (?, ?, ?, ?, ?) RETURNING id, endpoint",
            (event_id, each, event["type"], now, now),
        ).fetchone()
        for each in chosen
    ]
    unit.events.append(event_id)
    return {"event": event_id, "deliveries": [dict(row) for row in made]}


def _told_before(unit: Unit, event_id: str) -> list[str]:
    rows = unit.connection.execute(
        "SELECT endpoint FROM deliveries JOIN objects ON objects.id = endpoint "
        "WHERE event = ? AND deleted IS NULL GROUP BY endpoint ORDER BY min(deliveries.id)",
        (event_id,),
    )
    return [row["endpoint"] for row in rows]


def _shown(unit: Unit, body: Json) -> Json:
    row = unit.connection.execute(
        "SELECT modes, second_secret, seen FROM labs WHERE endpoint = ?", (body["id"],)
    ).fetchone()
    chosen = modes.stored_modes(row["modes"]) if row else Modes()
    return {
        "endpoint": body["id"],
        "url": body["url"],
        "status": body["status"],
        "api_version": body["api_version"],
        "on": modes.active(chosen),
        "modes": modes.shown(chosen),
        "shares": list(modes.SHARES),
        "second_secret": row["second_secret"] if row else None,
        "seen": row["seen"] if row else 0,
    }
