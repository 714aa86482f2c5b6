"""Saving a payment method for later: the bank agrees, refuses, or asks for its owner first."""

from stripe_sandbox import Json, refusals
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import choosing, owning
from stripe_sandbox.objects import mandates, payment_methods, setup_intents, test_clocks
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit, public

_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
_WITH_CONFIRM = ("mandate_data", "return_url")
_SET_BY_UPDATE = (
    "allowed_payment_method_types",
    "customer",
    "description",
    "excluded_payment_method_types",
)


def create(unit: Unit, values: Json) -> Json:
    """A new SetupIntent exists, tried at once if the caller said confirm."""
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    early = [name for name in _WITH_CONFIRM if name in values and not values.get("confirm")]
    if early:
        raise errors.invalid(
            f"The parameter `{early[0]}` cannot be passed when creating a SetupIntent unless "
            "`confirm` is set to true.",
            param=early[0],
        )
    body = setup_intents.made(unit, values)
    unit.emit("setup_intent.created", body)
    if values.get("confirm"):
        return _tried(unit, body, values)
    method = choosing.named(unit, body, values)
    if method is not None:
        body.update(payment_method=method["id"], status="requires_confirmation")
        unit.save(body)
    return body


def confirm(unit: Unit, values: Json, id: str) -> Json:
    """The SetupIntent has been tried; a refusal by the bank is raised with it."""
    body = test_clocks.enter_for(unit, unit.get("setup_intent", id))
    if body["status"] not in _WAITING:
        raise _unexpected(body, "confirm")
    owning.check_at_checkout(unit, body, "confirm")
    body["_return_url"] = values.get("return_url")
    return _tried(unit, body, values)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The SetupIntent is as asked."""
    body = test_clocks.enter_for(unit, unit.get("setup_intent", id))
    if body["status"] not in _WAITING and set(values) - {"description", "metadata"}:
        raise _unexpected(body, "update")
    if set(values) - {"description", "metadata"}:
        owning.check_at_checkout(unit, body, "update")
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    body.update({name: values[name] for name in _SET_BY_UPDATE if name in values})
    body["payment_method_options"] = setup_intents.options(body["payment_method_options"], values)
    body["payment_method_types"] = setup_intents.kinds(body)
    method = choosing.named(unit, body, values)
    if method is not None:
        body.update(payment_method=method["id"], status="requires_confirmation", next_action=None)
    return unit.save(body)


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """The SetupIntent can no longer be used."""
    body = test_clocks.enter_for(unit, unit.get("setup_intent", id))
    if body["status"] not in _WAITING:
        raise _unexpected(body, "cancel")
    owning.check_at_checkout(unit, body, "cancel")
    body.update(
        status="canceled",
        cancellation_reason=values.get("cancellation_reason"),
        next_action=None,
    )
    unit.save(body)
    unit.emit("setup_intent.canceled", body)
    return body


def answered(unit: Unit, body: Json, *, approved: bool) -> Json:
    """The owner has answered the bank: the card is saved, or it is not."""
    if body["status"] != "requires_action":
        return body
    method = unit.get("payment_method", body["payment_method"])
    if not approved:
        return _fail(unit, body, method, refusals.NOT_SET_UP)
    return _conclude(unit, body, method, authenticated=True)


def attempt(unit: Unit, body: Json, method: Json) -> Json:
    """The SetupIntent has been tried with the method; its status says how that ended."""
    body["payment_method"] = method["id"]
    if not _would_ask(body, method):
        return _conclude(unit, body, method, authenticated=False)
    body["status"] = "requires_action"
    body["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {
            "return_url": body["_return_url"],
            "url": f"{unit.public_url}/c/confirm/{body['id']}",
        },
    }
    unit.save(body)
    unit.emit("setup_intent.requires_action", body)
    return body


def _tried(unit: Unit, body: Json, values: Json) -> Json:
    body["payment_method_options"] = setup_intents.options(body["payment_method_options"], values)
    method = choosing.chosen(unit, body, values)
    choosing.allow_debit(unit, method, values)
    attempt(unit, body, method)
    if body["status"] == "requires_payment_method":
        raise errors.card_refused(body["last_setup_error"], public(body))
    return body


def _would_ask(body: Json, method: Json) -> bool:
    when = payment_methods.behaviour_of(method).authenticate
    if when == "able":
        return bool(body["payment_method_options"]["card"]["request_three_d_secure"] != "automatic")
    return when != "never"


def _conclude(unit: Unit, body: Json, method: Json, *, authenticated: bool) -> Json:
    refusal = payment_methods.refused_saving(method)
    if refusal is not None:
        return _fail(unit, body, method, refusal)
    if authenticated and body["usage"] == "off_session":
        method["_authenticated"] = True
        unit.save(method)
    if method["type"] != "card" and method["_mandate"] is None:
        mandates.given(unit, method, mandates.ON_PAGE)
    if body["customer"] and method["customer"] is None:
        payment_methods.bind(unit, method, body["customer"])
    body.update(
        status="succeeded",
        last_setup_error=None,
        mandate=method["_mandate"],
        next_action=None,
        payment_method=method["id"],
    )
    unit.save(body)
    unit.emit("setup_intent.succeeded", body)
    return body


def _fail(unit: Unit, body: Json, method: Json, refusal: Refusal) -> Json:
    body.update(
        status="requires_payment_method",
        last_setup_error={
            **payment_methods.refusal_body(refusal),
            "doc_url": f"https://stripe.com/docs/error-codes/{refusal.code.replace('_', '-')}",
            "payment_method": public(method),
        },
        next_action=None,
        payment_method=None,
    )
    unit.save(body)
    unit.emit("setup_intent.setup_failed", body)
    return body


def _unexpected(body: Json, verb: str) -> errors.StripeFault:
    fault = errors.invalid(
        f"You cannot {verb} this SetupIntent because it has a status of {body['status']}.",
        code="setup_intent_unexpected_state",
    )
    fault.error["setup_intent"] = public(body)
    return fault


_KIND = params.choice(*payment_methods.KINDS)
_COMMON: params.Fields = {
    "allowed_payment_method_types": params.list_of(_KIND),
    "payment_method": TEXT,
    "payment_method_data": payment_methods.OF_INTENT,
    "payment_method_options": params.hash_of(
        {
            "card": params.hash_of(
                {"request_three_d_secure": params.choice("any", "automatic", "challenge")}
            ),
            "us_bank_account": params.hash_of(
                {"verification_method": params.choice("automatic", "instant")}
            ),
        }
    ),
}
_CONFIRM: params.Fields = {
    **_COMMON,
    "mandate_data": mandates.DATA,
    "return_url": params.url,
    "use_stripe_sdk": params.boolean,
}
_DESCRIBED: params.Fields = {
    "customer": TEXT,
    "description": TEXT,
    "excluded_payment_method_types": params.list_of(TEXT),
    "metadata": params.metadata,
}
_PARTLY = "cards and bank debits; no confirmation tokens, no single use"
_PATH = "/v1/setup_intents"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            **_CONFIRM,
            **_DESCRIBED,
            "automatic_payment_methods": choosing.AUTOMATIC,
            "confirm": params.boolean,
            "usage": params.choice("off_session", "on_session"),
        },
        partly=_PARTLY,
    ),
    Route("POST", f"{_PATH}/<id>", update, {**_COMMON, **_DESCRIBED}, partly=_PARTLY),
    Route("POST", f"{_PATH}/<id>/confirm", confirm, _CONFIRM, partly=_PARTLY),
    Route(
        "POST",
        f"{_PATH}/<id>/cancel",
        cancel,
        {"cancellation_reason": params.choice("abandoned", "duplicate", "requested_by_customer")},
    ),
)
