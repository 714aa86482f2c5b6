"""A Checkout Session from the first try to pay to what it leads to."""

from dataclasses import asdict, dataclass

from stripe_sandbox import Json, refusals
from stripe_sandbox.api import errors
from stripe_sandbox.flows import ordering, paying, quoting, setting_up
from stripe_sandbox.objects import (
    customers,
    payment_intents,
    payment_methods,
    sessions,
    setup_intents,
    tax_ids,
)
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit

_UNDER_WAY = ("succeeded", "processing", "requires_capture")


@dataclass(frozen=True)
class Payer:
    """What the payer typed about themselves, ticked and chose."""

    email: str
    name: str
    address: Json
    phone: str | None = None
    business_name: str | None = None
    tax_id: Json | None = None
    consent: Json | None = None
    # True if the payment method may be offered to the customer again.
    saves: bool = False


def attempt(unit: Unit, session: Json, method: Json, payer: Payer) -> Json:
    """The session has been tried with the method; the intent says how that ended.

    It is a SetupIntent where nothing is to be paid now. A session no longer open is left as it
    is: a second press of the button charges nothing.
    """
    if session["status"] != "open":
        return _intent_of(unit, session)
    _note(unit, session, payer)
    if needs_payment(session):
        intent = _payment(unit, session, payer)
        paying.confirm(unit, intent, method)
    else:
        intent = _setup(unit, session)
        setting_up.attempt(unit, intent, method)
    return after_try(unit, session, intent)


def take_free(unit: Unit, session: Json, payer: Payer) -> None:
    """The session that asks for no payment method is complete."""
    assert not needs_method(session), "this session is tried with a payment method"
    if session["status"] == "open":
        _note(unit, session, payer)
        _drop_intent(unit, session)
        _complete(unit, session, None)


def needs_payment(session: Json) -> bool:
    """True if money is to be paid now."""
    return bool(session["amount_total"])


def needs_method(session: Json) -> bool:
    """True if the payer has to give a payment method, for now or for later."""
    if session["mode"] == "payment":
        return needs_payment(session)
    return needs_payment(session) or session["payment_method_collection"] == "always"


def call_back(unit: Unit, session: Json) -> None:
    """A bank that was asked to confirm the former sum is not waited for any more."""
    intent = unit.find(str(session["_intent"]))
    if intent is not None and intent["status"] == "requires_action":
        intent.update(status="requires_payment_method", next_action=None, payment_method=None)
        unit.save(intent)


def after_try(unit: Unit, session: Json, intent: Json) -> Json:
    """The session knows how the try to pay it has ended."""
    # A session that expired while its owner was at the bank is not brought back: paid or not, its
    # PaymentIntent was canceled with it, so only a try that is under way completes it.
    if intent["status"] in _UNDER_WAY and session["status"] == "open":
        _complete(unit, session, intent)
    unit.save(session)
    return intent


def refusal_of(unit: Unit, intent: Json) -> Refusal | None:
    """The words for the payer about why the last try failed, or None if it did not."""
    if intent["object"] == "payment_intent":
        return paying.refusal_of(intent) if intent["last_payment_error"] else None
    error = intent["last_setup_error"]
    if error is None:
        return None
    if error["code"] == refusals.NOT_SET_UP.code:
        return refusals.NOT_SET_UP
    method = unit.get("payment_method", error["payment_method"]["id"])
    return payment_methods.behaviour_of(method).refusal


def _intent_of(unit: Unit, session: Json) -> Json:
    intent = unit.find(str(session["_intent"]))
    assert intent is not None, "a session that was tried with a method has an intent"
    return intent


def _note(unit: Unit, session: Json, payer: Payer) -> None:
    """The payer is known, and so is the customer they are; what was shown is what they owe."""
    shown = session["amount_total"]
    quoting.locate(unit, session, payer.address)
    if session["amount_total"] != shown:
        raise errors.invalid(
            "The tax at the payer's address changes the total of this Checkout Session.",
            code="checkout_amount_mismatch",
        )
    if session["automatic_tax"]["status"] == "requires_location_inputs":
        raise errors.invalid(
            "The tax of this Checkout Session needs the payer's address.",
            code="customer_tax_location_invalid",
        )
    session["_payer"] = asdict(payer)
    if session["customer"] is None and _needs_customer(session):
        known = {name: getattr(payer, name) for name in ("address", "email", "name", "phone")}
        session["customer"] = customers.create(unit, known)["id"]
        # It is the session's own customer: what is typed at a later try replaces this.
        session["_customer_update"] = {"address": "auto", "name": "auto"}
    unit.save(session)


