"""Events in the shapes that endpoints of older API versions still send, about given objects.

Written from Stripe's changelog: what moved or went by 2025-03 stands where it stood then.
"""

from __future__ import annotations

import uuid

from tests.support.sandbox import Event

_MONTH = 2_678_400
_BEGAN = 1_583_000_000
_PLAN = {
    "id": "price_of_then",
    "object": "plan",
    "active": True,
    "amount": 1999,
    "currency": "usd",
    "interval": "month",
    "interval_count": 1,
    "nickname": None,
    "product": "prod_of_then",
}


def checkout_completed(*, session: str, customer: str, subscription: str) -> Event:
    """checkout.session.completed of 2019-12-03: display_items, and no status or amounts yet."""
    return _event(
        "checkout.session.completed",
        "2019-12-03",
        {
            "id": session,
            "object": "checkout.session",
            "billing_address_collection": None,
            "cancel_url": "http://localhost/cancel",
            "client_reference_id": None,
            "customer": customer,
            "customer_email": None,
            "display_items": [{"amount": 1999, "currency": "usd", "plan": _PLAN, "quantity": 1}],
            "livemode": False,
            "locale": None,
            "mode": "subscription",
            "payment_intent": None,
            "payment_method_types": ["card"],
            "setup_intent": None,
            "submit_type": None,
            "subscription": subscription,
            "success_url": "http://localhost/success",
        },
    )


def subscription_updated(*, customer: str, subscription: str) -> Event:
    """customer.subscription.updated of 2020-03-02: one plan and one period for the whole."""
    period = {"current_period_start": _BEGAN, "current_period_end": _BEGAN + _MONTH}
    return _event(
        "customer.subscription.updated",
        "2020-03-02",
        {
            "id": subscription,
            "object": "subscription",
            "application_fee_percent": None,
            "billing_cycle_anchor": _BEGAN,
            "cancel_at_period_end": False,
            "collection_method": "charge_automatically",
            "created": _BEGAN,
            **period,
            "customer": customer,
            "default_tax_rates": [],
            "discount": None,
            "items": {"object": "list", "data": [], "has_more": False, "total_count": 0},
            "plan": _PLAN,
            "quantity": 1,
            "start_date": _BEGAN,
            "status": "active",
            "tax_percent": None,
        },
        previous={"status": "past_due", **period},
    )


def invoice_paid(*, invoice: str, customer: str, subscription: str) -> Event:
    """invoice.payment_succeeded of 2022-11-15: subscription, payment and tax on the invoice."""
    return _event(
        "invoice.payment_succeeded",
        "2022-11-15",
        {
            "id": invoice,
            "object": "invoice",
            "amount_due": 1999,
            "amount_paid": 1999,
            "billing_reason": "subscription_create",
            "charge": "ch_of_then",
            "created": _BEGAN,
            "currency": "usd",
            "customer": customer,
            "default_source": None,
            "discount": None,
            "lines": {"object": "list", "data": [_line(subscription)], "has_more": False},
            "paid": True,
            "paid_out_of_band": False,
            "payment_intent": "pi_of_then",
            "status": "paid",
            "status_transitions": {"paid_at": _BEGAN},
            "subscription": subscription,
            "tax": None,
            "total": 1999,
            "total_tax_amounts": [],
            "transfer_data": None,
        },
    )


def _line(subscription: str) -> dict[str, object]:
    return {
        "id": "il_of_then",
        "object": "line_item",
        "amount": 1999,
        "amount_excluding_tax": 1999,
        "currency": "usd",
        "period": {"start": _BEGAN, "end": _BEGAN + _MONTH},
        "plan": _PLAN,
        "price": {**_PLAN, "object": "price", "unit_amount": 1999},
        "proration": False,
        "proration_details": {"credited_items": None},
        "quantity": 1,
        "subscription": subscription,
        "subscription_item": "si_of_then",
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription",
    }


def _event(
    kind: str,
    version: str,
    subject: dict[str, object],
    *,
    previous: dict[str, object] | None = None,
) -> Event:
    shown = {"object": subject} | ({"previous_attributes": previous} if previous else {})
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": version,
        "created": _BEGAN,
        "data": shown,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
