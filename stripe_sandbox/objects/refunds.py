"""Refunds: money given back, or a held sum let go."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit


def made(unit: Unit, charge: Json, amount: int, values: Json) -> Json:
    """A refund is stored that has given the sum back; the caller moves the balance."""
    kind = charge["payment_method_details"]["type"]
    destination: Json = {"type": kind}
    if kind == "card":
        destination["card"] = {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    return unit.insert(
        {
            "id": ids.new_id("re" if kind == "card" else "pyr"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": unit.now,
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": destination,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": values.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        }
    )


def released(unit: Unit, charge: Json, amount: int, reason: str | None) -> Json:
    """A refund is stored for a held sum that was never taken; no balance moves."""
    return made(unit, charge, amount, {"reason": reason})


def changed(unit: Unit, body: Json, before: Json) -> Json:
    """The refund is saved, and both events of a changed refund say in what."""
    if body != before:
        unit.save(body)
        unit.emit("refund.updated", body, before)
        unit.emit("charge.refund.updated", body, before)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The refund's metadata is as asked."""
    before = unit.get("refund", id)
    body = unit.get("refund", id)
    body["metadata"] = params.merged_metadata(body["metadata"], values.get("metadata", {}))
    return changed(unit, body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The refunds, newest first."""
    wheres = [*lists.equal(values, "charge", "payment_intent"), *lists.within(values, "created")]
    return lists.page(unit, "refund", "/v1/refunds", values, wheres)


def of_charge(unit: Unit, values: Json, charge: str) -> Json:
    """The refunds of one charge, newest first."""
    unit.get("charge", charge, "charge")
    wheres = lists.equal({"charge": charge}, "charge")
    return lists.page(unit, "refund", f"/v1/charges/{charge}/refunds", values, wheres)


def one_of_charge(unit: Unit, values: Json, charge: str, id: str) -> Json:
    """One refund of one charge."""
    body = unit.get("refund", id, "refund")
    if body["charge"] != charge:
        raise errors.no_such("refund", id, "refund")
    return body


ROUTES = (
    retrieve("refund", "/v1/refunds"),
    Route("POST", "/v1/refunds/<id>", update, {"metadata": params.metadata}),
    Route(
        "GET",
        "/v1/refunds",
        all_of,
        {**lists.PAGING, "charge": TEXT, "created": params.span, "payment_intent": TEXT},
    ),
    Route("GET", "/v1/charges/<charge>/refunds", of_charge, lists.PAGING),
    Route("GET", "/v1/charges/<charge>/refunds/<id>", one_of_charge),
)
