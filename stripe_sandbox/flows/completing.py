"""A Checkout Session from the first try to pay to what it leads to: an order, or a subscription."""

from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.api import lists
from stripe_sandbox.flows import drafting, finalizing, paying, subscribing
from stripe_sandbox.objects import customers, invoiceitems, payment_intents, sessions
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit

_UNDER_WAY = ("succeeded", "processing")


@dataclass(frozen=True)
class Payer:
    """What the payer typed about themselves."""

    email: str
    name: str
    address: Json


def attempt(unit: Unit, session: Json, method: Json, payer: Payer) -> Json:
    """The session has been tried with the method; the PaymentIntent says how that ended.

    A session no longer open is left as it is: a second press of the button charges nothing.
    """
    if session["status"] != "open":
        return unit.get("payment_intent", session["_intent"])
    session["_payer"] = {"email": payer.email, "name": payer.name, "address": payer.address}
    _ensure_customer(unit, session, payer)
    intent = _intent(unit, session, payer)
    paying.confirm(unit, intent, method)
    return after_try(unit, session, intent)


def session_of(unit: Unit, intent: Json) -> Json | None:
    """The Checkout Session this payment belongs to, or None."""
    found = unit.select("checkout.session", lists.equal({"_intent": intent["id"]}, "_intent"), 1)
    return found[0] if found else None


def _ensure_customer(unit: Unit, session: Json, payer: Payer) -> None:
    if session["customer"] is None and session["customer_creation"] == "always":
        created = customers.create(
            unit, {"email": payer.email, "name": payer.name, "address": payer.address}
        )
        session["customer"] = created["id"]
        unit.save(session)


def _intent(unit: Unit, session: Json, payer: Payer) -> Json:
    if session["_intent"]:
        return unit.get("payment_intent", session["_intent"])
    renews = session["mode"] == "subscription"
    own: Json = {} if renews else dict(session["_data"])
    intent = payment_intents.made(
        unit,
        {
            "receipt_email": payer.email,
            "description": "Subscription creation" if renews else None,
            "setup_future_usage": "off_session" if renews else None,
            **own,
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
        },
    )
    intent["_return_url"] = session["url"]
    session["_intent"] = intent["id"]
    unit.save(session)
    unit.emit("payment_intent.created", intent)
    return intent


def after_try(unit: Unit, session: Json, intent: Json) -> Json:
    """The session knows how the try to pay it has ended."""
    # A session that expired while its owner was at the bank is not brought back: paid or not, its
    # PaymentIntent was canceled with it, so only a try that is under way completes it.
    if intent["status"] in _UNDER_WAY and session["status"] == "open":
        _complete(unit, session, intent)
    unit.save(session)
    return intent


def _complete(unit: Unit, session: Json, intent: Json) -> None:
    payer = session["_payer"]
    paid = intent["status"] == "succeeded"
    invoice = None
    if session["customer"]:
        _remember_on_customer(unit, session)
    if session["mode"] == "subscription":
        invoice = _start_subscription(unit, session, intent)
    else:
        session["payment_intent"] = intent["id"]
        if session["invoice_creation"]["enabled"] and session["customer"]:
            invoice = _bill_order(unit, session, intent)
    session.update(
        status="complete",
        payment_status="paid" if paid else "unpaid",
        url=None,
        invoice=invoice["id"] if invoice else None,
        customer_details=sessions.details(payer["email"], payer["name"], payer["address"]),
    )
    unit.unschedule("expire", session["id"])
    unit.save(session)
    unit.emit("checkout.session.completed", session)


def _remember_on_customer(unit: Unit, session: Json) -> None:
    before = unit.get("customer", session["customer"])
    customer = unit.get("customer", session["customer"])
    wanted = session["_customer_update"]
    for name in ("address", "name"):
        if wanted.get(name) == "auto":
            customer[name] = session["_payer"][name]
    if session["mode"] == "subscription":
        customer["currency"] = customer["currency"] or session["currency"]
    unit.update("customer.updated", customer, before)


def _start_subscription(unit: Unit, session: Json, intent: Json) -> Json:
    found = [(unit.get("price", line["price"]), line["quantity"]) for line in session["_lines"]]
    wanted = {name: value for name, value in session["_data"].items() if value is not None}
    order = {
        **wanted,
        "customer": session["customer"],
        "currency": session["currency"],
        "default_payment_method": intent["payment_method"],
        "items": [
            {"price": price["id"], "quantity": quantity}
            for price, quantity in found
            if price["recurring"]
        ],
        "add_invoice_items": [
            {"price": price["id"], "quantity": quantity}
            for price, quantity in found
            if not price["recurring"]
        ],
    }
    subscription, invoice = subscribing.place(unit, order, paid=True)
    finalizing.finalize(unit, invoice, intent)
    session["subscription"] = subscription["id"]
    return invoice


def _bill_order(unit: Unit, session: Json, intent: Json) -> Json:
    bill = Bill(
        customer=unit.get("customer", session["customer"]),
        currency=session["currency"],
        reason="manual",
        period=(unit.now, unit.now),
    )
    invoice = drafting.of_waiting(unit, bill, take=False)
    for line in session["_lines"]:
        item = invoiceitems.create(
            unit,
            {
                "customer": session["customer"],
                "currency": session["currency"],
                "quantity": line["quantity"],
                "pricing": {"price": line["price"]},
            },
        )
        drafting.put_on(unit, invoice, item)
    drafting.again(unit, invoice)
    return finalizing.finalize(unit, invoice, intent)
