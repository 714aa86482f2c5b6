"""Checkout Sessions: one order on its way through the hosted page."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import SHIPPING, TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import line_items, payment_intents, payment_methods
from stripe_sandbox.unit import Unit

_SHORTEST_SECONDS = 30 * 60
_LONGEST_SECONDS = 24 * 3600
_NO_TAX = "The sandbox does not compute tax yet: leave automatic_tax out or disable it."
_EMPTY = (
    "after_expiration",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "invoice",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
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
    "submit_type",
)
_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_EXTRAS = ("amount_discount", "amount_shipping", "amount_tax")
_UNTAXED = {"enabled": False, **dict.fromkeys(("liability", "provider", "status"))}


def create(unit: Unit, values: Json) -> Json:
    """An open session waits at its page for the payer."""
    _check(unit, values)
    currency, lines = line_items.opened(unit, values)
    expires_at = values.get("expires_at") or unit.now + _LONGEST_SECONDS
    if not _SHORTEST_SECONDS <= expires_at - unit.now <= _LONGEST_SECONDS:
        raise errors.invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from "
            "Checkout Session "
            "creation.",
            param="expires_at",
        )
    body = unit.insert(_body(unit, values, currency, lines, expires_at))
    unit.schedule("expire", body["id"], expires_at)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The session's metadata is as asked."""
    body = unit.get("checkout.session", id)
    body["metadata"] = params.merged_metadata(body["metadata"], values.get("metadata", {}))
    return unit.save(body)


def expire(unit: Unit, values: Json, id: str) -> Json:
    """The session can no longer be paid."""
    body = unit.get("checkout.session", id)
    if body["status"] != "open":
        raise errors.invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            "Session has "
            f"a status of `{body['status']}`."
        )
    return close(unit, body)


def close(unit: Unit, body: Json) -> Json:
    """The open session is expired, and a payment begun for it is canceled."""
    intent = unit.find(str(body["_intent"]))
    if intent is not None and intent["status"] in ("requires_payment_method", "requires_action"):
        payment_intents.abandon(unit, intent, "expired")
    body.update(status="expired", url=None)
    unit.unschedule("expire", body["id"])
    unit.save(body)
    unit.emit("checkout.session.expired", body)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The sessions, newest first."""
    email = (values.get("customer_details") or {}).get("email")
    wheres = [
        *lists.equal(values, "customer", "payment_intent", "status", "subscription"),
        *lists.equal({"customer_details.email": email}, "customer_details.email"),
        *lists.within(values, "created"),
    ]
    return lists.page(unit, "checkout.session", "/v1/checkout/sessions", values, wheres)


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """One page of what the session sells."""
    body = unit.get("checkout.session", id)
    return line_items.page_of(unit, body)


def details(email: str | None, name: str | None, address: Json | None) -> Json:
    """Who the payer is, as far as the page knows."""
    return {
        "address": address,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _check(unit: Unit, values: Json) -> None:
    if values.get("customer") and values.get("customer_email"):
        raise errors.invalid(
            "You may only specify one of these parameters: customer, customer_email."
        )
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    wrong = {"payment": "subscription_data", "subscription": "payment_intent_data"}[values["mode"]]
    if values.get(wrong) is not None:
        raise errors.invalid(f"You can not pass `{wrong}` in `{values['mode']}` mode.", param=wrong)
    if values["mode"] == "subscription" and values.get("invoice_creation"):
        raise errors.invalid(
            "You can only enable invoice creation when `mode` is set to `payment`.",
            param="invoice_creation",
        )


def _body(unit: Unit, values: Json, currency: str, lines: list[Json], expires_at: int) -> Json:
    session_id = ids.new_id("cs_test", 58)
    total = sum(line["amount"] for line in lines)
    payment = values["mode"] == "payment"
    once = "if_required" if payment else "always"
    return {
        "id": session_id,
        "object": "checkout.session",
        **dict.fromkeys(_EMPTY),
        **{name: values.get(name) for name in _KEPT},
        **{name: {"enabled": False} for name in ("adaptive_pricing", "phone_number_collection")},
        **dict.fromkeys(("amount_subtotal", "amount_total"), total),
        "automatic_tax": dict(_UNTAXED),
        "created": unit.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(_TEXTS),
        "customer_creation": (values.get("customer_creation") or once) if payment else "always",
        "customer_details": _known_payer(unit, values),
        "discounts": [],
        "expires_at": expires_at,
        "invoice_creation": _invoicing(values) if payment else None,
        "livemode": False,
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "mode": values["mode"],
        "payment_method_collection": values.get("payment_method_collection") or once,
        "payment_method_options": {},
        "payment_method_types": payment_methods.kinds_for(currency),
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "success_url": values["success_url"],
        "total_details": dict.fromkeys(_EXTRAS, 0),
        "ui_mode": "hosted_page",
        "url": f"{unit.public_url}/c/pay/{session_id}",
        "_customer_update": values.get("customer_update") or {},
        "_data": values.get("payment_intent_data") or values.get("subscription_data") or {},
        "_intent": None,
        "_lines": lines,
    }


def _invoicing(values: Json) -> Json:
    wanted = values.get("invoice_creation") or {}
    return {"enabled": bool(wanted.get("enabled")), "invoice_data": {}}


def _known_payer(unit: Unit, values: Json) -> Json | None:
    if values.get("customer"):
        customer = unit.living("customer", values["customer"], "customer")
        return details(customer["email"], customer["name"], None)
    return details(values["customer_email"], None, None) if values.get("customer_email") else None


_UPDATES = params.choice("auto", "never")
_FIELDS: params.Fields = {
    "allow_promotion_codes": params.boolean,
    "automatic_tax": params.hash_of({"enabled": params.only(False, _NO_TAX)}),
    "billing_address_collection": params.choice("auto", "required"),
    "cancel_url": params.url,
    "client_reference_id": params.text(200),
    "currency": params.currency,
    "customer": TEXT,
    "customer_creation": params.choice("always", "if_required"),
    "customer_email": params.text(800),
    "customer_update": params.hash_of({"address": _UPDATES, "name": _UPDATES}),
    "expires_at": params.integer(),
    "invoice_creation": params.hash_of({"enabled": params.boolean}),
    "line_items": line_items.FIELDS,
    "locale": TEXT,
    "metadata": params.metadata,
    "mode": params.choice("payment", "subscription"),
    "payment_intent_data": params.hash_of(
        {
            "description": params.text(1000),
            "metadata": params.metadata,
            "receipt_email": TEXT,
            "setup_future_usage": params.choice("off_session", "on_session"),
            "shipping": SHIPPING,
            "statement_descriptor": params.text(22),
            "statement_descriptor_suffix": params.text(22),
        }
    ),
    "payment_method_collection": params.choice("always", "if_required"),
    "submit_type": params.choice("auto", "book", "donate", "pay", "subscribe"),
    "subscription_data": params.hash_of(
        {
            "billing_mode": params.hash_of({"type": params.choice("flexible")}),
            "description": params.text(500),
            "metadata": params.metadata,
        }
    ),
    "success_url": params.url,
    "ui_mode": params.choice("hosted_page"),
}
ROUTES = (
    Route(
        "POST",
        "/v1/checkout/sessions",
        create,
        _FIELDS,
        ("mode", "success_url"),
        partly="hosted page; no shipping, custom fields, setup mode",
    ),
    retrieve("checkout.session", "/v1/checkout/sessions"),
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
