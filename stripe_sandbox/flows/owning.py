"""Whose intent it is: a Checkout Session's or an invoice's is not the merchant's to bend."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors
from stripe_sandbox.objects import invoice_payments, sessions
from stripe_sandbox.unit import Unit

# What the page or the invoice has said, and the payment must keep to.
_SAID = ("amount", "capture_method", "currency", "customer", "setup_future_usage")


def check_change(unit: Unit, intent: Json, values: Json) -> None:
    """The change leaves alone what an open session or an invoice has said about its payment."""
    own = (values.get("payment_method_options") or {}).get("card") or {}
    said = [name for name in _SAID if name in values]
    said += ["payment_method_options"] if "capture_method" in own else []
    if said and invoice_payments.invoice_of(unit, intent) is not None:
        raise errors.invalid(
            f"The PaymentIntent {intent['id']} belongs to an invoice, which says what is paid: "
            f"`{said[0]}` cannot be changed.",
            code="payment_intent_unexpected_state",
            param=said[0],
        )
    if set(values) - {"description", "metadata"}:
        check_at_checkout(unit, intent, "change")


def check_at_checkout(unit: Unit, intent: Json, verb: str) -> None:
    """The intent is not that of an open Checkout Session, whose page alone leads it on."""
    session = sessions.session_of(unit, intent)
    if session is not None and session["status"] == "open":
        noun = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise errors.invalid(
            f"You cannot {verb} this {noun} because it was created by the Checkout Session "
            f"{session['id']}, which is open. Expire the Checkout Session instead.",
            code=f"{intent['object']}_unexpected_state",
        )
