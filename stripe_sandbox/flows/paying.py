"""Taking money for a PaymentIntent: the bank says yes, no, later, or asks for its owner."""

from stripe_sandbox import Json, refusals
from stripe_sandbox.behaviours import BEHAVIOURS
from stripe_sandbox.flows import disputing
from stripe_sandbox.objects import charges, mandates, payment_intents, payment_methods, refunds
from stripe_sandbox.objects.charges import HELD_SECONDS, Try
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit, public


def confirm(unit: Unit, intent: Json, method: Json, *, off_session: bool = False) -> Json:
    """The PaymentIntent has been tried with the method; its status says how that ended."""
    intent["payment_method"] = method["id"]
    tried = Try(intent, method, authenticated=intent["_authenticated"] == method["id"])
    if tried.authenticated or not would_ask(intent, method, off_session=off_session):
        return _charge(unit, tried)
    if off_session:
        return refuse(unit, tried, refusals.AUTHENTICATION_REQUIRED)
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


def would_ask(intent: Json, method: Json, *, off_session: bool = False) -> bool:
    """Whether the bank wants its owner before it pays."""
    when = payment_methods.behaviour_of(method).authenticate
    if when == "able":
        told = intent["payment_method_options"]["card"]["request_three_d_secure"]
        return bool(told != "automatic" and not off_session)
    return when == "always" or (when == "first" and not (off_session and method["_authenticated"]))


def answer(unit: Unit, intent: Json, *, approved: bool) -> Json:
    """The owner has answered the bank: the card is charged, or the try has failed."""
    if intent["status"] != "requires_action":
        return intent
    intent["next_action"] = None
    method = unit.get("payment_method", intent["payment_method"])
    if not approved:
        return _fail(unit, Try(intent, method), refusals.NOT_AUTHENTICATED, None)
    method["_authenticated"] = True
    unit.save(method)
    if intent["confirmation_method"] == "manual":
        # The merchant's server confirms once more, and nobody is asked again.
        intent.update(status="requires_confirmation", _authenticated=method["id"])
        return unit.save(intent)
    return _charge(unit, Try(intent, method, authenticated=True))


def settle(unit: Unit, intent: Json) -> Json:
    """A promised bank debit has arrived or has bounced."""
    if intent["status"] != "processing":
        return intent
    method = unit.get("payment_method", intent["payment_method"])
    charge = unit.get("charge", intent["latest_charge"])
    refusal = payment_methods.behaviour_of(method).refusal
    if refusal is None:
        return _succeed(unit, intent, charges.arrive(unit, charge))
    charges.bounce(unit, charge, refusal)
    return _fail(unit, Try(intent, method), refusal, charge["id"])


def capture(unit: Unit, intent: Json, amount: int) -> Json:
    """So much of the held sum is taken, and the rest is given back."""
    charge = unit.get("charge", intent["latest_charge"])
    unit.unschedule("lapse", intent["id"])
    left = charge["amount"] - amount
    charges.capture(unit, charge, amount)
    if left:
        refunds.released(unit, charge, left, None)
    return _succeed(unit, intent, charge)


def cancel(unit: Unit, intent: Json, reason: str | None) -> Json:
    """Nothing more is taken for the PaymentIntent; what was held or promised is let go."""
    charge = unit.get("charge", intent["latest_charge"]) if intent["latest_charge"] else None
    if charge is not None and intent["status"] == "requires_capture":
        unit.unschedule("lapse", intent["id"])
        lapsed = reason == "automatic"
        why = "expired_uncaptured_charge" if lapsed else None
        if lapsed:
            unit.emit("charge.expired", charge)
        refunds.released(unit, charge, charge["amount"], why)
        charges.give_back(unit, charge, charge["amount"])
    elif charge is not None and intent["status"] == "processing":
        unit.unschedule("settle", intent["id"])
        charges.bounce(unit, charge, refusals.DEBIT_CANCELED)
    return payment_intents.abandon(unit, intent, reason)


def refuse(unit: Unit, tried: Try, refusal: Refusal) -> Json:
    """The try has failed and left a charge that says why."""
    charge = charges.refused(unit, tried, refusal)
    return _fail(unit, tried, refusal, charge["id"])


def refusal_of(intent: Json) -> Refusal:
    """The words for the payer about why the last try failed."""
    error = intent["last_payment_error"]
    known = [behaviour.refusal for behaviour in BEHAVIOURS.values()]
    mine = BEHAVIOURS[intent["_behaviour"]].refusal
    special = (refusals.NOT_AUTHENTICATED, refusals.AUTHENTICATION_REQUIRED)
    for refusal in (mine, *special, *known):
        if refusal and (refusal.code, refusal.decline_code) == (
            error["code"],
            error.get("decline_code"),
        ):
            return refusal
    raise AssertionError(f"no words for {error['code']}")


def _charge(unit: Unit, tried: Try) -> Json:
    refusal = payment_methods.behaviour_of(tried.method).refusal
    by_card = tried.method["type"] == "card"
    if refusal is not None and (by_card or refusal.blocked):
        return refuse(unit, tried, refusal)
    _attach(unit, tried.intent, tried.method)
    if not by_card:
        return _promise(unit, tried)
    if _captured_later(tried.intent):
        return _hold(unit, tried)
    return _succeed(unit, tried.intent, charges.taken(unit, tried))


def _captured_later(intent: Json) -> bool:
    own = intent["payment_method_options"]["card"].get("capture_method")
    return "manual" in (intent["capture_method"], own)


def _promise(unit: Unit, tried: Try) -> Json:
    intent, method = tried.intent, tried.method
    if method["_mandate"] is None:
        mandates.given(unit, method, mandates.ON_PAGE)
    charge = charges.promised(unit, tried)
    intent.update(
        status="processing",
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    unit.save(intent)
    unit.emit("payment_intent.processing", intent)
    wait = payment_methods.behaviour_of(method).settles_after
    if wait is not None:
        unit.schedule("settle", intent["id"], unit.now + wait)
    return intent


def _hold(unit: Unit, tried: Try) -> Json:
    intent = tried.intent
    charge = charges.held(unit, tried)
    intent.update(
        status="requires_capture",
        amount_capturable=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    unit.save(intent)
    unit.emit("payment_intent.amount_capturable_updated", intent)
    unit.schedule("lapse", intent["id"], unit.now + HELD_SECONDS)
    return intent


def _attach(unit: Unit, intent: Json, method: Json) -> None:
    own = intent["payment_method_options"]["card"].get("setup_future_usage")
    wanted = (own or intent["setup_future_usage"]) not in (None, "none")
    if wanted and intent["customer"] and method["customer"] is None:
        payment_methods.bind(unit, method, intent["customer"])


def _succeed(unit: Unit, intent: Json, charge: Json) -> Json:
    disputing.follow(unit, charge)
    intent.update(
        status="succeeded",
        latest_charge=charge["id"],
        amount_capturable=0,
        amount_received=charge["amount_captured"],
        last_payment_error=None,
        next_action=None,
    )
    unit.save(intent)
    unit.emit("payment_intent.succeeded", intent)
    return intent


def _fail(unit: Unit, tried: Try, refusal: Refusal, charge_id: str | None) -> Json:
    intent, method = tried.intent, tried.method
    error = {
        **payment_methods.refusal_body(refusal),
        "doc_url": f"https://stripe.com/docs/error-codes/{refusal.code.replace('_', '-')}",
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
        _authenticated=None,
        _behaviour=method["_behaviour"],
    )
    unit.save(intent)
    unit.emit("payment_intent.payment_failed", intent)
    return intent
