"""What a bank, a payer or Stripe's Dashboard does and Stripe's API cannot.

``POST /_sandbox/payment_methods/<id>/replace`` (``card``, ``exp_month``, ``exp_year``),
``POST /_sandbox/charges/<id>/complain`` (``kind``) and ``POST /_sandbox/refunds/<id>/cancel``
answer with the object as it is then.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response

from stripe_sandbox import Json, cards
from stripe_sandbox.api import errors, params
from stripe_sandbox.flows import disputing, refunding
from stripe_sandbox.machine import answers
from stripe_sandbox.objects import payment_methods, test_clocks
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit, public

# What a payer or bank may come up with, and the test card that does it by itself.
_COMPLAINTS = {
    "fraudulent": "disputed",
    "inquiry": "inquired",
    "product_not_received": "not_received",
    "warning": "warned",
}
_CARD: params.Fields = {
    "card": params.TEXT,
    "exp_month": params.integer(1, 12),
    "exp_year": params.integer(2000, 2099),
}
_COMPLAINT: params.Fields = {"kind": params.choice(*_COMPLAINTS)}


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers at the desk's addresses."""

    def shown(work: Callable[[Unit], Json]) -> Response:
        return answers.within(sandbox, lambda unit: public(work(unit)))

    def replace(object_id: str) -> Response:
        return shown(lambda unit: _replace(unit, answers.given(_CARD), object_id))

    def complain(object_id: str) -> Response:
        return shown(lambda unit: _complain(unit, answers.given(_COMPLAINT), object_id))

    def cancel(object_id: str) -> Response:
        return shown(lambda unit: refunding.cancel_by_hand(unit, object_id))

    for path, verb in (
        ("payment_methods/<object_id>/replace", replace),
        ("charges/<object_id>/complain", complain),
        ("refunds/<object_id>/cancel", cancel),
    ):
        app.add_url_rule(f"/_sandbox/{path}", path, verb, methods=["POST"])


def _replace(unit: Unit, values: Json, method_id: str) -> Json:
    """The saved card is replaced by its bank: another number, or only another date."""
    body = unit.get("payment_method", method_id)
    if body["type"] != "card" or body["customer"] is None:
        raise errors.invalid("Only a card that is attached to a customer is replaced by its bank.")
    name = values.get("card") or "pm_card_visa"
    card = cards.by_token(name)
    if card is None:
        raise errors.invalid(
            f"There is no test card {name[:60]}; name one such as pm_card_visa.", param="card"
        )
    year = datetime.fromtimestamp(unit.now, UTC).year + 4
    expiry = (values.get("exp_month") or 12, values.get("exp_year") or year)
    return payment_methods.replace_card(unit, body, card, expiry)


def _complain(unit: Unit, values: Json, charge_id: str) -> Json:
    """The payer disputes the charge, asks about it, or the bank warns of it."""
    charge = test_clocks.enter_for(unit, unit.get("charge", charge_id))
    if not charge["captured"] or charge["disputed"] or charge["refunded"]:
        raise errors.invalid(
            "Only a charge that was paid, and is neither disputed nor given back, can be "
            "complained about."
        )
    charge["_behaviour"] = _COMPLAINTS[values.get("kind") or "fraudulent"]
    unit.save(charge)
    disputing.follow(unit, charge)
    return charge
