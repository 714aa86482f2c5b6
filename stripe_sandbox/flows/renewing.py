"""The end of a paid period: a new one begins and is charged for, or the subscription ends."""

from stripe_sandbox import Json
from stripe_sandbox.flows import completing, paying
from stripe_sandbox.objects import invoice_payments, invoices, payment_intents, subscriptions
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_RENEWS = ("active", "past_due")


def renew(unit: Unit, subscription_id: str) -> None:
    """The subscription is in its next period, invoiced and charged for it, or it has ended."""
    body = unit.get("subscription", subscription_id)
    if body["status"] not in _RENEWS:
        return
    if body["cancel_at_period_end"]:
        subscriptions.end(unit, body, reason="cancellation_requested")
        return
    before = unit.get("subscription", subscription_id)
    ended = (body["items"]["data"][0]["current_period_start"], subscriptions.period_end(body))
    subscriptions.turn_period(unit, body)
    invoice = _bill(unit, body, ended)
    body["latest_invoice"] = invoice["id"]
    intent = _charge(unit, body, invoice)
    if intent["status"] == "succeeded":
        body["status"] = "active"
        invoices.mark_paid(unit, invoice)
    elif intent["status"] == "requires_payment_method":
        body["status"] = "past_due"
        error = intent["last_payment_error"] or {}
        invoices.mark_failed(
            unit, invoice, needs_owner=error.get("code") == "authentication_required"
        )
    # A debit that is still on its way leaves the status alone until it is decided.
    unit.update("customer.subscription.updated", body, before)


def _bill(unit: Unit, body: Json, ended: tuple[int, int]) -> Json:
    return invoices.write(
        unit,
        Bill(
            customer=unit.get("customer", body["customer"]),
            currency=body["currency"],
            reason="subscription_cycle",
            lines=completing.lines_for(body),
            period=ended,
            subscription=body,
        ),
    )


def _charge(unit: Unit, body: Json, invoice: Json) -> Json:
    intent = payment_intents.made(
        unit,
        {
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "customer": body["customer"],
            "description": "Subscription update",
            "receipt_email": invoice["customer_email"],
        },
    )
    unit.emit("payment_intent.created", intent)
    invoice_payments.link(unit, invoice, intent)
    method = _default_method(unit, body)
    return paying.confirm(unit, intent, method, off_session=True) if method else intent


def _default_method(unit: Unit, body: Json) -> Json | None:
    """The subscription's own method, else the customer's; one that was detached does not count."""
    customer = unit.get("customer", body["customer"])
    for method_id in (
        body["default_payment_method"],
        customer["invoice_settings"]["default_payment_method"],
    ):
        method = unit.find(method_id) if method_id else None
        if method is not None and method["customer"] == body["customer"]:
            return method
    return None
