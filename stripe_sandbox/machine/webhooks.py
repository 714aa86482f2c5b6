"""What became of the webhooks, and what the laboratory does to them."""

from flask import Flask, Response

from stripe_sandbox import Json
from stripe_sandbox.api import params
from stripe_sandbox.delivery import laboratory, log, modes
from stripe_sandbox.delivery.log import Wanted
from stripe_sandbox.machine.answers import answered, given, within
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit

_LAB = "/_sandbox/endpoints/<endpoint_id>/lab"
_AGAIN: params.Fields = {"endpoint": params.TEXT}


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers for deliveries, laboratories and events to be sent again."""

    def deliveries() -> Response:
        return answered(lambda: _page(sandbox))

    def overview() -> Response:
        return within(sandbox, lambda unit: {"data": laboratory.overview(unit)})

    def show(endpoint_id: str) -> Response:
        return within(sandbox, lambda unit: laboratory.of_endpoint(unit, endpoint_id))

    def set_up(endpoint_id: str) -> Response:
        return within(
            sandbox, lambda unit: laboratory.set_up(unit, endpoint_id, given(modes.FIELDS))
        )

    def clear(endpoint_id: str) -> Response:
        return within(sandbox, lambda unit: laboratory.clear(unit, endpoint_id))

    def again(event_id: str) -> Response:
        def work(unit: Unit) -> Json:
            return laboratory.redeliver(unit, event_id, given(_AGAIN).get("endpoint"))

        return within(sandbox, work)

    app.add_url_rule("/_sandbox/deliveries", "deliveries", deliveries)
    app.add_url_rule("/_sandbox/endpoints", "endpoints", overview)
    app.add_url_rule(_LAB, "laboratory", show)
    app.add_url_rule(_LAB, "set up laboratory", set_up, methods=["POST"])
    app.add_url_rule(_LAB, "clear laboratory", clear, methods=["DELETE"])
    app.add_url_rule("/_sandbox/events/<event_id>/redeliver", "again", again, methods=["POST"])


def _page(sandbox: Sandbox) -> Json:
    wanted = Wanted(**given(log.FIELDS))
    with sandbox.store.transaction() as database:
        return log.page(database, wanted)
