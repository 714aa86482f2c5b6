"""Portal sessions: one customer's way into the pages of the customer portal, for an hour."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.objects import portal_configurations, subscriptions
from stripe_sandbox.unit import Unit

KIND = "billing_portal.session"
_LASTS_SECONDS = 3600
# The feature of the configuration that each flow goes through.
FEATURES = {
    "customer_update": "customer_update",
    "payment_method_update": "payment_method_update",
    "subscription_cancel": "subscription_cancel",
    "subscription_update": "subscription_update",
    "subscription_update_confirm": "subscription_update",
}
_WITH_SUBSCRIPTION = ("subscription_cancel", "subscription_update", "subscription_update_confirm")


def create(unit: Unit, values: Json) -> Json:
    """The customer can use the portal at the session's address."""
    customer = unit.living("customer", values["customer"], "customer")
    configuration = _configuration(unit, values.get("configuration"))
    body = _drawn(unit, customer, configuration, values.get("return_url"))
    body["locale"] = values.get("locale")
    if values.get("flow_data"):
        body["flow"] = _flow(unit, values["flow_data"], customer, configuration)
    unit.insert(body)
    unit.emit(f"{KIND}.created", body)
    return body


def is_over(unit: Unit, body: Json) -> bool:
    """True if the address of the session leads nowhere any more."""
    return bool(unit.now >= body["_expires_at"])


def _configuration(unit: Unit, configuration_id: str | None) -> Json:
    if not configuration_id:
        return portal_configurations.default(unit)
    body = unit.get(portal_configurations.KIND, configuration_id, "configuration")
    if not body["active"]:
        raise errors.invalid(
            f"The configuration {configuration_id} is not active.", param="configuration"
        )
    return body


def _drawn(unit: Unit, customer: Json, configuration: Json, return_url: str | None) -> Json:
    session_id = ids.new_id("bps")
    return {
        "id": session_id,
        "object": KIND,
        "configuration": configuration["id"],
        "created": unit.now,
        "customer": customer["id"],
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": return_url or configuration["default_return_url"],
        "url": f"{unit.public_url}/p/session/{session_id}",
        "_expires_at": unit.now + _LASTS_SECONDS,
    }


def _flow(unit: Unit, given: Json, customer: Json, configuration: Json) -> Json:
    kind = given["type"]
    for name in _WITH_SUBSCRIPTION:
        if given.get(name) and name != kind:
            raise errors.invalid(
                f"You can only specify {name} with the flow type {name}.",
                param=f"flow_data[{name}]",
            )
    if not configuration["features"][FEATURES[kind]]["enabled"]:
        raise errors.invalid(
            f"This flow needs the feature {FEATURES[kind]}, which the configuration "
            f"{configuration['id']} has switched off.",
            param="flow_data[type]",
        )
    flow: Json = {
        "after_completion": _after(given.get("after_completion") or {"type": "portal_homepage"}),
        "customer_update": {} if kind == "customer_update" else None,
        **dict.fromkeys(_WITH_SUBSCRIPTION),
        "type": kind,
    }
    if kind in _WITH_SUBSCRIPTION:
        flow[kind] = _of_subscription(unit, kind, given.get(kind), customer)
    return flow


def _of_subscription(unit: Unit, kind: str, given: Json | None, customer: Json) -> Json:
    param = f"flow_data[{kind}]"
    if not (given and given.get("subscription")):
        raise errors.missing_parameter(f"{param}[subscription]")
    body = unit.get("subscription", given["subscription"], f"{param}[subscription]")
    if body["customer"] != customer["id"]:
        raise errors.no_such("subscription", body["id"], f"{param}[subscription]")
    if body["status"] in subscriptions.ENDED:
        raise errors.invalid(
            f"The subscription {body['id']} has ended.", param=f"{param}[subscription]"
        )
    if kind == "subscription_cancel":
        if body["cancel_at_period_end"] or body["cancel_at"]:
            raise errors.invalid(
                f"The subscription {body['id']} is set to end already.",
                param=f"{param}[subscription]",
            )
        return {"retention": None, "subscription": body["id"]}
    if kind == "subscription_update":
        return {"subscription": body["id"]}
    return {
        "discounts": None,
        "items": [
            _item(body, item, f"{param}[items][{at}]") for at, item in enumerate(given["items"])
        ],
        "subscription": body["id"],
    }


def _item(body: Json, given: Json, param: str) -> Json:
    known = {item["id"]: item for item in subscriptions.items_of(body)}
    if given["id"] not in known:
        raise errors.no_such("subscription_item", given["id"], f"{param}[id]")
    item = known[given["id"]]
    return {
        "id": given["id"],
        "price": given.get("price") or item["price"]["id"],
        "quantity": given.get("quantity") or item["quantity"],
    }


def _after(given: Json) -> Json:
    kind = given["type"]
    if kind == "redirect" and not given.get("redirect"):
        raise errors.missing_parameter("flow_data[after_completion][redirect][return_url]")
    confirmation = given.get("hosted_confirmation") or {"custom_message": None}
    return {
        "hosted_confirmation": confirmation if kind == "hosted_confirmation" else None,
        "redirect": given.get("redirect") if kind == "redirect" else None,
        "type": kind,
    }


_NAMED = params.hash_of({"subscription": TEXT}, ("subscription",))
_FLOW = params.hash_of(
    {
        "after_completion": params.hash_of(
            {
                "hosted_confirmation": params.hash_of({"custom_message": params.text(500)}),
                "redirect": params.hash_of({"return_url": params.url}, ("return_url",)),
                "type": params.choice("hosted_confirmation", "portal_homepage", "redirect"),
            },
            ("type",),
        ),
        "subscription_cancel": _NAMED,
        "subscription_update": _NAMED,
        "subscription_update_confirm": params.hash_of(
            {
                "items": params.list_of(
                    params.hash_of(
                        {"id": TEXT, "price": TEXT, "quantity": params.integer(1, 999_999)},
                        ("id",),
                    ),
                    1,
                ),
                "subscription": TEXT,
            },
            ("items", "subscription"),
        ),
        "type": params.choice(*FEATURES),
    },
    ("type",),
)
_LOCALES = (
    "auto bg cs da de el en en-AU en-CA en-GB en-IE en-IN en-NZ en-SG es es-419 et fi fil fr fr-CA "
    "hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
).split()
ROUTES = (
    Route(
        "POST",
        "/v1/billing_portal/sessions",
        create,
        {
            "configuration": TEXT,
            "customer": TEXT,
            "flow_data": _FLOW,
            "locale": params.choice(*_LOCALES),
            "return_url": params.url,
        },
        ("customer",),
        partly="pages in English; no after_expiration, pausing, retention offers, discounts of a "
        "confirmed change, Connect",
    ),
)
