"""What a Checkout Session may be asked for, and what goes together."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import SHIPPING, TEXT
from stripe_sandbox.objects import automatic_tax, discounts, line_items, payment_methods
from stripe_sandbox.unit import Unit

_SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3600
_EARLIEST_TRIAL_END_SECONDS = 48 * 3600
# What each mode cannot be asked for.
_FOREIGN = {
    "payment": ("setup_intent_data", "subscription_data", "payment_method_collection"),
    "subscription": ("setup_intent_data", "payment_intent_data", "customer_creation"),
    "setup": (
        *("automatic_tax", "allow_promotion_codes", "discounts", "invoice_creation"),
        *("line_items", "payment_intent_data", "payment_method_collection"),
        *("saved_payment_method_options", "submit_type", "subscription_data"),
    ),
}
_NO_PLACE = (
    "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid "
    "address to the Customer or set `customer_update[address]` to 'auto' to save the address "
    "entered in Checkout to the Customer."
)
_NO_NAME = (
    "Tax ID collection requires updating business name on the customer. To enable tax ID "
    "collection for an existing customer, please set `customer_update[name]` to `auto`."
)


def check(unit: Unit, values: Json) -> None:
    """The parameters go together, or Stripe's refusal says which do not."""
    _check_mode(values)
    _check_payer(unit, values)
    _check_tax(unit, values)
    _check_discounts(values)
    _check_trial(unit, values.get("subscription_data") or {})


def expiry(unit: Unit, values: Json) -> int:
    """When the session ends if nobody pays: as asked, or after a day."""
    at = values.get("expires_at") or unit.now + LONGEST_SECONDS
    if not _SHORTEST_SECONDS <= at - unit.now <= LONGEST_SECONDS:
        raise errors.invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout "
            "Session creation.",
            param="expires_at",
        )
    return int(at)


def _check_mode(values: Json) -> None:
    mode = values["mode"]
    for name in _FOREIGN[mode]:
        if values.get(name) is not None:
            raise errors.invalid(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if mode == "subscription" and values.get("invoice_creation"):
        raise errors.invalid(
            "You can only enable invoice creation when `mode` is set to `payment`.",
            param="invoice_creation",
        )
    if mode == "setup" and not values.get("currency"):
        raise errors.missing_parameter("currency")


def _check_payer(unit: Unit, values: Json) -> None:
    if values.get("customer") and values.get("customer_email"):
        raise errors.invalid(
            "You may only specify one of these parameters: customer, customer_email."
        )
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    elif values.get("customer_update"):
        raise errors.invalid(
            "`customer_update` can only be used with `customer`.", param="customer_update"
        )


def _check_tax(unit: Unit, values: Json) -> None:
    updates = values.get("customer_update") or {}
    collects_tax_id = (values.get("tax_id_collection") or {}).get("enabled")
    if collects_tax_id and values.get("customer") and updates.get("name") != "auto":
        raise errors.invalid(_NO_NAME, param="tax_id_collection")
    if not (values.get("automatic_tax") or {}).get("enabled"):
        return
    by_hand = (values.get("subscription_data") or {}).get("default_tax_rates")
    if by_hand or any(line.get("tax_rates") for line in values.get("line_items") or ()):
        raise errors.invalid(
            "You cannot use tax rates together with automatic tax.", param="automatic_tax"
        )
    if values.get("customer") and updates.get("address") != "auto":
        customer = unit.get("customer", values["customer"])
        buyer = automatic_tax.buyer_of(unit, customer)
        if automatic_tax.status(buyer) != automatic_tax.COMPLETE:
            raise errors.invalid(
                _NO_PLACE, code="customer_tax_location_invalid", param="automatic_tax"
            )


def _check_discounts(values: Json) -> None:
    if values.get("discounts") and values.get("allow_promotion_codes") is not None:
        raise errors.invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts."
        )


def _check_trial(unit: Unit, wanted: Json) -> None:
    days, end = wanted.get("trial_period_days"), wanted.get("trial_end")
    if days and end:
        raise errors.invalid(
            "You may only specify one of these parameters: trial_end, trial_period_days."
        )
    if end is not None and end < unit.now + _EARLIEST_TRIAL_END_SECONDS:
        raise errors.invalid(
            "The `trial_end` date has to be at least 2 days in the future.",
            param="subscription_data[trial_end]",
        )


_LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl "
    "pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
).split()
_MESSAGE = params.hash_of({"message": params.text(1200)}, ("message",))
_UPDATES = params.choice("auto", "never")
_SELF = params.hash_of({"type": params.choice("self")}, ("type",))
_CUSTOM_FIELDS = params.list_of(
    params.hash_of({"name": params.text(40), "value": params.text(140)}, ("name", "value")), 4
)
_ON_INVOICE: params.Fields = {
    "custom_fields": _CUSTOM_FIELDS,
    "description": params.text(1500),
    "footer": TEXT,
    "issuer": _SELF,
}
_PAYMENT = params.hash_of(
    {
        "capture_method": params.choice("automatic", "automatic_async", "manual"),
        "description": params.text(1000),
        "metadata": params.metadata,
        "receipt_email": TEXT,
        "setup_future_usage": params.choice("off_session", "on_session"),
        "shipping": SHIPPING,
        "statement_descriptor": params.text(22),
        "statement_descriptor_suffix": params.text(22),
        "transfer_group": TEXT,
    }
)
_SUBSCRIPTION = params.hash_of(
    {
        "billing_mode": params.hash_of(
            {
                "flexible": params.hash_of(
                    {"proration_discounts": params.choice("included", "itemized")}
                ),
                "type": params.choice("flexible"),
            },
            ("type",),
        ),
        "default_tax_rates": params.list_of(TEXT, 5),
        "description": params.text(500),
        "invoice_settings": params.hash_of(_ON_INVOICE),
        "metadata": params.metadata,
        "trial_end": params.integer(),
        "trial_period_days": params.integer(1, 730),
        "trial_settings": params.hash_of(
            {
                "end_behavior": params.hash_of(
                    {"missing_payment_method": params.choice("cancel", "create_invoice", "pause")},
                    ("missing_payment_method",),
                )
            },
            ("end_behavior",),
        ),
    }
)
_KINDS = params.list_of(params.choice(*payment_methods.KINDS))
_WHAT: params.Fields = {
    "allow_promotion_codes": params.boolean,
    "automatic_tax": params.hash_of({"enabled": params.boolean, "liability": _SELF}, ("enabled",)),
    "currency": params.currency,
    "discounts": discounts.SESSION_PARAMETER,
    "invoice_creation": params.hash_of(
        {
            "enabled": params.boolean,
            "invoice_data": params.hash_of(
                {
                    **_ON_INVOICE,
                    "metadata": params.metadata,
                    "rendering_options": params.hash_of(
                        {
                            "amount_tax_display": params.choice(
                                "exclude_tax", "include_inclusive_tax"
                            )
                        }
                    ),
                }
            ),
        },
        ("enabled",),
    ),
    "line_items": line_items.FIELDS,
    "mode": params.choice("payment", "setup", "subscription"),
    "payment_intent_data": _PAYMENT,
    "setup_intent_data": params.hash_of(
        {"description": params.text(1000), "metadata": params.metadata}
    ),
    "subscription_data": _SUBSCRIPTION,
}
_WHO: params.Fields = {
    "billing_address_collection": params.choice("auto", "required"),
    "client_reference_id": params.text(200),
    "consent_collection": params.hash_of(
        {
            "payment_method_reuse_agreement": params.hash_of(
                {"position": params.choice("auto", "hidden")}, ("position",)
            ),
            "promotions": params.choice("auto", "none"),
            "terms_of_service": params.choice("none", "required"),
        }
    ),
    "customer": TEXT,
    "customer_creation": params.choice("always", "if_required"),
    "customer_email": params.text(800),
    "customer_update": params.hash_of(dict.fromkeys(("address", "name", "shipping"), _UPDATES)),
    "phone_number_collection": params.hash_of({"enabled": params.boolean}, ("enabled",)),
    "tax_id_collection": params.hash_of(
        {"enabled": params.boolean, "required": params.choice("if_supported", "never")},
        ("enabled",),
    ),
}
FIELDS: params.Fields = {
    **_WHAT,
    **_WHO,
    "after_expiration": params.hash_of(
        {
            "recovery": params.hash_of(
                {"allow_promotion_codes": params.boolean, "enabled": params.boolean}, ("enabled",)
            )
        }
    ),
    "allowed_payment_method_types": _KINDS,
    "cancel_url": params.url,
    "custom_text": params.hash_of(
        dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"), _MESSAGE
        )
    ),
    "excluded_payment_method_types": params.list_of(TEXT),
    "expires_at": params.integer(),
    "locale": params.choice(*_LOCALES),
    "metadata": params.metadata,
    "payment_method_collection": params.choice("always", "if_required"),
    "saved_payment_method_options": params.hash_of(
        {
            "allow_redisplay_filters": params.list_of(
                params.choice("always", "limited", "unspecified"), 3
            ),
            "payment_method_remove": params.choice("disabled", "enabled"),
            "payment_method_save": params.choice("disabled", "enabled"),
        }
    ),
    "submit_type": params.choice("auto", "book", "donate", "pay", "subscribe"),
    "success_url": params.url,
    "ui_mode": params.choice("hosted_page"),
}
