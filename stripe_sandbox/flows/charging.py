"""Charges of the older API: a token or a saved source is charged at once, or held."""

from stripe_sandbox import Json, amounts, refusals
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import SHIPPING, TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import disputing
from stripe_sandbox.objects import (
    charges,
    instruments,
    payment_methods,
    refunds,
    sources,
    test_clocks,
)
from stripe_sandbox.objects.charges import HELD_SECONDS, Try
from stripe_sandbox.unit import Unit

_KEPT = (
    "amount",
    "currency",
    "customer",
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(unit: Unit, values: Json) -> Json:
    """The card has been charged, or the sum is held on it; a refusal is raised with its charge."""
    amounts.check(values["amount"], values["currency"])
    method = _source(unit, values)
    wish = {
        **{name: values.get(name) for name in _KEPT},
        "id": None,
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
    }
    tried = Try(wish, method, source=sources.shown(method))
    behaviour = payment_methods.behaviour_of(tried.method)
    refusal = behaviour.refusal
    if behaviour.authenticate in ("first", "always") and not behaviour.set_up:
        # The older API has no way to ask the payer.
        refusal = refusals.AUTHENTICATION_REQUIRED
    if refusal is not None:
        charge = charges.refused(unit, tried, refusal)
        error = {**payment_methods.refusal_body(refusal), "charge": charge["id"]}
        raise errors.card_refused(error, None)
    if values.get("capture", True):
        charge = charges.taken(unit, tried)
        disputing.follow(unit, charge)
    else:
        charge = charges.held(unit, tried)
        unit.schedule("charge_lapses", charge["id"], unit.now + HELD_SECONDS)
    return charge


def capture(unit: Unit, values: Json, id: str) -> Json:
    """The held sum, or the part asked for, is taken; the rest is let go."""
    charge = test_clocks.enter_for(unit, unit.get("charge", id))
    if charge["payment_intent"]:
        raise errors.invalid(
            "This charge belongs to a PaymentIntent. Capture the PaymentIntent instead.",
            param="charge",
        )
    if charge["captured"]:
        raise errors.invalid(
            f"Charge {id} has already been captured.", code="charge_already_captured"
        )
    if charge["status"] != "succeeded" or charge["refunded"]:
        raise errors.invalid(f"Charge {id} cannot be captured: nothing is held for it any more.")
    amount = values.get("amount") or charge["amount"]
    if amount > charge["amount"]:
        raise errors.invalid(
            "The requested capture amount is greater than the authorized amount.",
            code="amount_too_large",
            param="amount",
        )
    unit.unschedule("charge_lapses", id)
    for name in ("receipt_email", "statement_descriptor", "statement_descriptor_suffix"):
        if name in values:
            charge[name] = values[name]
    charges.capture(unit, charge, amount)
    if amount < charge["amount"]:
        refunds.released(unit, charge, charge["amount"] - amount, None)
    disputing.follow(unit, charge)
    return charge


def lapse(unit: Unit, charge_id: str) -> None:
    """A held sum that nobody captured in time is let go."""
    charge = unit.get("charge", charge_id)
    if not charge["captured"] and not charge["refunded"]:
        unit.emit("charge.expired", charge)
        refunds.released(unit, charge, charge["amount"], "expired_uncaptured_charge")
        charges.give_back(unit, charge, charge["amount"])


def _source(unit: Unit, values: Json) -> Json:
    """The card to charge: a token's, or one the customer has saved."""
    given = values.get("source")
    customer = None
    if values.get("customer"):
        customer = unit.living("customer", values["customer"], "customer")
    if given and given.startswith("tok_"):
        return instruments.source_of(unit, given)
    if customer is None:
        raise errors.invalid("Must provide source or customer.", param="source")
    saved = given or customer["default_source"]
    if not saved:
        raise errors.StripeFault(
            402,
            type="card_error",
            message="Cannot charge a customer that has no active card",
            code="missing",
            param="card",
        )
    return sources.owned(unit, saved, customer["id"], "source")


_DESCRIPTORS: params.Fields = {
    "receipt_email": TEXT,
    "statement_descriptor": params.text(22),
    "statement_descriptor_suffix": params.text(22),
}
ROUTES = (
    Route(
        "POST",
        "/v1/charges",
        create,
        {
            **_DESCRIPTORS,
            "amount": params.integer(1),
            "capture": params.boolean,
            "currency": params.currency,
            "customer": TEXT,
            "description": TEXT,
            "metadata": params.metadata,
            "shipping": SHIPPING,
            "source": TEXT,
            "transfer_group": TEXT,
        },
        ("amount", "currency"),
        partly="cards; nothing of Connect",
    ),
    Route(
        "POST",
        "/v1/charges/<id>/capture",
        capture,
        {**_DESCRIPTORS, "amount": params.integer(1)},
    ),
)
