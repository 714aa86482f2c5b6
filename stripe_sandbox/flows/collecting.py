"""Getting an invoice paid: which method, when, and what a try leads to."""

from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.api import errors
from stripe_sandbox.flows import paying, settling
from stripe_sandbox.objects import invoice_payments, invoices, payment_intents
from stripe_sandbox.unit import Unit

_WORDS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}
_NO_METHOD = {
    "type": "invalid_request_error",
    "code": "payment_intent_unexpected_state",
    "message": "There is no payment method to charge. Add one to the customer and try again.",
}


@dataclass(frozen=True)
class Try:
    """With which method an invoice is tried, whether its owner is there, and who wants it."""

    method: str | None = None
    off_session: bool = True
    # Somebody asked for it, as against what the account tries by itself.
    by_hand: bool = False


def open_payment(unit: Unit, invoice: Json) -> Json:
    """The open invoice has a PaymentIntent that waits for its first try."""
    words = _WORDS.get(invoice["billing_reason"]) or f"Payment for Invoice {invoice['number']}"
    intent = payment_intents.made(
        unit,
        {
            "amount": invoice["amount_remaining"],
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "description": words,
            "receipt_email": invoice["customer_email"],
            "setup_future_usage": "off_session" if invoices.subscription_of(invoice) else None,
        },
    )
    chosen = method_for(unit, invoice)
    if chosen and invoice["collection_method"] == "charge_automatically":
        intent.update(payment_method=chosen["id"], status="requires_confirmation")
        unit.save(intent)
    invoice_payments.link(unit, invoice, intent)
    unit.emit("payment_intent.created", intent)
    return intent


def attempt(unit: Unit, invoice: Json, how: Try) -> Json:
    """The open invoice has been tried; the PaymentIntent says how that ended.

    The caller's copy of the invoice and of its subscription are old afterwards.
    """
    intent = _payment(unit, invoice)
    if intent["status"] in ("processing", "succeeded"):
        return intent
    intent["_by_hand"] = how.by_hand
    method = method_for(unit, invoice, how.method)
    if method is None:
        intent.update(status="requires_payment_method", payment_method=None)
        intent["last_payment_error"] = dict(_NO_METHOD)
        unit.save(intent)
    else:
        paying.confirm(unit, intent, method, off_session=how.off_session)
    settling.tell(unit, invoice, intent)
    return intent


def pay_on_page(unit: Unit, invoice: Json, method: Json) -> Json:
    """The open invoice has been tried by its owner, who is there to be asked by the bank.

    The caller's copy of the invoice is old afterwards.
    """
    intent = _payment(unit, invoice)
    if intent["status"] in ("processing", "succeeded"):
        return intent
    intent.update(_by_hand=True, _return_url=invoice["hosted_invoice_url"])
    paying.confirm(unit, intent, method)
    settling.tell(unit, invoice, intent)
    return intent


def retry(unit: Unit, invoice_id: str) -> None:
    """The invoice has been tried again, unless the same card would only be refused again."""
    invoice = unit.get("invoice", invoice_id)
    if invoice["status"] != "open":
        return
    if unit.get("customer", invoice["customer"]).get("deleted"):
        settling.stop_collecting(unit, invoice)
        return
    chosen = method_for(unit, invoice)
    if settling.hopeless(invoice, chosen["id"] if chosen else None):
        intent = invoice_payments.intent_of(unit, invoice)
        assert intent is not None, "an invoice that was tried has a payment"
        intent["_by_hand"] = False
        settling.mark_failed(unit, invoice, intent)
        return
    attempt(unit, invoice, Try())


def _payment(unit: Unit, invoice: Json) -> Json:
    """The PaymentIntent of the invoice, for what is left to pay."""
    intent = invoice_payments.intent_of(unit, invoice)
    if intent is not None and intent["status"] == "canceled":
        # What its merchant has canceled is not charged any more; another takes its place.
        invoice_payments.cancel(unit, invoice)
        intent = None
    intent = intent or open_payment(unit, invoice)
    if intent["amount"] != invoice["amount_remaining"] and intent["status"] != "processing":
        intent["amount"] = invoice["amount_remaining"]
        unit.save(intent)
    return intent


def void_open(unit: Unit, plan: Json) -> None:
    """No open invoice of the subscription asks for anything any more."""
    for invoice in invoices.of_subscription(unit, plan["id"], "open"):
        settling.mark_void(unit, invoice)


def method_for(unit: Unit, invoice: Json, wanted: str | None = None) -> Json | None:
    """What pays the invoice: the method asked for, its own, its plan's, or the customer's.

    A method that was detached meanwhile does not count.
    """
    if wanted:
        return _owned(unit, invoice, wanted)
    customer = unit.get("customer", invoice["customer"])
    subscription_id = invoices.subscription_of(invoice)
    plan = unit.get("subscription", subscription_id) if subscription_id else {}
    for method_id in (
        invoice["default_payment_method"],
        plan.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
        customer["default_source"],
    ):
        method = unit.find(method_id) if method_id else None
        if method is not None and method.get("customer") == customer["id"]:
            return method
    return None


def _owned(unit: Unit, invoice: Json, method_id: str) -> Json:
    method = unit.get("payment_method", method_id, "payment_method")
    if method["customer"] != invoice["customer"]:
        raise errors.invalid(
            "The payment method must be attached to the customer of the invoice.",
            param="payment_method",
        )
    return method
