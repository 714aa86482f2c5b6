"""What a route is: a method and path, its parameters, and the verb that answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stripe_sandbox import Json
from stripe_sandbox.api import params
from stripe_sandbox.unit import Unit


@dataclass(frozen=True)
class Route:
    """One line of the table of served routes; ``<id>`` in the path is handed to the verb.

    ``partly`` says in words what of Stripe's route is missing; empty when nothing is.
    """

    method: str
    path: str
    handler: Callable[..., Json]
    fields: params.Fields = field(default_factory=dict)
    required: tuple[str, ...] = ()
    partly: str = ""


def retrieve(kind: str, path: str) -> Route:
    """The route that shows one object; a deleted one is shown as deleted."""

    def handler(unit: Unit, values: Json, id: str) -> Json:
        return unit.get(kind, id)

    return Route("GET", f"{path}/<id>", handler)
