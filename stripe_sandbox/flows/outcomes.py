"""How a try to pay or to save a card ended, told to what waits for it."""

from stripe_sandbox import Json
from stripe_sandbox.flows import completing, paying, quoting, saving, setting_up, settling
from stripe_sandbox.objects import invoice_payments, sessions
from stripe_sandbox.unit import Unit


def tell(unit: Unit, intent: Json) -> None:
    """Whatever waits for this PaymentIntent knows its present status."""
    invoice = invoice_payments.invoice_of(unit, intent)
    if invoice is not None:
        settling.tell(unit, invoice, intent)
    session = sessions.session_of(unit, intent)
    if session is None:
        return
    if session["status"] == "open":
        completing.after_try(unit, session, intent)
    elif session["payment_status"] == "unpaid" and intent["status"] != "processing":
        _tell_complete(unit, session, intent)


def answered(unit: Unit, intent: Json, *, approved: bool) -> Json:
    """The payer has answered the bank, and what waits for the payment or the card knows."""
    if intent["status"] != "requires_action" or (approved and _overtaken(unit, intent)):
        return intent
    if intent["object"] == "setup_intent":
        setting_up.answered(unit, intent, approved=approved)
        _tell_setup(unit, intent)
    else:
        paying.answer(unit, intent, approved=approved)
        tell(unit, intent)
    return intent


def settle(unit: Unit, intent_id: str) -> None:
    """A promised debit is decided, and what waits for it knows."""
    intent = unit.get("payment_intent", intent_id)
    if intent["status"] == "processing":
        paying.settle(unit, intent)
        tell(unit, intent)


def _overtaken(unit: Unit, intent: Json) -> bool:
    """True if the bank's answer comes too late: the sum or the card's owner is another by now.

    Nothing is charged then, and the page shows its payer what is to be paid.
    """
    session = sessions.session_of(unit, intent)
    if session is None or session["status"] != "open":
        return False
    shown = session["amount_total"]
    quoting.quote(unit, session)
    owner = unit.get("payment_method", intent["payment_method"])["customer"]
    if session["amount_total"] == shown and owner in (None, session["customer"]):
        return False
    unit.save(session)
    completing.call_back(unit, session)
    return True


def _tell_complete(unit: Unit, session: Json, intent: Json) -> None:
    paid = intent["status"] == "succeeded"
    session["payment_status"] = "paid" if paid else "unpaid"
    unit.save(session)
    # A card that was held and is captured or let go is no delayed method.
    if intent["capture_method"] != "manual":
        unit.emit(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)


def _tell_setup(unit: Unit, setup: Json) -> None:
    session = sessions.session_of(unit, setup)
    if session is not None:
        completing.after_try(unit, session, setup)
    elif setup["status"] == "succeeded" and setup.get("_prefers"):
        saving.prefer(unit, setup["customer"], setup["payment_method"])
