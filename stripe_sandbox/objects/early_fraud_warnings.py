"""Early fraud warnings: a bank says that a payment may be fraud, before anybody disputes it."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.behaviours import BEHAVIOURS
from stripe_sandbox.unit import Unit

_KIND = "radar.early_fraud_warning"
_PATH = "/v1/radar/early_fraud_warnings"


def made(unit: Unit, charge: Json) -> Json:
    """The bank has warned of the charge; giving the money back may avoid a dispute."""
    body: Json = {
        "id": ids.new_id("issfr"),
        "object": _KIND,
        "actionable": True,
        "charge": charge["id"],
        "created": unit.now,
        "fraud_type": "misc",
        "livemode": False,
    }
    if charge["payment_intent"]:
        body["payment_intent"] = charge["payment_intent"]
    unit.insert(body)
    unit.emit(f"{_KIND}.created", body)
    return body


def settle(unit: Unit, charge: Json) -> None:
    """A warning of a charge that was given back in full asks for nothing any more."""
    if not (charge["refunded"] and BEHAVIOURS[charge["_behaviour"]].warned):
        return
    for body in unit.select(_KIND, lists.equal({"charge": charge["id"]}, "charge")):
        unit.update(f"{_KIND}.updated", {**body, "actionable": False}, body)


def all_of(unit: Unit, values: Json) -> Json:
    """The warnings, newest first."""
    wheres = [*lists.equal(values, "charge", "payment_intent"), *lists.within(values, "created")]
    return lists.page(unit, _KIND, _PATH, values, wheres)


ROUTES = (
    retrieve(_KIND, _PATH),
    Route(
        "GET",
        _PATH,
        all_of,
        {**lists.PAGING, "charge": TEXT, "created": params.span, "payment_intent": TEXT},
    ),
)
