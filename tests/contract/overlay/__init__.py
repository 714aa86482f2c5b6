"""What API 2026-10-28.endive has that the description of 2026-08-26.dahlia does not say.

Every difference was found by holding the description against the classes of SDK 16.1.0
(``tests/contract/drift.py``), which is also what shows that none is missing here. No field of the
description is gone or renamed in endive; what older versions had is in
``tests/contract/removed.py``.
"""

from __future__ import annotations

from tests.contract.overlay import billing, checkout, payments, taxes
from tests.contract.overlay.change import Change, Stale, apply

CHANGES: tuple[Change, ...] = (
    *billing.CHANGES,
    *checkout.CHANGES,
    *payments.CHANGES,
    *taxes.CHANGES,
)

# Routes the description does not list: what each answers with, and how we know.
ROUTES = {
    "POST /v1/subscriptions/<id>/pause": (
        "subscription",
        "a method of the SDK's SubscriptionService, new since 2026-08-26",
    ),
    "GET /v1/payment_pages/<id>": (
        "checkout.session",
        "what Stripe's own command line tool calls; no description lists it",
    ),
    "POST /v1/payment_pages/<id>/confirm": (
        "checkout.session",
        "what Stripe's own command line tool calls; no description lists it",
    ),
}

__all__ = ["CHANGES", "ROUTES", "Change", "Stale", "apply"]
