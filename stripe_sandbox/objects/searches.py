"""Which kinds of objects can be searched, and by which of their fields."""

from stripe_sandbox.api.search import NUMBER, SWITCH, TEXT, route

_CARD = "payment_method_details.card"
ROUTES = (
    route(
        "charge",
        "/v1/charges",
        {
            "amount": NUMBER,
            "billing_details.address.postal_code": TEXT,
            "created": NUMBER,
            "currency": TEXT,
            "customer": TEXT,
            "disputed": SWITCH,
            **dict.fromkeys(
                (f"{_CARD}.{name}" for name in ("brand", "fingerprint", "last4")), TEXT
            ),
            **dict.fromkeys((f"{_CARD}.exp_{name}" for name in ("month", "year")), NUMBER),
            "refunded": SWITCH,
            "status": TEXT,
        },
    ),
    route(
        "customer",
        "/v1/customers",
        {"created": NUMBER, "email": TEXT, "name": TEXT, "phone": TEXT},
    ),
    route(
        "invoice",
        "/v1/invoices",
        {
            "created": NUMBER,
            "currency": TEXT,
            "customer": TEXT,
            "number": TEXT,
            "receipt_number": TEXT,
            "status": TEXT,
            "total": NUMBER,
        },
    ),
    route(
        "payment_intent",
        "/v1/payment_intents",
        {
            "amount": NUMBER,
            "created": NUMBER,
            "currency": TEXT,
            "customer": TEXT,
            "status": TEXT,
        },
    ),
    route(
        "price",
        "/v1/prices",
        {
            "active": SWITCH,
            "currency": TEXT,
            "lookup_key": TEXT,
            "product": TEXT,
            "type": TEXT,
        },
    ),
    route(
        "product",
        "/v1/products",
        {
            "active": SWITCH,
            "description": TEXT,
            "name": TEXT,
            "shippable": SWITCH,
            "url": TEXT,
        },
    ),
    route(
        "subscription",
        "/v1/subscriptions",
        {"canceled_at": NUMBER, "created": NUMBER, "status": TEXT},
    ),
)
