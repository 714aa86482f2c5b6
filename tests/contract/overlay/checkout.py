"""Checkout and the customer portal: what endive says otherwise."""

from __future__ import annotations

from tests.contract.overlay.change import NEW, Change, added, values

CHANGES: tuple[Change, ...] = (
    added(
        "portal_features",
        "subscription_pause",
        NEW,
        {
            "duration": {
                "interval_options": [
                    {"interval": "=day|month|week|year", "interval_count": "whole"}
                ],
                "type": "=indefinite|interval_options",
            },
            "enabled": "flag",
        },
    ),
    added(
        "billing_portal.session",
        "after_expiration?",
        NEW,
        {"customer_login?": {"expires_at?": "whole"}, "type": "=customer_login"},
    ),
    added("portal_flows_flow", "subscription_pause?", NEW, {"subscription": "text"}),
    values("portal_flows_flow", "type", "subscription_pause"),
    added("checkout.session", "allowed_payment_method_types?", NEW, ["text"]),
    values("checkout.session", "locale", "hi-IN"),
    added(
        "checkout_session_payment_method_options", "sequra?", NEW, {"capture_method?": "=manual"}
    ),
    values("checkout_bancontact_payment_method_options", "setup_future_usage", "off_session"),
    values("checkout.session", "ui_mode", "form"),
)