def _needs_customer(session: Json) -> bool:
    billed = (session["invoice_creation"] or {}).get("enabled")
    return bool(session["customer_creation"] == "always" or billed)


def _payment(unit: Unit, session: Json, payer: Payer) -> Json:
    """The PaymentIntent of the session, for its present sum."""
    found = unit.find(str(session["_intent"]))
    if found is not None and found["object"] == "payment_intent":
        if found["amount"] != session["amount_total"]:
            found["amount"] = session["amount_total"]
            unit.save(found)
        return found
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
            "return_url": session["url"],
        },
    )
    session["_intent"] = intent["id"]
    unit.save(session)
    unit.emit("payment_intent.created", intent)
    return intent


def _setup(unit: Unit, session: Json) -> Json:
    """The SetupIntent of the session: nothing is paid now, the method is for later."""
    found = unit.find(str(session["_intent"]))
    if found is not None and found["object"] == "setup_intent":
        if found["customer"] != session["customer"]:
            found["customer"] = session["customer"]
            unit.save(found)
        return found
    _drop_intent(unit, session)
    made = {"customer": session["customer"], "return_url": session["url"]}
    intent = setup_intents.made(unit, made)
    session["_intent"] = intent["id"]
    unit.save(session)
    unit.emit("setup_intent.created", intent)
    return intent


def _drop_intent(unit: Unit, session: Json) -> None:
    """What was begun when there was still something to pay is not paid any more."""
    begun = unit.find(str(session["_intent"]))
    if begun is not None and begun["object"] == "payment_intent":
        payment_intents.abandon(unit, begun, "abandoned")
    session["_intent"] = None


def _complete(unit: Unit, session: Json, intent: Json | None) -> None:
    payer = session["_payer"]
    if session["customer"]:
        _remember_on_customer(unit, session, intent)
    ordering.fulfil(unit, session, intent)
    paid = bool(intent and intent["status"] == "succeeded")
    status = ("paid" if paid else "unpaid") if needs_payment(session) else "no_payment_required"
    session.update(
        status="complete",
        payment_status=status,
        url=None,
        consent=payer["consent"],
        customer_details=_details(unit, session, payer),
    )
    unit.unschedule("expire", session["id"])
    unit.save(session)
    unit.emit("checkout.session.completed", session)


def _remember_on_customer(unit: Unit, session: Json, intent: Json | None) -> None:
    before = unit.get("customer", session["customer"])
    customer = unit.get("customer", session["customer"])
    payer, wanted = session["_payer"], session["_customer_update"]
    for name in ("address", "name"):
        if wanted.get(name) == "auto":
            customer[name] = payer[name]
    customer["email"] = customer["email"] or payer["email"]
    typed = {name: payer[name] for name in ("phone", "business_name") if payer[name]}
    customer.update(typed)
    if session["mode"] == "subscription":
        customer["currency"] = customer["currency"] or session["currency"]
    unit.update("customer.updated", customer, before)
    if payer["tax_id"] and payer["tax_id"] not in _held(unit, customer["id"]):
        tax_ids.made(unit, payer["tax_id"], customer["id"])
    if payer["saves"] and intent is not None:
        _keep_method(unit, intent, customer["id"])


def _keep_method(unit: Unit, intent: Json, customer_id: str) -> None:
    method = unit.get("payment_method", intent["payment_method"])
    if method["customer"] is None:
        payment_methods.bind(unit, method, customer_id)


def _held(unit: Unit, customer_id: str) -> list[Json]:
    held = tax_ids.of_customer(unit, customer_id)
    return [{"type": body["type"], "value": body["value"]} for body in held]


def _details(unit: Unit, session: Json, payer: Json) -> Json:
    typed = {name: payer[name] for name in ("address", "business_name", "email", "name", "phone")}
    if session["customer"] is None:
        known = [payer["tax_id"]] if payer["tax_id"] else []
        return sessions.details(**typed, tax_ids=known)
    customer = unit.get("customer", session["customer"])
    return sessions.details(
        **typed, tax_exempt=customer["tax_exempt"], tax_ids=_held(unit, customer["id"])
    )
