"""What a merchant does with a PaymentIntent: make, change, confirm, capture, cancel."""

from stripe_sandbox import Json, amounts, refusals
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import SHIPPING, TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import choosing, outcomes, owning, paying
from stripe_sandbox.objects import mandates, payment_intents, payment_methods, test_clocks
from stripe_sandbox.objects.charges import Try
from stripe_sandbox.unit import Unit, public

_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_WAITING, "requires_capture", "processing")
_FIXED_WHEN_TRIED = ("amount", "currency", "customer", "capture_method", "payment_method")
_WITH_CONFIRM = (
    "error_on_requires_action",
    "mandate",
    "mandate_data",
    "off_session",
    "return_url",
)
_SET_BY_CONFIRM = (
    "allowed_payment_method_types",
    "capture_method",
    "excluded_payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
)
_SET_BY_UPDATE = (
    *_SET_BY_CONFIRM,
    "amount",
    "currency",
    "customer",
    "description",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(unit: Unit, values: Json) -> Json:
    """A new PaymentIntent exists, tried at once if the caller said confirm."""
    amounts.check(values["amount"], values["currency"])
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    early = [name for name in _WITH_CONFIRM if name in values and not values.get("confirm")]
    if early:
        raise errors.invalid(
            f"The parameter `{early[0]}` cannot be passed when creating a PaymentIntent unless "
            "`confirm` is set to true.",
            param=early[0],
        )
    body = payment_intents.made(unit, values)
    unit.emit("payment_intent.created", body)
    if values.get("confirm"):
        # Nothing else can wait yet for a payment that was not there a moment ago.
        return _raised(_tried(unit, body, values))
    method = choosing.named(unit, body, values)
    if method is not None:
        body.update(payment_method=method["id"], status="requires_confirmation")
        unit.save(body)
    return body


def confirm(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent has been tried; a refusal by the bank is raised with it."""
    body = test_clocks.enter_for(unit, unit.get("payment_intent", id))
    if body["status"] not in _WAITING:
        raise _unexpected(body, "confirm")
    owning.check_at_checkout(unit, body, "confirm")
    owning.check_change(unit, body, values)
    _set(body, values, _SET_BY_CONFIRM)
    body["_return_url"] = values.get("return_url")
    _tried(unit, body, values)
    outcomes.tell(unit, body)
    return _raised(body)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent is as asked; its sum is fixed once it is paid or under way."""
    body = test_clocks.enter_for(unit, unit.get("payment_intent", id))
    fixed = [name for name in _FIXED_WHEN_TRIED if name in values]
    if (fixed or values.get("payment_method_data")) and body["status"] not in _WAITING:
        raise _unexpected(body, "update")
    owning.check_change(unit, body, values)
    asked = {**body, **values}
    amounts.check(asked["amount"], asked["currency"])
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    _set(body, values, _SET_BY_UPDATE)
    method = choosing.named(unit, body, values)
    if method is not None:
        body["payment_method"] = method["id"]
    if body["status"] in _WAITING and (fixed or method is not None):
        ready = "requires_confirmation" if body["payment_method"] else "requires_payment_method"
        body.update(status=ready, next_action=None)
    return unit.save(body)


def capture(unit: Unit, values: Json, id: str) -> Json:
    """The held sum, or the part asked for, is taken; the rest is let go."""
    body = test_clocks.enter_for(unit, unit.get("payment_intent", id))
    if body["status"] != "requires_capture":
        fault = errors.invalid(
            f"This PaymentIntent could not be captured because it has a status of "
            f"{body['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture.",
            code="payment_intent_unexpected_state",
        )
        fault.error["payment_intent"] = public(body)
        raise fault
    amount = values.get("amount_to_capture") or body["amount_capturable"]
    if amount > body["amount_capturable"]:
        raise errors.invalid(
            "The requested capture amount is greater than the amount you can capture for this "
            "charge.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    paying.capture(unit, body, amount)
    outcomes.tell(unit, body)
    return body


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent can no longer be paid, and what was held for it is let go."""
    body = test_clocks.enter_for(unit, unit.get("payment_intent", id))
    if body["status"] not in _CANCELABLE:
        raise _unexpected(body, "cancel")
    owning.check_at_checkout(unit, body, "cancel")
    paying.cancel(unit, body, values.get("cancellation_reason"))
    outcomes.tell(unit, body)
    return body


def lapse(unit: Unit, intent_id: str) -> None:
    """A held sum that nobody captured in time is let go."""
    body = unit.get("payment_intent", intent_id)
    if body["status"] == "requires_capture":
        paying.cancel(unit, body, "automatic")
        outcomes.tell(unit, body)


def _tried(unit: Unit, body: Json, values: Json) -> Json:
    off_session = values.get("off_session", False)
    if off_session and body["setup_future_usage"]:
        raise errors.invalid(
            "You cannot confirm with `off_session=true` when `setup_future_usage` is also set on "
            "the PaymentIntent. The customer needs to be on-session to perform the steps which "
            "may be required to set up the PaymentMethod for future usage.",
            param="off_session",
        )
    body["payment_method_options"] = payment_intents.options(body["payment_method_options"], values)
    method = choosing.chosen(unit, body, values)
    choosing.allow_debit(unit, method, values)
    asks = paying.would_ask(body, method, off_session=off_session)
    if values.get("error_on_requires_action") and asks:
        body["payment_method"] = method["id"]
        return paying.refuse(unit, Try(body, method), refusals.AUTHENTICATION_REQUIRED)
    return paying.confirm(unit, body, method, off_session=off_session)


def _set(body: Json, values: Json, names: tuple[str, ...]) -> None:
    """The named fields are as asked, and so is what depends on them."""
    body.update({name: values[name] for name in names if name in values})
    body["payment_method_options"] = payment_intents.options(body["payment_method_options"], values)
    body["payment_method_types"] = payment_intents.kinds(body, body["capture_method"])


def _raised(body: Json) -> Json:
    if body["status"] == "requires_payment_method":
        raise errors.card_refused(body["last_payment_error"], public(body))
    return body


def _unexpected(body: Json, verb: str) -> errors.StripeFault:
    fault = errors.invalid(
        f"You cannot {verb} this PaymentIntent because it has a status of {body['status']}.",
        code="payment_intent_unexpected_state",
    )
    fault.error["payment_intent"] = public(body)
    return fault


def _off_session(value: object, name: str) -> bool:
    """True, false, or the older words for how the payer is absent."""
    if value in ("one_off", "recurring"):
        return True
    return params.boolean(str(value), name)


_FUTURE = params.choice("off_session", "on_session")
_KIND = params.choice(*payment_methods.KINDS)
_CAPTURE = params.choice("automatic", "automatic_async", "manual")
_COMMON: params.Fields = {
    "allowed_payment_method_types": params.list_of(_KIND),
    "capture_method": _CAPTURE,
    "excluded_payment_method_types": params.list_of(TEXT),
    "payment_method": TEXT,
    "payment_method_data": payment_methods.OF_INTENT,
    "payment_method_options": params.hash_of(
        {
            "card": params.hash_of(
                {
                    "capture_method": params.choice("manual"),
                    "request_three_d_secure": params.choice("any", "automatic", "challenge"),
                    "setup_future_usage": params.choice("none", "off_session", "on_session"),
                }
            ),
            "us_bank_account": params.hash_of(
                {"verification_method": params.choice("automatic", "instant")}
            ),
        }
    ),
    "receipt_email": TEXT,
    "setup_future_usage": _FUTURE,
    "shipping": SHIPPING,
}
_CONFIRM: params.Fields = {
    **_COMMON,
    "error_on_requires_action": params.boolean,
    "mandate": TEXT,
    "mandate_data": mandates.DATA,
    "off_session": _off_session,
    "return_url": params.url,
    "use_stripe_sdk": params.boolean,
}
_DESCRIBED: params.Fields = {
    "amount": params.integer(1),
    "currency": params.currency,
    "customer": TEXT,
    "description": TEXT,
    "metadata": params.metadata,
    "statement_descriptor": params.text(22),
    "statement_descriptor_suffix": params.text(22),
    "transfer_group": TEXT,
}
_PARTLY = "cards and bank debits; nothing of Connect, no confirmation tokens"
_PATH = "/v1/payment_intents"
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
            "confirmation_method": params.choice("automatic", "manual"),
        },
        ("amount", "currency"),
        partly=_PARTLY,
    ),
    Route("POST", f"{_PATH}/<id>", update, {**_COMMON, **_DESCRIBED}, partly=_PARTLY),
    Route("POST", f"{_PATH}/<id>/confirm", confirm, _CONFIRM, partly=_PARTLY),
    Route(
        "POST",
        f"{_PATH}/<id>/capture",
        capture,
        {
            "amount_to_capture": params.integer(1),
            "metadata": params.metadata,
        },
        partly="one capture a payment",
    ),
    Route(
        "POST",
        f"{_PATH}/<id>/cancel",
        cancel,
        {
            "cancellation_reason": params.choice(
                "abandoned", "duplicate", "fraudulent", "requested_by_customer"
            )
        },
    ),
)
