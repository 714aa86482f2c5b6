"""The hosted page as a program calls it: what Stripe's own command line tool does to pay."""

from stripe_sandbox import Json, amounts
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import choosing, completing, offering, quoting
from stripe_sandbox.objects import payment_methods, test_clocks
from stripe_sandbox.unit import Unit, public

_NOWHERE = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def show(unit: Unit, values: Json, id: str) -> Json:
    """The Checkout Session behind the page."""
    return unit.get("checkout.session", id)


def confirm(unit: Unit, values: Json, id: str) -> Json:
    """The session has been tried with the payment method; the session says how that ended."""
    session = test_clocks.enter_for(unit, unit.get("checkout.session", id))
    if session["status"] != "open":
        raise errors.invalid(
            f"This Checkout Session is {session['status']} and can no longer be paid.",
            code="checkout_not_active_session",
        )
    if offering.drop_spent(unit, session):
        raise errors.invalid(
            "The discount of this Checkout Session has been used as often as it may be.",
            code="coupon_expired",
        )
    method = payment_methods.usable(unit, values["payment_method"])
    billing = method["billing_details"]
    quoting.locate(unit, session, billing["address"])
    expected = values.get("expected_amount")
    if expected is not None and expected != session["amount_total"]:
        due = amounts.written(session["amount_total"], session["currency"])
        raise errors.invalid(
            f"The expected amount is not what this Checkout Session costs: {due}.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    if method["type"] not in session["payment_method_types"]:
        raise errors.invalid(
            f"A {method['type']} cannot pay this Checkout Session.", param="payment_method"
        )
    choosing.check_owner(session, method)
    email = billing["email"] or (session["customer_details"] or {}).get("email") or ""
    payer = completing.Payer(email, billing["name"] or email, billing["address"] or dict(_NOWHERE))
    intent = completing.attempt(unit, session, method, payer)
    if intent["status"] == "requires_payment_method":
        if intent["object"] == "setup_intent":
            raise errors.card_refused(intent["last_setup_error"], None)
        raise errors.card_refused(intent["last_payment_error"], public(intent))
    return session


ROUTES = (
    Route("GET", "/v1/payment_pages/<id>", show),
    Route(
        "POST",
        "/v1/payment_pages/<id>/confirm",
        confirm,
        {"expected_amount": params.integer(), "payment_method": TEXT},
        ("payment_method",),
        partly="the two parameters Stripe's command line tool sends",
    ),
)
