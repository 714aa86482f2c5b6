"""Portal configurations: what a customer may do on the pages of the customer portal."""

import json

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.forms import FormValue
from stripe_sandbox.api.params import Parser
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit

KIND = "billing_portal.configuration"
REASONS = (
    *("customer_service", "low_quality", "missing_features", "other"),
    *("switched_service", "too_complex", "too_expensive", "unused"),
)
_MOST_PRODUCTS = 10
_PROFILE = ("headline", "privacy_policy_url", "terms_of_service_url")
_PRORATIONS = ("always_invoice", "create_prorations", "none")
_DETAILS = ("address", "email", "name", "phone", "shipping", "tax_id")
_CONDITIONS = ("decreasing_item_amount", "shortening_interval")

# A new configuration, before anything was said.
_FIRST: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "feedback_options": None,
            "options": list(REASONS),
        },
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {
        "duration": {
            "interval_options": [{"interval": "month", "interval_count": 1}],
            "type": "interval_options",
        },
        "enabled": False,
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "continue_trial",
    },
}


def create(unit: Unit, values: Json) -> Json:
    """A configuration exists that sessions of the portal can name."""
    body = _blank(unit)
    _change(unit, body, values)
    unit.insert(body)
    unit.emit(f"{KIND}.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The configuration is as asked; of each feature only what was named has changed."""
    before = unit.get(KIND, id)
    body = unit.get(KIND, id)
    if values.get("active") is False and body["is_default"]:
        raise errors.invalid("The default configuration cannot be inactive.", param="active")
    _change(unit, body, values)
    if body != before:
        body["updated"] = unit.now
    return unit.update(f"{KIND}.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The configurations, newest first."""
    default(unit)
    wheres = lists.equal(values, "active", "is_default")
    return lists.page(unit, KIND, "/v1/billing_portal/configurations", values, wheres)


def default(unit: Unit) -> Json:
    """The configuration of sessions that name none.

    At Stripe the Dashboard makes it; here it is there when it is first asked for.
    """
    for body in unit.select(KIND, lists.equal({"is_default": True}, "is_default"), 1):
        return body
    body = _blank(unit)
    body["is_default"] = True
    features = body["features"]
    for name in ("invoice_history", "payment_method_update", "subscription_cancel"):
        features[name]["enabled"] = True
    features["customer_update"] = {"allowed_updates": list(_DETAILS), "enabled": True}
    features["subscription_cancel"]["cancellation_reason"]["enabled"] = True
    return unit.insert(body)


def _blank(unit: Unit) -> Json:
    return {
        "id": ids.new_id("bpc"),
        "object": KIND,
        "active": True,
        "application": None,
        "business_profile": dict.fromkeys(_PROFILE),
        "created": unit.now,
        "default_return_url": None,
        "features": json.loads(json.dumps(_FIRST)),
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": unit.now,
    }


def _change(unit: Unit, body: Json, values: Json) -> None:
    body["business_profile"].update(values.get("business_profile") or {})
    for name in ("active", "default_return_url", "name"):
        if name in values:
            body[name] = values[name]
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    for name, given in (values.get("features") or {}).items():
        _merge(body["features"][name], given or {})
    _check(unit, body["features"])
    if "login_page" in values:
        enabled = bool((values["login_page"] or {}).get("enabled"))
        address = f"{unit.public_url}/p/login/{body['id']}"
        body["login_page"] = {"enabled": enabled, "url": address if enabled else None}


def _merge(feature: Json, given: Json) -> None:
    for name, value in given.items():
        if isinstance(value, dict):
            feature[name].update(value)
        else:
            feature[name] = json.loads(json.dumps(value))


def _check(unit: Unit, features: Json) -> None:
    """What is switched on says all it must, or Stripe's refusal names what is missing."""
    details = features["customer_update"]
    if details["enabled"] and not details["allowed_updates"]:
        raise errors.missing_parameter("features[customer_update][allowed_updates]")
    reasons = features["subscription_cancel"]["cancellation_reason"]
    if reasons["enabled"] and not reasons["options"]:
        raise errors.missing_parameter(
            "features[subscription_cancel][cancellation_reason][options]"
        )
    _check_cancel(features["subscription_cancel"])
    changes = features["subscription_update"]
    if not changes["enabled"]:
        return
    for name in ("default_allowed_updates", "products"):
        if not changes[name]:
            raise errors.missing_parameter(f"features[subscription_update][{name}]")
    for at, product in enumerate(changes["products"]):
        _check_product(unit, product, f"features[subscription_update][products][{at}]")


def _check_cancel(cancel: Json) -> None:
    where = "features[subscription_cancel][proration_behavior]"
    if cancel["proration_behavior"] == "always_invoice":
        raise errors.invalid("proration_behavior cannot be always_invoice here.", param=where)
    if cancel["proration_behavior"] != "none" and cancel["mode"] == "at_period_end":
        raise errors.invalid(
            "proration_behavior is only compatible with mode=immediately.", param=where
        )


def _check_product(unit: Unit, product: Json, param: str) -> None:
    unit.living("product", product["product"], f"{param}[product]")
    if not product["prices"]:
        raise errors.missing_parameter(f"{param}[prices]")
    for at, price_id in enumerate(product["prices"]):
        price = unit.get("price", price_id, f"{param}[prices][{at}]")
        if price["product"] != product["product"] or price["recurring"] is None:
            raise errors.invalid(
                f"{price_id} is no recurring price of the product {product['product']}.",
                param=f"{param}[prices][{at}]",
            )


def _adjustable(value: FormValue, name: str) -> Json:
    given = _ADJUSTABLE(value, name)
    shown: Json = given if isinstance(given, dict) else {"enabled": False}
    return {"maximum": None, "minimum": 1, **shown}


def _product(value: FormValue, name: str) -> Json:
    given = _PRODUCT(value, name)
    if not isinstance(given, dict):
        raise errors.missing_parameter(f"{name}[product]")
    fixed = {"enabled": False, "maximum": None, "minimum": 1}
    return {"adjustable_quantity": fixed, **given}


_ADJUSTABLE = params.hash_of(
    {
        "enabled": params.boolean,
        "maximum": params.integer(1, 999_999),
        "minimum": params.integer(1, 999_999),
    },
    ("enabled",),
)
_PRODUCT = params.hash_of(
    {
        "adjustable_quantity": _adjustable,
        "prices": params.list_of(params.TEXT, 10),
        "product": params.TEXT,
    },
    ("prices", "product"),
)


_CANCEL: params.Fields = {
    "cancellation_reason": params.hash_of(
        {"enabled": params.boolean, "options": params.list_of(params.choice(*REASONS))},
        ("enabled",),
    ),
    "enabled": params.boolean,
    "mode": params.choice("at_period_end", "immediately"),
    "proration_behavior": params.choice(*_PRORATIONS),
}
_CONDITION = params.hash_of({"type": params.choice(*_CONDITIONS)}, ("type",))
_UPDATE: params.Fields = {
    "billing_cycle_anchor": params.choice("now", "unchanged"),
    "default_allowed_updates": params.list_of(params.choice("price", "quantity")),
    "enabled": params.boolean,
    "products": params.list_of(_product, _MOST_PRODUCTS),
    "proration_behavior": params.choice(*_PRORATIONS),
    "schedule_at_period_end": params.hash_of({"conditions": params.list_of(_CONDITION)}),
    "trial_update_behavior": params.choice("continue_trial", "end_trial"),
}
_DETAIL = params.list_of(params.choice(*_DETAILS))


def _features(*, whole: bool) -> Parser:
    """The features; of a new configuration each named one says whether it is on."""
    needs = ("enabled",) if whole else ()
    switch = {"enabled": params.boolean}
    return params.hash_of(
        {
            "customer_update": params.hash_of({"allowed_updates": _DETAIL, **switch}, needs),
            "invoice_history": params.hash_of(switch, ("enabled",)),
            "payment_method_update": params.hash_of(switch, ("enabled",)),
            "subscription_cancel": params.hash_of(_CANCEL, needs),
            "subscription_update": params.hash_of(_UPDATE, needs),
        }
    )


_COMMON: params.Fields = {
    "business_profile": params.hash_of(
        {
            "headline": params.text(60),
            "privacy_policy_url": params.text(),
            "terms_of_service_url": params.text(),
        }
    ),
    "default_return_url": params.text(),
    "login_page": params.hash_of({"enabled": params.boolean}, ("enabled",)),
    "metadata": params.metadata,
    "name": params.text(),
}
_PARTLY = "no pausing, promotion codes, custom feedback options, payment method configurations"
_PATH = "/v1/billing_portal/configurations"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {**_COMMON, "features": _features(whole=True)},
        ("features",),
        partly=_PARTLY,
    ),
    retrieve(KIND, _PATH),
    Route(
        "POST",
        f"{_PATH}/<id>",
        update,
        {**_COMMON, "active": params.boolean, "features": _features(whole=False)},
        partly=_PARTLY,
    ),
    Route(
        "GET",
        _PATH,
        all_of,
        {**lists.PAGING, "active": params.boolean, "is_default": params.boolean},
    ),
)
