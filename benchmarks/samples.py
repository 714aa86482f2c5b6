"""Events as Stripe sends them, for load: the shape and size of real ones, with ids of their own."""

from __future__ import annotations

import time
from typing import Any

API_VERSION = "2025-09-30.clover"


# All of a session that does not differ from one to the next.
_SESSION: dict[str, Any] = {
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "allow_promotion_codes": None,
    "amount_subtotal": 4450,
    "amount_total": 4450,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "cancel_url": "http://localhost:8501/cancel",
    "client_reference_id": "3f0f1a53-59fa-4f5c-9d1c-54a05af1b7a2",
    "client_secret": None,
    "collected_information": {"shipping_details": None},
    "consent": None,
    "consent_collection": None,
    "currency": "usd",
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer_creation": None,
    "customer_details": {
        "address": {"city": None, "country": "US", "line1": None, "postal_code": "94107"},
        "email": "ada@example.com",
        "name": "Ada Example",
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    },
    "customer_email": None,
    "discounts": [],
    "invoice": None,
    "invoice_creation": {
        "enabled": False,
        "invoice_data": {"custom_fields": None, "footer": None, "metadata": {}},
    },
    "livemode": False,
    "locale": None,
    "metadata": {"item": "pack:50", "request_id": "9c1b6a52-40a0-4b70-b2c5-2a3a7e6ba1a1"},
    "mode": "payment",
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card", "us_bank_account"],
    "payment_status": "paid",
    "phone_number_collection": {"enabled": False},
    "shipping_cost": None,
    "status": "complete",
    "submit_type": None,
    "subscription": None,
    "success_url": "http://localhost:8501/success?session_id={CHECKOUT_SESSION_ID}",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted",
    "url": None,
}


def checkout_completed(number: int) -> dict[str, Any]:
    """A paid checkout that nobody else has."""
    return _event(number, "checkout.session.completed", _checkout_session(number))


def product_updated(number: int) -> dict[str, Any]:
    """An event that asks for nothing to be done."""
    product = {
        "id": f"prod_bench{number:08d}",
        "object": "product",
        "name": "Bench",
        "active": True,
    }
    return _event(number, "product.updated", product)


def _event(number: int, kind: str, subject: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"evt_bench{number:016d}",
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def _checkout_session(number: int) -> dict[str, Any]:
    now = int(time.time())
    return _SESSION | {
        "id": f"cs_test_bench{number:056d}",
        "created": now,
        "customer": f"cus_bench{number:010d}",
        "expires_at": now + 86_400,
        "payment_intent": f"pi_bench{number:018d}",
    }
