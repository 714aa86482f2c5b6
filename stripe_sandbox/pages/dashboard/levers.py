"""The dashboard's levers: time is moved, events are sent again, failures are set and cleared."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Flask, Response, request

from stripe_sandbox import Json
from stripe_sandbox.api import errors, forms, params
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.delivery import laboratory, modes
from stripe_sandbox.faults import rules
from stripe_sandbox.machine import times
from stripe_sandbox.objects import test_clocks
from stripe_sandbox.pages import answer
from stripe_sandbox.pages.dashboard import cells, views
from stripe_sandbox.sandbox import Sandbox

_HOUR = 3600
_STEPS = {
    "hour": _HOUR,
    "day": 24 * _HOUR,
    "week": 7 * 24 * _HOUR,
    "month": 30 * 24 * _HOUR,
    "year": 365 * 24 * _HOUR,
}
# The mover of the clock waits this long for the webhooks of what happened on the way.
_WAIT_SECONDS = 20
_Again = Callable[[Sandbox, str, int], Response]


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers the dashboard's forms."""

    def clock() -> Response:
        return _pulled(sandbox, "/dashboard", lambda: _move(sandbox), _lost)

    def test_clock(clock_id: str) -> Response:
        back = f"/dashboard/objects/{clock_id}"
        return _pulled(sandbox, back, lambda: _advance(sandbox, clock_id), _lost)

    def again(event_id: str) -> Response:
        back = f"/dashboard/objects/{event_id}"
        return _pulled(sandbox, back, lambda: _redeliver(sandbox, event_id), _lost)

    def lab(endpoint_id: str) -> Response:
        return _pulled(
            sandbox,
            "/dashboard/deliveries",
            lambda: _set_up(sandbox, endpoint_id),
            views.deliveries,
        )

    def fail() -> Response:
        return _pulled(sandbox, "/dashboard/failures", lambda: _fail(sandbox), views.failures)

    def mend() -> Response:
        return _pulled(sandbox, "/dashboard/failures", lambda: _mend(sandbox), views.failures)

    post = ["POST"]
    app.add_url_rule("/dashboard/clock", "move_by_hand", clock, methods=post)
    app.add_url_rule("/dashboard/clocks/<clock_id>", "advance_clock", test_clock, methods=post)
    app.add_url_rule("/dashboard/events/<event_id>", "send_again", again, methods=post)
    app.add_url_rule("/dashboard/endpoints/<endpoint_id>", "set_lab", lab, methods=post)
    app.add_url_rule("/dashboard/failures", "add_failure", fail, methods=post)
    app.add_url_rule("/dashboard/failures/clear", "clear_failures", mend, methods=post)


def _pulled(sandbox: Sandbox, back: str, lever: Callable[[], str], again: _Again) -> Response:
    """The browser is sent back with what was done, or shown the page again with the refusal."""
    try:
        done = lever()
    except StripeFault as fault:
        return again(sandbox, str(fault.error["message"]), fault.status)
    return answer.leave(f"{sandbox.settings.public_url}{back}?{urlencode({'done': done})}")


def _lost(sandbox: Sandbox, words: str, status: int) -> Response:
    return views.shown(sandbox, "missing", {"words": words}, status)


def _move(sandbox: Sandbox) -> str:
    moved = times.moved(
        sandbox,
        {
            "to": _wanted(sandbox.now()),
            "wait": "deliveries",
            "wait_seconds": _WAIT_SECONDS,
        },
    )
    told = "" if moved["delivered"] else " Some webhooks are still on their way."
    return (
        f"The clock shows {cells.when(moved['now'])}. On the way: {moved['work']} pieces of work, "
        f"{moved['events']} events.{told}"
    )


def _advance(sandbox: Sandbox, clock_id: str) -> str:
    with sandbox.transaction() as unit:
        body = unit.living(test_clocks.KIND, clock_id)
        moment = _wanted(body["frozen_time"])
        test_clocks.advance(unit, {"frozen_time": moment}, clock_id)
    return f"The test clock is on its way to {cells.when(moment)}."


def _wanted(now: int) -> int:
    """The moment a form asks for: a step, or a day."""
    day = request.form.get("day", "").strip()
    step = _STEPS.get(request.form.get("step", ""))
    if day:
        try:
            return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
        except ValueError:
            raise errors.invalid("Write the day as 2027-01-31.", param="day") from None
    if step is None:
        raise errors.invalid("Choose how far the clock is to move, or type a day.")
    return now + step


def _redeliver(sandbox: Sandbox, event_id: str) -> str:
    with sandbox.transaction() as unit:
        sent = laboratory.redeliver(unit, event_id, request.form.get("endpoint") or None)
    number = len(sent["deliveries"])
    return f"The event is on its way again to {number} endpoint{'' if number == 1 else 's'}."


def _set_up(sandbox: Sandbox, endpoint_id: str) -> str:
    chosen = {name: value for name, value in _form().items() if value not in ("", "0")}
    values = params.read(modes.FIELDS, chosen)
    with sandbox.transaction() as unit:
        if not values:
            laboratory.clear(unit, endpoint_id)
            return "The laboratory of this endpoint is off."
        laboratory.set_up(unit, endpoint_id, values)
    return "The laboratory is set; it counts from the next event."


def _fail(sandbox: Sandbox) -> str:
    chosen = {name: value for name, value in _form().items() if value != ""}
    sandbox.faults.add(params.read(rules.FIELDS, chosen, required=("kind",)))
    return "The failure is set."


def _mend(sandbox: Sandbox) -> str:
    number = request.form.get("rule", "")
    cleared = sandbox.faults.clear(int(number) if number.isascii() and number.isdigit() else None)
    return f"{cleared} rule{'' if cleared == 1 else 's'} cleared."


def _form() -> Json:
    return forms.decode(request.form.items(multi=True))
