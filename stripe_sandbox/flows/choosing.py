"""Which payment method an intent is tried with, and whether it may be."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.objects import mandates, payment_methods
from stripe_sandbox.unit import Unit

AUTOMATIC = params.hash_of(
    {"allow_redirects": params.choice("always", "never"), "enabled": params.boolean}, ("enabled",)
)
_NOUNS = {
    "checkout.session": "Checkout Session",
    "payment_intent": "PaymentIntent",
    "setup_intent": "SetupIntent",
}


def named(unit: Unit, intent: Json, values: Json) -> Json | None:
    """The payment method the caller named or described, or None if there was none of either."""
    described = values.get("payment_method_data")
    if values.get("payment_method") and described:
        raise errors.invalid(
            "You may only specify one of these parameters: payment_method, payment_method_data."
        )
    if described:
        method = payment_methods.create(unit, dict(described))
    elif values.get("payment_method"):
        method = payment_methods.usable(unit, values["payment_method"])
    else:
        return None
    _check(intent, method)
    return method


def chosen(unit: Unit, intent: Json, values: Json) -> Json:
    """The payment method to try: the one that came along, else the one chosen before."""
    method = named(unit, intent, values)
    if method is not None:
        return method
    if not intent["payment_method"]:
        noun = _NOUNS[intent["object"]]
        raise errors.invalid(
            f"You cannot confirm this {noun} because it's missing a payment method. You can "
            f"either update the {noun} with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method.",
            code=f"{intent['object']}_unexpected_state",
        )
    method = unit.get("payment_method", intent["payment_method"], "payment_method")
    _check(intent, method)
    return method


def allow_debit(unit: Unit, method: Json, values: Json) -> None:
    """A debit has the payer's mandate, from now or before; a card needs none."""
    if method["type"] == "card":
        return
    given = values.get("mandate_data")
    if given:
        mandates.given(unit, method, given["customer_acceptance"])
    elif values.get("mandate"):
        mandate = unit.get("mandate", values["mandate"], "mandate")
        if mandate["payment_method"] != method["id"]:
            raise errors.invalid(
                "The mandate belongs to another payment method.",
                code="payment_intent_mandate_invalid",
                param="mandate",
            )
    elif method["_mandate"] is None:
        raise errors.invalid(
            f"A {method['type']} is debited only with the payer's mandate: pass `mandate_data`, or "
            "a payment method that was set up before.",
            code="payment_intent_mandate_invalid",
            param="mandate_data",
        )


def check_owner(intent: Json, method: Json) -> None:
    """The payment method is nobody's yet, or the intent's customer's."""
    owner = method["customer"]
    if owner is not None and intent["customer"] is None:
        noun = _NOUNS[intent["object"]]
        raise errors.invalid(
            f"The PaymentMethod {method['id']} belongs to a Customer. Please include the Customer "
            f"in the `customer` parameter on the {noun}.",
            param="payment_method",
        )
    if owner not in (None, intent["customer"]):
        raise errors.invalid(
            "The payment method belongs to another customer.", param="payment_method"
        )


def _check(intent: Json, method: Json) -> None:
    check_owner(intent, method)
    if method["type"] not in intent["payment_method_types"]:
        listed = ", ".join(intent["payment_method_types"])
        raise errors.invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this "
            f"{_NOUNS[intent['object']]}. These are: {listed}.",
            param="payment_method",
        )
