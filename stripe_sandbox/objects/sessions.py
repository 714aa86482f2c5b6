"""Checkout Sessions: one order on its way through the hosted page."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import line_items, payment_intents, payment_methods, tax_rates
from stripe_sandbox.unit import Unit

KIND = "checkout.session"
_RECOVERABLE_SECONDS = 30 * 24 * 3600
_EMPTY = (
    "amount_subtotal",
    "amount_total",
    "client_secret",
    "collected_information",
    "consent",
    "currency_conversion",
    "customer_account",
    "integration_identifier",
    "invoice",
    "managed_payments",
    "optional_items",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "total_details",
    "wallet_options",
)
_KEPT = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
    "mode",
    "submit_type",
    "success_url",
)
_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_CONSENTS = ("payment_method_reuse_agreement", "promotions", "terms_of_service")
_UNTAXED = {"enabled": False, **dict.fromkeys(("liability", "provider", "status"))}
_SAVED = {
    "allow_redisplay_filters": ["always"],
    "payment_method_remove": "disabled",
    "payment_method_save": None,
}
_INVOICE_DATA = (
    *("account_tax_ids", "custom_fields", "description", "footer", "issuer"),
    "rendering_options",
)


def drawn(unit: Unit, values: Json, currency: str, lines: list[Json], expires_at: int) -> Json:
    """A session as it was asked for; its sums are not worked out and nothing is stored."""
    session_id = ids.new_id("cs_test", 58)
    mode = values["mode"]
    return {
        "id": session_id,
        "object": KIND,
        **dict.fromkeys(_EMPTY),
        **{name: values.get(name) for name in _KEPT},
        **_collecting(values),
        "adaptive_pricing": {"enabled": False},
        "after_expiration": _recovery(values),
        "automatic_tax": _taxed(values),
        "created": unit.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {**dict.fromkeys(_TEXTS), **(values.get("custom_text") or {})},
        "customer_creation": _creation(values),
        "customer_details": _known_payer(unit, values),
        "discounts": [],
        "expires_at": expires_at,
        "invoice_creation": _invoicing(values) if mode == "payment" else None,
        "livemode": False,
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "payment_method_options": {},
        "payment_method_types": _kinds(values, currency),
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "saved_payment_method_options": _saved(values),
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted_page",
        "url": f"{unit.public_url}/c/pay/{session_id}",
        "_address": None,
        "_customer_update": values.get("customer_update") or {},
        "_data": _data(values),
        "_discount": None,
        "_intent": None,
        "_lines": lines,
        "_rates": _default_rates(unit, values),
    }


def update(unit: Unit, values: Json, id: str) -> Json:
    """The session's metadata is as asked."""
    body = unit.get(KIND, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    return unit.save(body)


def expire(unit: Unit, values: Json, id: str) -> Json:
    """The session can no longer be paid."""
    body = unit.get(KIND, id)
    if body["status"] != "open":
        raise errors.invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{body['status']}`."
        )
    return close(unit, body)


def close(unit: Unit, body: Json) -> Json:
    """The open session is expired, and a payment or setup begun for it is canceled."""
    _abandon(unit, body)
    body.update(status="expired", url=None)
    recovery = (body["after_expiration"] or {}).get("recovery")
    if recovery and recovery["enabled"]:
        recovery["expires_at"] = unit.now + _RECOVERABLE_SECONDS
        recovery["url"] = f"{unit.public_url}/c/recover/{body['id']}"
    unit.unschedule("expire", body["id"])
    unit.save(body)
    unit.emit("checkout.session.expired", body)
    return body


def close_all_of(unit: Unit, customer_id: str) -> None:
    """No open session of the customer can be paid any more."""
    for body in unit.select(
        KIND, lists.equal({"customer": customer_id, "status": "open"}, "customer", "status")
    ):
        close(unit, body)


def session_of(unit: Unit, intent: Json) -> Json | None:
    """The Checkout Session this payment or setup belongs to, or None."""
    found = unit.select(KIND, lists.equal({"_intent": intent["id"]}, "_intent"), 1)
    return found[0] if found else None


def all_of(unit: Unit, values: Json) -> Json:
    """The sessions, newest first."""
    email = (values.get("customer_details") or {}).get("email")
    wheres = [
        *lists.equal(values, "customer", "payment_intent", "status", "subscription"),
        *lists.equal({"customer_details.email": email}, "customer_details.email"),
        *lists.within(values, "created"),
    ]
    return lists.page(unit, KIND, "/v1/checkout/sessions", values, wheres)


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """One page of what the session sells."""
    return line_items.page_of(unit, unit.get(KIND, id), values)


def details(**known: object) -> Json:
    """Who the payer is, as far as the page knows."""
    blank = dict.fromkeys(("address", "business_name", "email", "individual_name", "name", "phone"))
    return {**blank, "tax_exempt": "none", "tax_ids": [], **known}


def _abandon(unit: Unit, body: Json) -> None:
    intent = unit.find(str(body["_intent"]))
    waiting = ("requires_payment_method", "requires_confirmation", "requires_action")
    if intent is None or intent["status"] not in waiting:
        return
    if intent["object"] == "payment_intent":
        payment_intents.abandon(unit, intent, "expired")
        return
    intent.update(status="canceled", cancellation_reason="abandoned", next_action=None)
    unit.save(intent)
    unit.emit("setup_intent.canceled", intent)


def _collecting(values: Json) -> Json:
    """What the page asks the payer for, as the session shows it."""
    mode = values["mode"]
    consents = values.get("consent_collection")
    tax_id = values.get("tax_id_collection") or {"enabled": False}
    default = "always" if mode == "subscription" else "if_required"
    return {
        "consent_collection": {**dict.fromkeys(_CONSENTS), **consents} if consents else None,
        "payment_method_collection": values.get("payment_method_collection")
        or ("always" if mode == "setup" else default),
        "phone_number_collection": values.get("phone_number_collection") or {"enabled": False},
        "tax_id_collection": {"required": "never", **tax_id},
    }


def _recovery(values: Json) -> Json | None:
    wanted = (values.get("after_expiration") or {}).get("recovery")
    if not wanted:
        return None
    return {"recovery": {"allow_promotion_codes": False, **wanted, "expires_at": None, "url": None}}


def _taxed(values: Json) -> Json:
    if not (values.get("automatic_tax") or {}).get("enabled"):
        return dict(_UNTAXED)
    return {"enabled": True, "liability": {"type": "self"}, "provider": "stripe", "status": None}


def _creation(values: Json) -> str | None:
    if values.get("customer"):
        return None
    if values["mode"] == "subscription":
        return "always"
    return values.get("customer_creation") or "if_required"


def _invoicing(values: Json) -> Json:
    wanted = values.get("invoice_creation") or {}
    given = wanted.get("invoice_data") or {}
    shown: Json = {**dict.fromkeys(_INVOICE_DATA), **given, "issuer": {"type": "self"}}
    if shown["rendering_options"]:
        shown["rendering_options"] = {"template": None, **shown["rendering_options"]}
    shown["metadata"] = params.merged_metadata({}, given.get("metadata") or {})
    return {"enabled": bool(wanted.get("enabled")), "invoice_data": shown}


def _saved(values: Json) -> Json | None:
    given = values.get("saved_payment_method_options")
    if given:
        return {**_SAVED, **given}
    return dict(_SAVED) if values.get("customer") and values["mode"] != "setup" else None


def _data(values: Json) -> Json:
    names = ("payment_intent_data", "setup_intent_data", "subscription_data")
    given: Json = next((values[name] for name in names if values.get(name)), {})
    return {name: value for name, value in given.items() if value is not None}


def _kinds(values: Json, currency: str) -> list[str]:
    found = payment_methods.kinds_for(
        currency,
        values.get("allowed_payment_method_types"),
        values.get("excluded_payment_method_types"),
    )
    held = (values.get("payment_intent_data") or {}).get("capture_method") == "manual"
    return [kind for kind in found if kind == "card"] if held else found


def _default_rates(unit: Unit, values: Json) -> list[Json]:
    given = (values.get("subscription_data") or {}).get("default_tax_rates") or []
    return tax_rates.chosen(unit, given, "subscription_data[default_tax_rates]")


def _known_payer(unit: Unit, values: Json) -> Json | None:
    if values.get("customer"):
        customer = unit.living("customer", values["customer"], "customer")
        known = {name: customer[name] for name in ("email", "name", "phone")}
        return details(**known, tax_exempt=customer["tax_exempt"])
    return details(email=values["customer_email"]) if values.get("customer_email") else None


ROUTES = (
    retrieve(KIND, "/v1/checkout/sessions"),
    Route(
        "POST",
        "/v1/checkout/sessions/<id>",
        update,
        {"metadata": params.metadata},
        partly="metadata",
    ),
    Route("POST", "/v1/checkout/sessions/<id>/expire", expire),
    Route("GET", "/v1/checkout/sessions/<id>/line_items", lines_of, lists.PAGING),
    Route(
        "GET",
        "/v1/checkout/sessions",
        all_of,
        {
            **lists.PAGING,
            "created": params.span,
            "customer": TEXT,
            "customer_details": params.hash_of({"email": TEXT}, ("email",)),
            "payment_intent": TEXT,
            "status": params.choice("complete", "expired", "open"),
            "subscription": TEXT,
        },
    ),
)
