"""Events: what happened, for those who look instead of listening."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit, Where

# An endpoint has it when any of the deliveries to it has arrived: one sent again counts too.
_UNDELIVERED = (
    "EXISTS (SELECT 1 FROM deliveries AS one WHERE one.event = objects.id AND NOT EXISTS ("
    "SELECT 1 FROM deliveries AS other WHERE other.event = one.event "
    "AND other.endpoint = one.endpoint AND other.state = 'succeeded'))"
)


def all_of(unit: Unit, values: Json) -> Json:
    """The events, newest first; ``invoice.*`` finds a whole family."""
    if values.get("type") and values.get("types"):
        raise errors.invalid("You may only specify one of these parameters: type, types.")
    wheres = lists.within(values, "created")
    names = (
        values.get("types") or [values["type"]] if values.get("type") or values.get("types") else []
    )
    if names:
        clause = " OR ".join(["type GLOB ?"] * len(names))
        wheres.append(Where(f"({clause})", tuple(names)))
    if "delivery_success" in values:
        wheres.append(Where(f"NOT {_UNDELIVERED}" if values["delivery_success"] else _UNDELIVERED))
    return lists.page(unit, "event", "/v1/events", values, wheres)


ROUTES = (
    retrieve("event", "/v1/events"),
    Route(
        "GET",
        "/v1/events",
        all_of,
        {
            **lists.PAGING,
            "created": params.span,
            "delivery_success": params.boolean,
            "type": TEXT,
            "types": params.list_of(TEXT, 20),
        },
    ),
)
