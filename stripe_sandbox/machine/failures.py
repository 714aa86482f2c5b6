"""The rules of failure for API calls: set, listed and cleared."""

from flask import Flask, Response

from stripe_sandbox.faults import rules
from stripe_sandbox.machine.answers import answered, given
from stripe_sandbox.sandbox import Sandbox


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers /_sandbox/faults."""

    def listed() -> Response:
        return answered(lambda: {"data": sandbox.faults.all()})

    def add() -> Response:
        return answered(lambda: sandbox.faults.add(given(rules.FIELDS, required=("kind",))))

    def clear(number: int | None = None) -> Response:
        return answered(lambda: {"cleared": sandbox.faults.clear(number)})

    app.add_url_rule("/_sandbox/faults", "faults", listed)
    app.add_url_rule("/_sandbox/faults", "add fault", add, methods=["POST"])
    app.add_url_rule("/_sandbox/faults", "clear faults", clear, methods=["DELETE"])
    app.add_url_rule(
        "/_sandbox/faults/<int(max=999999999):number>", "clear fault", clear, methods=["DELETE"]
    )
