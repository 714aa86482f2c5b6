"""SetupIntents: a payment method made ready to pay later, without paying now."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import payment_methods
from stripe_sandbox.unit import Unit

_EMPTY = (
    "application",
    "cancellation_reason",
    "customer_account",
    "flow_directions",
    "last_setup_error",
    "latest_attempt",
    "managed_payments",
    "mandate",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "single_use_mandate",
)
_KEPT = (
    "allowed_payment_method_types",
    "customer",
    "description",
    "excluded_payment_method_types",
)
_CARD_OPTIONS: Json = {
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}


def made(unit: Unit, values: Json) -> Json:
    """A new SetupIntent is stored; nobody has been told yet."""
    setup_id = ids.new_id("seti")
    return unit.insert(
        {
            "id": setup_id,
            "object": "setup_intent",
            **dict.fromkeys(_EMPTY),
            **{name: values.get(name) for name in _KEPT},
            "automatic_payment_methods": values.get("automatic_payment_methods")
            or {"allow_redirects": "always", "enabled": True},
            "client_secret": f"{setup_id}_secret_{ids.new_id('', 25)[1:]}",
            "created": unit.now,
            "livemode": False,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "payment_method_options": options({}, values),
            "payment_method_types": kinds(values),
            "status": "requires_payment_method",
            "usage": values.get("usage") or "off_session",
            "_return_url": values.get("return_url"),
        }
    )


def kinds(values: Json) -> list[str]:
    """The kinds of payment methods that can be set up."""
    allowed, excluded = (
        values.get(f"{which}_payment_method_types") for which in ("allowed", "excluded")
    )
    found = (payment_methods.kinds_for(currency, allowed, excluded) for currency in ("usd", "eur"))
    return list(dict.fromkeys(kind for of_currency in found for kind in of_currency))


def options(current: Json, values: Json) -> Json:
    """What is set for each kind of payment method after the change."""
    changed = {"card": _CARD_OPTIONS, **current}
    for kind, given in (values.get("payment_method_options") or {}).items():
        changed[kind] = {**changed.get(kind, {}), **given}
    return changed


def show(unit: Unit, values: Json, id: str) -> Json:
    """The SetupIntent; a client secret that comes along must be its own."""
    body = unit.get("setup_intent", id)
    if values.get("client_secret") not in (None, body["client_secret"]):
        raise errors.invalid(
            "The client_secret provided does not match the client_secret associated with the "
            "SetupIntent.",
            code="setup_intent_invalid_parameter",
            param="client_secret",
        )
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The SetupIntents, newest first."""
    wheres = [
        *lists.equal(values, "customer", "payment_method"),
        *lists.within(values, "created"),
    ]
    return lists.page(unit, "setup_intent", "/v1/setup_intents", values, wheres)


ROUTES = (
    Route("GET", "/v1/setup_intents/<id>", show, {"client_secret": TEXT}),
    Route(
        "GET",
        "/v1/setup_intents",
        all_of,
        {**lists.PAGING, "created": params.span, "customer": TEXT, "payment_method": TEXT},
    ),
)
