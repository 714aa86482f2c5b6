"""Refunds: money given back, whole or in parts."""

from stripe_sandbox import Json, amounts, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import balance
from stripe_sandbox.unit import Unit


def create(unit: Unit, values: Json) -> Json:
    """The money is back with the payer; never more than what was taken."""
    charge = _charge(unit, values)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = values.get("amount") or left
    _check(charge, amount, left)
    refund = unit.insert(_body(unit, charge, amount, values))
    moved = balance.record(unit, refund, kind="refund", amount=-amount, fee=0)
    refund["balance_transaction"] = moved["id"]
    unit.save(refund)
    before = dict(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    unit.save(charge)
    unit.emit("refund.created", refund)
    unit.emit("charge.refunded", charge, before)
    return refund


def update(unit: Unit, values: Json, id: str) -> Json:
    """The refund's metadata is as asked."""
    before = unit.get("refund", id)
    body = unit.get("refund", id)
    body["metadata"] = params.merged_metadata(body["metadata"], values.get("metadata", {}))
    return unit.update("refund.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The refunds, newest first."""
    wheres = [*lists.equal(values, "charge", "payment_intent"), *lists.within(values, "created")]
    return lists.page(unit, "refund", "/v1/refunds", values, wheres)


def _charge(unit: Unit, values: Json) -> Json:
    if values.get("charge"):
        return unit.get("charge", values["charge"], "charge")
    if not values.get("payment_intent"):
        raise errors.invalid(
            "One of the following params should be provided for this request: payment_intent "
            "or charge."
        )
    intent = unit.get("payment_intent", values["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise errors.invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return unit.get("charge", intent["latest_charge"])


def _check(charge: Json, amount: int, left: int) -> None:
    if charge["status"] != "succeeded":
        raise errors.invalid(f"Charge {charge['id']} has not succeeded and cannot be refunded.")
    if left == 0:
        raise errors.invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount > left:
        asked = amounts.written(amount, charge["currency"])
        unrefunded = amounts.written(left, charge["currency"])
        raise errors.invalid(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({unrefunded})",
            param="amount",
        )


def _body(unit: Unit, charge: Json, amount: int, values: Json) -> Json:
    kind = charge["payment_method_details"]["type"]
    return {
        "id": ids.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": unit.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": {kind: {"type": "refund"}, "type": kind},
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": values.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


ROUTES = (
    Route(
        "POST",
        "/v1/refunds",
        create,
        {
            "amount": params.integer(1),
            "charge": TEXT,
            "metadata": params.metadata,
            "payment_intent": TEXT,
            "reason": params.choice("duplicate", "fraudulent", "requested_by_customer"),
        },
        partly="always succeeds at once",
    ),
    retrieve("refund", "/v1/refunds"),
    Route("POST", "/v1/refunds/<id>", update, {"metadata": params.metadata}),
    Route(
        "GET",
        "/v1/refunds",
        all_of,
        {**lists.PAGING, "charge": TEXT, "created": params.span, "payment_intent": TEXT},
    ),
)
