"""Taking money for a PaymentIntent: the bank says yes, no, later, or asks for its owner."""

from stripe_sandbox import Json, cards
from stripe_sandbox.objects import charges, payment_methods
from stripe_sandbox.unit import Unit, public

# A bank debit is decided this long after it was promised, on the sandbox clock.
SETTLES_AFTER_SECONDS = 3
_NOT_AUTHENTICATED = cards.Refusal(
    "payment_intent_authentication_failure",
    None,
    "The provided PaymentMethod has failed authentication. You can provide a new PaymentMethod to "
    "attempt to fulfill this PaymentIntent again.",
    "You did not confirm this payment with your bank.",
    "Nothing was charged. Try again, or use another card.",
)


def confirm(unit: Unit, intent: Json, method: Json, *, off_session: bool = False) -> Json:
    """The PaymentIntent has been tried with the method; its status says how that ended."""
    intent["payment_method"] = method["id"]
    intent["payment_method_types"] = [method["type"]]
    if not _must_ask(method, off_session=off_session):
        return _charge(unit, intent, method)
    if off_session:
        return _refuse(unit, intent, method, cards.AUTHENTICATION_REQUIRED)
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {
            "return_url": intent["_return_url"],
            "url": f"{unit.public_url}/c/confirm/{intent['id']}",
        },
    }
    unit.save(intent)
    unit.emit("payment_intent.requires_action", intent)
    return intent


def answer(unit: Unit, intent: Json, *, approved: bool) -> Json:
    """The owner has answered the bank: the card is charged, or the try has failed."""
    if intent["status"] != "requires_action":
        return intent
    intent["next_action"] = None
    method = unit.get("payment_method", intent["payment_method"])
    if not approved:
        return _fail(unit, intent, method, _NOT_AUTHENTICATED, None)
    method["_authenticated"] = True
    unit.save(method)
    return _charge(unit, intent, method)


def settle(unit: Unit, intent: Json) -> Json:
    """A promised bank debit has arrived or has bounced."""
    if intent["status"] != "processing":
        return intent
    method = unit.get("payment_method", intent["payment_method"])
    charge = unit.get("charge", intent["latest_charge"])
    refusal = payment_methods.behaviour_of(method).refusal
    if refusal is None:
        return _succeed(unit, intent, charge)
    charges.fail(unit, charge, refusal)
    return _fail(unit, intent, method, refusal, charge["id"])


def refusal_of(intent: Json) -> cards.Refusal:
    """The words for the payer about why the last try failed."""
    error = intent["last_payment_error"]
    known = [behaviour.refusal for behaviour in cards.BEHAVIOURS.values()]
    method_behaviour = cards.BEHAVIOURS.get(str(intent.get("_behaviour")))
    mine = method_behaviour.refusal if method_behaviour else None
    for refusal in (mine, _NOT_AUTHENTICATED, cards.AUTHENTICATION_REQUIRED, *known):
        if refusal and (refusal.code, refusal.decline_code) == (
            error["code"],
            error.get("decline_code"),
        ):
            return refusal
    raise AssertionError(f"no words for {error['code']}")


def _must_ask(method: Json, *, off_session: bool) -> bool:
    when = payment_methods.behaviour_of(method).authenticate
    return when == "always" or (when == "first" and not (off_session and method["_authenticated"]))


def _charge(unit: Unit, intent: Json, method: Json) -> Json:
    refusal = payment_methods.behaviour_of(method).refusal
    if method["type"] != "card":
        return _promise(unit, intent, method)
    if refusal is not None:
        return _refuse(unit, intent, method, refusal)
    _attach(unit, intent, method)
    return _succeed(unit, intent, charges.open_for(unit, intent, method))


def _promise(unit: Unit, intent: Json, method: Json) -> Json:
    _attach(unit, intent, method)
    charge = charges.open_for(unit, intent, method)
    intent.update(
        status="processing",
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
        processing={"type": method["type"]},
    )
    unit.save(intent)
    unit.emit("charge.pending", charge)
    unit.emit("payment_intent.processing", intent)
    unit.schedule("settle", intent["id"], unit.now + SETTLES_AFTER_SECONDS)
    return intent


def _attach(unit: Unit, intent: Json, method: Json) -> None:
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        method["customer"] = intent["customer"]
        unit.save(method)
        unit.emit("payment_method.attached", method)


def _succeed(unit: Unit, intent: Json, charge: Json) -> Json:
    charges.succeed(unit, charge)
    intent.update(
        status="succeeded",
        latest_charge=charge["id"],
        amount_received=intent["amount"],
        last_payment_error=None,
        next_action=None,
        processing=None,
    )
    unit.save(intent)
    unit.emit("payment_intent.succeeded", intent)
    return intent


def _refuse(unit: Unit, intent: Json, method: Json, refusal: cards.Refusal) -> Json:
    charge = charges.open_for(unit, intent, method)
    charges.fail(unit, charge, refusal)
    return _fail(unit, intent, method, refusal, charge["id"])


def _fail(
    unit: Unit, intent: Json, method: Json, refusal: cards.Refusal, charge_id: str | None
) -> Json:
    code = refusal.code
    error = {
        **payment_methods.refusal_body(refusal),
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "payment_method": public(method),
    }
    if charge_id:
        error["charge"] = charge_id
        intent["latest_charge"] = charge_id
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        next_action=None,
        processing=None,
        _behaviour=method["_behaviour"],
    )
    unit.save(intent)
    unit.emit("payment_intent.payment_failed", intent)
    return intent
