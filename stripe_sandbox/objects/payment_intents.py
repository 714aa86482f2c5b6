"""PaymentIntents: one sum to be paid, however many tries that takes."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import payment_methods
from stripe_sandbox.unit import Unit

_KEPT = (
    "allowed_payment_method_types",
    "customer",
    "description",
    "excluded_payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_EMPTY = (
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "customer_account",
    "last_payment_error",
    "latest_charge",
    "managed_payments",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "processing",
    "review",
    "transfer_data",
)
# What Stripe answers for a card when nothing was asked for.
_CARD_OPTIONS: Json = {
    "installments": None,
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}


def made(unit: Unit, values: Json) -> Json:
    """A new unpaid PaymentIntent is stored; nobody has been told yet."""
    intent_id = ids.new_id("pi")
    capture_method = values.get("capture_method") or "automatic_async"
    return unit.insert(
        {
            "id": intent_id,
            "object": "payment_intent",
            **dict.fromkeys(_EMPTY),
            "amount": values["amount"],
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "automatic_payment_methods": values.get("automatic_payment_methods")
            or {"allow_redirects": "always", "enabled": True},
            "capture_method": capture_method,
            "client_secret": f"{intent_id}_secret_{ids.new_id('', 25)[1:]}",
            "confirmation_method": values.get("confirmation_method") or "automatic",
            "created": unit.now,
            "currency": values["currency"],
            "livemode": False,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "payment_method_options": options({}, values),
            "payment_method_types": kinds(values, capture_method),
            "status": "requires_payment_method",
            **{name: values.get(name) for name in _KEPT},
            "_authenticated": None,
            "_return_url": values.get("return_url"),
        }
    )


def kinds(values: Json, capture_method: str) -> list[str]:
    """The kinds of payment methods that can pay this; a debit cannot be held and captured later."""
    found = payment_methods.kinds_for(
        values["currency"],
        values.get("allowed_payment_method_types"),
        values.get("excluded_payment_method_types"),
    )
    return [kind for kind in found if kind == "card"] if capture_method == "manual" else found


def options(current: Json, values: Json) -> Json:
    """What is set for each kind of payment method after the change."""
    changed = {"card": _CARD_OPTIONS, **current}
    for kind, given in (values.get("payment_method_options") or {}).items():
        changed[kind] = {**changed.get(kind, {}), **given}
    return changed


def abandon(unit: Unit, body: Json, reason: str | None) -> Json:
    """The PaymentIntent is canceled for the reason, and an event says so."""
    body.update(
        status="canceled",
        canceled_at=unit.now,
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    unit.save(body)
    unit.emit("payment_intent.canceled", body)
    return body


def show(unit: Unit, values: Json, id: str) -> Json:
    """The PaymentIntent; a client secret that comes along must be its own."""
    body = unit.get("payment_intent", id)
    if values.get("client_secret") not in (None, body["client_secret"]):
        raise errors.invalid(
            "The client_secret provided does not match any associated PaymentIntent on this "
            "account. Ensure the client_secret matches the PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The PaymentIntents, newest first."""
    wheres = [*lists.equal(values, "customer"), *lists.within(values, "created")]
    return lists.page(unit, "payment_intent", "/v1/payment_intents", values, wheres)


ROUTES = (
    Route("GET", "/v1/payment_intents/<id>", show, {"client_secret": TEXT}),
    Route(
        "GET",
        "/v1/payment_intents",
        all_of,
        {**lists.PAGING, "created": params.span, "customer": TEXT},
    ),
)
