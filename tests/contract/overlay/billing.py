"""Subscriptions, schedules, invoices, products and prices: what endive says otherwise."""

from __future__ import annotations

from tests.contract.overlay.change import KEPT, NEW, Change, added, optional, values

COMPANY = {
    "registered_address?": dict.fromkeys(
        ("city?", "country?", "line1?", "line2?", "postal_code?", "state?"), "text"
    ),
    "registered_name?": "text",
    "registration_number?": "text",
    "registration_type?": "=ch_ein|de_hrb|dk_cvr|es_cif|fi_tunnus|fr_siren|fr_siret|it_rea"
    "|nl_kvk|no_org_number|no_pno|se_org_number|se_pno|uk_crn",
    "vat?": "text",
}
_FAILED = {"code?": "text", "message": "text"}
_PAUSED_BECAUSE = (
    "=final_payment_failure|first_payment_failure|pause_requested|system"
    "|trial_end_without_payment_method"
)
_UNCOLLECTIBLE_BECAUSE = (
    "=max_payment_attempts|payment_not_received|subscription_canceled|subscription_paused"
    "|user_forgiven"
)

CHANGES: tuple[Change, ...] = (
    added(
        "subscription",
        "status_details?",
        NEW,
        {
            "paused": {
                "subscription": {"type": _PAUSED_BECAUSE},
                "transitioned_at": "whole",
                "type": "=subscription",
            }
        },
    ),
    added(
        "subscriptions_resource_payment_method_options",
        "blik?",
        NEW,
        {"mandate_options?": {"expires_at?": "whole"}},
    ),
    added("subscription_payment_method_options_billie", "company_details?", NEW, COMPANY),
    values("subscriptions_resource_payment_settings", "payment_method_types", "blik", "sequra"),
    added("subscriptions_resource_pending_update", "cancel_at_period_end?", NEW, "flag"),
    added(
        "subscriptions_resource_trial_settings_end_behavior",
        "billing_cycle_anchor?",
        NEW,
        "=now|unchanged",
    ),
    added(
        "subscription_item",
        "current_trial?",
        NEW,
        {"end_date": "whole", "start_date": "whole", "trial_offer": "text"},
    ),
    added("subscription_item", "plan", KEPT, "@plan"),
    added(
        "invoice", "status_details?", NEW, {"uncollectible?": {"reason?": _UNCOLLECTIBLE_BECAUSE}}
    ),
    added("invoices_payment_method_options", "blik?", NEW, {}),
    added("invoice_payment_method_options_billie", "company_details?", NEW, COMPANY),
    added("invoice_payment_method_options_billie", "reference?", NEW, "text"),
    values("invoices_payment_settings", "payment_method_types", "blik", "sequra"),
    added(
        "invoiceitem", "invoicing_rules?", NEW, [{"type": "=defer_until_credited_items_resolved"}]
    ),
    added(
        "subscription_schedule",
        "pause_schedules",
        NEW,
        [
            {
                "key": "text",
                "pause": {
                    "pause_at": "whole",
                    "settings?": {
                        "bill_for": {
                            "outstanding_usage_through": {"type": "=none|pause_at"},
                            "unused_time_from": {
                                "type": "=item_current_period_start|none|pause_at"
                            },
                        },
                        "invoicing_behavior": "=invoice|pending_invoice_item",
                        "type": "=subscription",
                    },
                    "status": {"error?": _FAILED, "type": "=error|scheduled|succeeded"},
                },
                "resume?": {
                    "resume_at": "whole",
                    "settings": {
                        "billing_cycle_anchor": "=resume_at|unchanged",
                        "payment_behavior": "=resume_on_payment_attempt|resume_on_payment_success",
                        "proration_behavior": "=always_invoice|create_prorations|none",
                    },
                    "status": {
                        "error?": _FAILED,
                        "type": "=error|pending|requires_action|scheduled|succeeded",
                    },
                },
            }
        ],
    ),
    added("subscription_schedule_configuration_item", "plan", KEPT, "@id|plan"),
    added("product", "tax_details?", NEW, {"performance_location?": "text", "tax_code?": "text"}),
    added("product", "type", KEPT, "=good|service"),
    added("recurring", "trial_period_days?", KEPT, "whole"),
    *optional("invoice", "amount_paid_off_stripe", "auto_advance", "customer"),
)
