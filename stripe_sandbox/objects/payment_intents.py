"""PaymentIntents: one sum to be paid, however many tries that takes."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.flows import paying
from stripe_sandbox.objects import payment_methods
from stripe_sandbox.unit import Unit, public

_FUTURE = params.choice("off_session", "on_session")
_CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CONFIRMABLE = _CANCELABLE
_KEPT = (
    "customer",
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
)
_EMPTY = (
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "processing",
    "review",
    "source",
    "transfer_data",
    "transfer_group",
)


def create(unit: Unit, values: Json) -> Json:
    """A new PaymentIntent exists, tried at once if the caller said confirm."""
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    body = made(unit, values)
    unit.emit("payment_intent.created", body)
    if values.get("confirm"):
        return confirm(unit, values, body["id"])
    if values.get("payment_method"):
        method = payment_methods.usable(unit, values["payment_method"])
        body.update(payment_method=method["id"], status="requires_confirmation")
        unit.save(body)
    return body


def confirm(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent has been tried; a refusal by the bank is raised with it."""
    body = unit.get("payment_intent", id)
    if body["status"] not in _CONFIRMABLE:
        raise _unexpected(body, "confirm")
    chosen = values.get("payment_method") or body["payment_method"]
    if not chosen:
        raise errors.invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. "
            "You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it "
            "again directly with a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = payment_methods.usable(unit, chosen)
    if method["customer"] not in (None, body["customer"]):
        raise errors.invalid(
            "The payment method belongs to another customer.", param="payment_method"
        )
    body["_return_url"] = values.get("return_url")
    for name in ("receipt_email", "setup_future_usage", "shipping"):
        if name in values:
            body[name] = values[name]
    paying.confirm(unit, body, method, off_session=bool(values.get("off_session")))
    if body["status"] == "requires_payment_method":
        raise errors.card_refused(body["last_payment_error"], public(body))
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent is as asked; its sum is fixed once it is paid or under way."""
    body = unit.get("payment_intent", id)
    if "amount" in values and body["status"] not in _CANCELABLE:
        raise _unexpected(body, "update")
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    body.update(
        {
            name: values[name]
            for name in ("amount", "description", "receipt_email")
            if name in values
        }
    )
    return unit.save(body)


def cancel(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent can no longer be paid."""
    body = unit.get("payment_intent", id)
    if body["status"] not in _CANCELABLE:
        raise _unexpected(body, "cancel")
    return abandon(unit, body, values.get("cancellation_reason"))


def abandon(unit: Unit, body: Json, reason: str | None) -> Json:
    """The PaymentIntent is canceled for the reason, and an event says so."""
    body.update(
        status="canceled", canceled_at=unit.now, cancellation_reason=reason, next_action=None
    )
    unit.save(body)
    unit.emit("payment_intent.canceled", body)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The PaymentIntents, newest first."""
    wheres = [*lists.equal(values, "customer"), *lists.within(values, "created")]
    return lists.page(unit, "payment_intent", "/v1/payment_intents", values, wheres)


def made(unit: Unit, values: Json) -> Json:
    """A new unpaid PaymentIntent is stored; nobody has been told yet."""
    intent_id = ids.new_id("pi")
    return unit.insert(
        {
            "id": intent_id,
            "object": "payment_intent",
            **dict.fromkeys(_EMPTY),
            "amount": values["amount"],
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
            "capture_method": values.get("capture_method") or "automatic_async",
            "client_secret": f"{intent_id}_secret_{ids.new_id('', 25)[1:]}",
            "confirmation_method": "automatic",
            "created": unit.now,
            "currency": values["currency"],
            "livemode": False,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            **{name: values.get(name) for name in _KEPT},
            "_return_url": values.get("return_url"),
        }
    )


def _unexpected(body: Json, verb: str) -> errors.StripeFault:
    fault = errors.invalid(
        f"You cannot {verb} this PaymentIntent because it has a status of {body['status']}.",
        code="payment_intent_unexpected_state",
    )
    fault.error["payment_intent"] = public(body)
    return fault


_CONFIRM: params.Fields = {
    "off_session": params.boolean,
    "payment_method": TEXT,
    "receipt_email": TEXT,
    "return_url": params.url,
    "setup_future_usage": _FUTURE,
    "shipping": params.hash_of({"address": ADDRESS, "name": TEXT, "phone": TEXT}),
    "use_stripe_sdk": params.boolean,
}
ROUTES = (
    Route(
        "POST",
        "/v1/payment_intents",
        create,
        {
            **_CONFIRM,
            "amount": params.integer(1, 99_999_999),
            "automatic_payment_methods": params.hash_of(
                {"allow_redirects": params.choice("always", "never"), "enabled": params.boolean}
            ),
            "capture_method": params.choice("automatic", "automatic_async"),
            "confirm": params.boolean,
            "currency": params.currency,
            "customer": TEXT,
            "description": TEXT,
            "metadata": params.metadata,
            "statement_descriptor": params.text(22),
            "statement_descriptor_suffix": params.text(22),
        },
        ("amount", "currency"),
        partly="cards, captured at once; no separate capture",
    ),
    retrieve("payment_intent", "/v1/payment_intents"),
    Route(
        "POST",
        "/v1/payment_intents/<id>",
        update,
        {
            "amount": params.integer(1, 99_999_999),
            "description": TEXT,
            "metadata": params.metadata,
            "receipt_email": TEXT,
        },
        partly="cards, captured at once; no separate capture",
    ),
    Route(
        "POST",
        "/v1/payment_intents/<id>/confirm",
        confirm,
        _CONFIRM,
        partly="cards, captured at once; no separate capture",
    ),
    Route(
        "POST",
        "/v1/payment_intents/<id>/cancel",
        cancel,
        {
            "cancellation_reason": params.choice(
                "abandoned", "duplicate", "fraudulent", "requested_by_customer"
            )
        },
    ),
    Route(
        "GET",
        "/v1/payment_intents",
        all_of,
        {**lists.PAGING, "created": params.span, "customer": TEXT},
    ),
)
