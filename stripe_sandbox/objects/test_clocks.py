"""Test clocks: a time of their own for some customers, moved by whoever tests."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import sessions
from stripe_sandbox.unit import Unit, Where

KIND = "test_helpers.test_clock"
_KEPT_SECONDS = 30 * 24 * 3600
# As at Stripe: two periods of the shortest subscription, or for longer ones two years at once.
_LONGEST_MOVE_SECONDS = 2 * 366 * 24 * 3600
_OF_A_CLOCK = Where("json_extract(body, '$.test_clock') = ?")


def create(unit: Unit, values: Json) -> Json:
    """A clock exists that stands at the moment asked for."""
    body = {
        "id": ids.new_id("clock"),
        "object": KIND,
        "created": unit.now,
        "deletes_after": unit.now + _KEPT_SECONDS,
        "frozen_time": values["frozen_time"],
        "livemode": False,
        "name": values.get("name"),
        "status": "ready",
        "status_details": {},
    }
    unit.insert(body)
    unit.emit("test_helpers.test_clock.created", body)
    return body


def advance(unit: Unit, values: Json, id: str) -> Json:
    """The clock is on its way; it is ready again when all that was due until then is done."""
    body = unit.living(KIND, id)
    moment = values["frozen_time"]
    if body["status"] != "ready":
        raise errors.invalid(
            "The test clock is still advancing. Wait until its status is ready.",
            code="test_clock_not_ready",
        )
    if moment <= body["frozen_time"]:
        raise errors.invalid(
            "The time must be after the test clock's present frozen_time.", param="frozen_time"
        )
    if moment - body["frozen_time"] > _LONGEST_MOVE_SECONDS:
        raise errors.invalid("A test clock moves at most two years at once.", param="frozen_time")
    body["status"] = "advancing"
    body["status_details"] = {"advancing": {"target_frozen_time": moment}}
    unit.save(body)
    unit.emit("test_helpers.test_clock.advancing", body)
    # The timekeeper goes the way there, one piece of due work in a transaction at a time.
    unit.schedule("advance", id, unit.now)
    return body


def step_to(unit: Unit, body: Json, moment: int) -> None:
    """The advancing clock stands at the moment of the work that is due next."""
    body["frozen_time"] = moment
    unit.save(body)


def arrive(unit: Unit, body: Json) -> None:
    """The clock stands where it was sent and is ready."""
    body["frozen_time"] = body["status_details"]["advancing"]["target_frozen_time"]
    body.update(status="ready", status_details={})
    unit.save(body)
    unit.emit("test_helpers.test_clock.ready", body)


def enter_for(unit: Unit, body: Json) -> Json:
    """The unit lives in the time of the customer the object belongs to, if that is on a clock."""
    if unit.clock is None and body.get("customer"):
        unit.find(body["customer"])
    return body


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The clock is gone, and its customers with all that was theirs."""
    body = unit.living(KIND, id)
    unit.connection.execute("DELETE FROM timers WHERE clock = ? OR object = ?", (id, id))
    mine = Where(_OF_A_CLOCK.sql, (id,))
    for kind in ("customer", "subscription"):
        for thing in unit.select(kind, [mine], 100_000):
            thing["deleted"] = True
            unit.save(thing)
            if kind == "customer":
                sessions.close_all_of(unit, thing["id"])
    unit.emit("test_helpers.test_clock.deleted", body)
    body["deleted"] = True
    return unit.save(body)


def all_of(unit: Unit, values: Json) -> Json:
    """The clocks, newest first."""
    return lists.page(unit, KIND, _PATH, values)


_PATH = "/v1/test_helpers/test_clocks"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {"frozen_time": params.moment, "name": params.text(300)},
        ("frozen_time",),
    ),
    retrieve(KIND, _PATH),
    Route(
        "POST",
        f"{_PATH}/<id>/advance",
        advance,
        {"frozen_time": params.moment},
        ("frozen_time",),
    ),
    Route("DELETE", f"{_PATH}/<id>", delete),
    Route("GET", _PATH, all_of, lists.PAGING),
)
