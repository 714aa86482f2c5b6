"""Giving money back: at once, after a while, or in vain."""

from stripe_sandbox import Json, amounts
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.behaviours import BEHAVIOURS
from stripe_sandbox.objects import balance, charges, early_fraud_warnings, refunds, test_clocks
from stripe_sandbox.objects.balance import Move
from stripe_sandbox.unit import Unit, Where

# A refund that is not decided at once is decided this long after, on the sandbox clock.
_DECIDED_AFTER_SECONDS = 5
# As Stripe's Dashboard does in its testing environments.
_CANCELABLE_SECONDS = 30 * 60
_NOT_REFUNDABLE = Where("json_extract(body, '$.is_charge_refundable') = 0")


def create(unit: Unit, values: Json) -> Json:
    """The money is back with the payer, or on its way; never more than what was taken."""
    charge = test_clocks.enter_for(unit, _charge(unit, values))
    if not charge["captured"] and charge["status"] == "succeeded":
        return _release(unit, charge, values)
    left = charge["amount"] - charge["amount_refunded"]
    amount = values.get("amount") or left
    _check(unit, charge, amount, left)
    refund = refunds.made(unit, charge, amount, values)
    by_card = charge["payment_method_details"]["type"] == "card"
    moved = balance.record(
        unit,
        refund,
        Move(
            kind="refund" if by_card else "payment_refund",
            amount=-amount,
            category="refund",
            description="REFUND FOR CHARGE" + _words(charge),
        ),
    )
    refund["balance_transaction"] = moved["id"]
    _foresee(unit, charge, refund)
    unit.save(refund)
    unit.emit("refund.created", refund)
    charges.give_back(unit, charge, amount)
    early_fraud_warnings.settle(unit, charge)
    return refund


def arrive(unit: Unit, refund_id: str) -> None:
    """The pending refund has reached the payer."""
    before = unit.get("refund", refund_id)
    refund = unit.get("refund", refund_id)
    if refund["status"] == "pending":
        refund["status"] = "succeeded"
        refund.pop("pending_reason", None)
        refunds.changed(unit, refund, before)


def bounce(unit: Unit, refund_id: str) -> None:
    """The payer's bank has sent the refund back."""
    refund = unit.get("refund", refund_id)
    if refund["status"] == "succeeded":
        fail(unit, refund, "expired_or_canceled_card")


def fail(unit: Unit, refund: Json, reason: str, status: str = "failed") -> Json:
    """The money of the refund is back with the merchant, and the charge counts it as kept."""
    before = unit.get("refund", refund["id"])
    moved = balance.record(
        unit,
        refund,
        Move(
            kind="refund_failure",
            amount=refund["amount"],
            category="refund_failure",
            description="REFUND FAILURE",
        ),
    )
    refund.update(status=status, failure_reason=reason, failure_balance_transaction=moved["id"])
    refund.pop("pending_reason", None)
    for verb in ("refund_arrives", "refund_fails"):
        unit.unschedule(verb, refund["id"])
    charges.take_again(unit, unit.get("charge", refund["charge"]), refund["amount"])
    refunds.changed(unit, refund, before)
    if status == "failed":
        unit.emit("refund.failed", refund)
    return refund


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """Nothing: Stripe's API cancels only refunds that wait for the payer, and none here does."""
    refund = unit.get("refund", id)
    raise errors.invalid(
        f"Canceling this refund is unsupported: its status is {refund['status']}, and only a "
        "refund that requires action of the payer can be canceled through the API."
    )


def cancel_by_hand(unit: Unit, refund_id: str) -> Json:
    """The card refund is canceled, as Stripe's Dashboard can for half an hour."""
    refund = test_clocks.enter_for(unit, unit.get("refund", refund_id))
    if refund["destination_details"]["type"] != "card":
        raise errors.invalid("Only refunds to cards can be canceled.")
    if refund["status"] not in ("pending", "succeeded"):
        raise errors.invalid(f"The refund is {refund['status']} and cannot be canceled.")
    if unit.now - refund["created"] > _CANCELABLE_SECONDS:
        raise errors.invalid("A refund can be canceled for 30 minutes.")
    return fail(unit, refund, "merchant_request", "canceled")


def fail_all_of(unit: Unit, charge: Json, reason: str) -> None:
    """Every refund of the charge has failed for the reason."""
    for refund in unit.select("refund", lists.equal({"charge": charge["id"]}, "charge")):
        if refund["status"] in ("pending", "succeeded"):
            fail(unit, refund, reason)


def _foresee(unit: Unit, charge: Json, refund: Json) -> None:
    """What will become of the refund is decided by the card; a bank account takes its time."""
    ends = BEHAVIOURS[charge["_behaviour"]].refund
    if refund["destination_details"]["type"] != "card":
        ends = "pending"
    due_at = unit.now + _DECIDED_AFTER_SECONDS
    if ends == "pending":
        refund.update(status="pending", pending_reason="processing")
        unit.schedule("refund_arrives", refund["id"], due_at)
    elif ends == "fails":
        unit.schedule("refund_fails", refund["id"], due_at)


def _release(unit: Unit, charge: Json, values: Json) -> Json:
    """A charge of the older API that was only held is let go; a PaymentIntent is canceled."""
    if charge["payment_intent"]:
        raise errors.invalid(
            f"The charge {charge['id']} has not been captured. You must cancel the PaymentIntent "
            "to release the uncaptured funds.",
            code="charge_not_refundable",
            param="charge",
        )
    _check(unit, charge, charge["amount"], charge["amount"] - charge["amount_refunded"])
    unit.unschedule("charge_lapses", charge["id"])
    refund = refunds.released(unit, charge, charge["amount"], values.get("reason"))
    unit.emit("refund.created", refund)
    charges.give_back(unit, charge, charge["amount"])
    return refund


def _charge(unit: Unit, values: Json) -> Json:
    if values.get("charge"):
        return unit.get("charge", values["charge"])
    if not values.get("payment_intent"):
        raise errors.invalid(
            "One of the following params should be provided for this request: payment_intent "
            "or charge."
        )
    intent = unit.get("payment_intent", values["payment_intent"], "payment_intent")
    if intent["status"] not in ("succeeded", "requires_capture"):
        raise errors.invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return unit.get("charge", intent["latest_charge"])


def _check(unit: Unit, charge: Json, amount: int, left: int) -> None:
    if charge["status"] != "succeeded":
        raise errors.invalid(f"Charge {charge['id']} has not succeeded and cannot be refunded.")
    if charge["disputed"] and _barred(unit, charge):
        raise errors.invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
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


def _barred(unit: Unit, charge: Json) -> bool:
    mine = lists.equal({"charge": charge["id"]}, "charge")
    return bool(unit.select("dispute", [*mine, _NOT_REFUNDABLE], 1))


def _words(charge: Json) -> str:
    return f" ({charge['description']})" if charge["description"] else ""


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
    ),
    Route(
        "POST",
        "/v1/refunds/<id>/cancel",
        cancel,
        partly="always refused: no method of payment here lets a refund wait for the payer",
    ),
)
