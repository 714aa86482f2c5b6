"""Is it up, what time is it, and what happens on the way when the clock is moved."""

from flask import Flask, Response

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.machine.answers import answered, given
from stripe_sandbox.sandbox import LONGEST_MOVE_SECONDS, Sandbox

# The longest a mover of the clock can ask to be kept waiting for the webhooks.
_LONGEST_WAIT_SECONDS = 120
_USUAL_WAIT_SECONDS = 30
_MOVE: params.Fields = {
    "advance_seconds": params.integer(),
    "to": params.integer(),
    "stand": params.choice("still", "no"),
    "wait": params.choice("deliveries"),
    "wait_seconds": params.integer(1, _LONGEST_WAIT_SECONDS),
}


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers /healthz and /_sandbox/clock."""

    def health() -> Response:
        sandbox.now()
        return answered(lambda: {"status": "ok"})

    def clock() -> Response:
        return answered(lambda: {"now": sandbox.now()})

    def move() -> Response:
        return answered(lambda: moved(sandbox, given(_MOVE)))

    app.add_url_rule("/healthz", "health", health)
    app.add_url_rule("/_sandbox/clock", "clock", clock)
    app.add_url_rule("/_sandbox/clock", "move", move, methods=["POST"])


def moved(sandbox: Sandbox, values: Json) -> Json:
    """The clock is where it was asked to be; what happened on the way, and whether it was told."""
    moment = _moment(sandbox.now(), values)
    if "stand" in values:
        sandbox.stop_clock(still=values["stand"] == "still")
    outcome = sandbox.move_clock(moment)
    told: Json = {}
    if values.get("wait"):
        seconds = values.get("wait_seconds", _USUAL_WAIT_SECONDS)
        span = (outcome.first_delivery, outcome.last_delivery)
        told["delivered"] = sandbox.deliverer.wait_between(*span, timeout_seconds=seconds)
    return {"now": outcome.now, "work": outcome.work, "events": outcome.events, **told}


def _moment(now: int, values: Json) -> int:
    if "stand" in values and not {"advance_seconds", "to"} & values.keys():
        return now
    if ("advance_seconds" in values) == ("to" in values):
        raise errors.invalid("Give either advance_seconds or to, which is in unix seconds.")
    moment = int(values["to"]) if "to" in values else now + int(values["advance_seconds"])
    if moment < now:
        raise errors.invalid(f"The clock does not run back: it shows {now}.", param="to")
    if moment - now > LONGEST_MOVE_SECONDS:
        raise errors.invalid(
            f"The clock moves at most {LONGEST_MOVE_SECONDS // 86400} days at once."
        )
    return moment
