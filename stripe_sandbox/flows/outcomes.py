"""How a try to pay ended, told to what waits for it: an invoice, a Checkout Session."""

from stripe_sandbox import Json
from stripe_sandbox.flows import completing, paying, settling
from stripe_sandbox.objects import invoice_payments
from stripe_sandbox.unit import Unit


def tell(unit: Unit, intent: Json) -> None:
    """Whatever waits for this PaymentIntent knows its present status."""
    invoice = invoice_payments.invoice_of(unit, intent)
    if invoice is not None:
        settling.tell(unit, invoice, intent)
    session = completing.session_of(unit, intent)
    if session is None:
        return
    if session["status"] == "open":
        completing.after_try(unit, session, intent)
    elif session["payment_status"] == "unpaid" and intent["status"] != "processing":
        paid = intent["status"] == "succeeded"
        session["payment_status"] = "paid" if paid else "unpaid"
        unit.save(session)
        unit.emit(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)


def answered(unit: Unit, intent: Json, *, approved: bool) -> Json:
    """The payer has answered the bank, and what waits for the payment knows."""
    if intent["status"] == "requires_action":
        paying.answer(unit, intent, approved=approved)
        tell(unit, intent)
    return intent


def settle(unit: Unit, intent_id: str) -> None:
    """A promised debit is decided, and what waits for it knows."""
    intent = unit.get("payment_intent", intent_id)
    if intent["status"] == "processing":
        paying.settle(unit, intent)
        tell(unit, intent)
