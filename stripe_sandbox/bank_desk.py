"""What a bank, a payer or Stripe's Dashboard does and Stripe's API cannot: addresses of our own.

``POST /_sandbox/payment_methods/<id>/replace`` (``card``, ``exp_month``, ``exp_year``),
``POST /_sandbox/charges/<id>/complain`` (``kind``) and ``POST /_sandbox/refunds/<id>/cancel``
answer with the object as it is then.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, request

from stripe_sandbox import Json, cards
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.flows import disputing, refunding
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


class _Refused(Exception):
    """The request cannot be carried out; the message says why."""


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers at the desk's addresses."""

    def answered(verb: Callable[[Unit, str], Json], object_id: str) -> Response:
        try:
            with sandbox.transaction() as unit:
                body = public(verb(unit, object_id))
        except (_Refused, StripeFault, refunding.NotCancelable) as error:
            body = {"error": {"message": str(error)}}
        status = 400 if "error" in body else 200
        return Response(json.dumps(body), status, content_type="application/json")

    def replace(object_id: str) -> Response:
        return answered(_replace, object_id)

    def complain(object_id: str) -> Response:
        return answered(_complain, object_id)

    def cancel(object_id: str) -> Response:
        return answered(refunding.cancel_by_hand, object_id)

    base = "/_sandbox"
    post = ["POST"]
    app.add_url_rule(f"{base}/payment_methods/<object_id>/replace", view_func=replace, methods=post)
    app.add_url_rule(f"{base}/charges/<object_id>/complain", view_func=complain, methods=post)
    app.add_url_rule(
        f"{base}/refunds/<object_id>/cancel", "cancel_refund", view_func=cancel, methods=post
    )


def _replace(unit: Unit, method_id: str) -> Json:
    """The saved card is replaced by its bank: another number, or only another date."""
    body = unit.get("payment_method", method_id)
    if body["type"] != "card" or body["customer"] is None:
        raise _Refused("Only a card that is attached to a customer is replaced by its bank.")
    name = request.form.get("card", "pm_card_visa")
    card = cards.by_token(name)
    if card is None:
        raise _Refused(f"There is no test card {name[:60]}; name one such as pm_card_visa.")
    year = datetime.fromtimestamp(unit.now, UTC).year + 4
    expiry = (_number("exp_month", 12), _number("exp_year", year))
    return payment_methods.replace_card(unit, body, card, expiry)


def _complain(unit: Unit, charge_id: str) -> Json:
    """The payer disputes the charge, asks about it, or the bank warns of it."""
    charge = test_clocks.enter_for(unit, unit.get("charge", charge_id))
    kind = request.form.get("kind", "fraudulent")
    if kind not in _COMPLAINTS:
        raise _Refused(f"kind is one of {', '.join(_COMPLAINTS)}.")
    if not charge["captured"] or charge["disputed"]:
        raise _Refused("Only a charge that was paid and is not disputed can be complained about.")
    charge["_behaviour"] = _COMPLAINTS[kind]
    unit.save(charge)
    disputing.follow(unit, charge)
    return charge


def _number(name: str, otherwise: int) -> int:
    text = request.form.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise _Refused(f"{name} is a number.")
    return int(text)
