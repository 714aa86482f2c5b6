"""Payments, cards, refunds and disputes: what endive says otherwise."""

from __future__ import annotations

from tests.contract.overlay.billing import COMPANY
from tests.contract.overlay.change import (
    EXPANDS,
    KEPT,
    NEW,
    Change,
    added,
    required,
    retyped,
    values,
)

_INACTIVE_BECAUSE = (
    "=canceled|card_not_supported|currency_not_supported|expired|issuer_not_supported"
    "|processing_error|undetermined"
)
_REFERENCE = {"reference?": "text", "reference_status?": "text"}
_USAGE = "=installment|recurring|unscheduled"
_BLIK = {"expires_at?": "whole", "type?": "=off_session"}

CHANGES: tuple[Change, ...] = (
    values("setup_intent", "allowed_payment_method_types", "card_present", "interac_present"),
    values("setup_intent", "excluded_payment_method_types", "paypay", "sequra"),
    added(
        "setup_intent_payment_method_options",
        "blik?",
        NEW,
        {"mandate_options?": {"expires_at?": "whole", "type?": "=off_session"}},
    ),
    added("payment_intent", "payment_record?", NEW, "@id|payment_record"),
    added("payment_intent", "source?", KEPT, "@id|account|bank_account|card|source"),
    values("payment_intent", "allowed_payment_method_types", "card_present", "interac_present"),
    values("payment_intent", "excluded_payment_method_types", "paypay", "sequra"),
    added(
        "payment_intent_next_action_swish_handle_redirect_or_display_qr_code",
        "mobile_auth_url",
        NEW,
        "text",
    ),
    added("payment_intent_next_action_swish_qr_code", "expires_at", NEW, "whole"),
    added("payment_intent_payment_method_options", "paypay?", NEW, {}),
    added(
        "payment_intent_payment_method_options",
        "sequra?",
        NEW,
        {"capture_method?": "=manual", "setup_future_usage?": "=none"},
    ),
    added("charge", "authorization_code?", KEPT, "text"),
    added(
        "charge",
        "level3?",
        KEPT,
        {
            "customer_reference?": "text",
            "line_items": [
                {
                    "discount_amount?": "whole",
                    "product_code": "text",
                    "product_description": "text",
                    "quantity?": "whole",
                    "tax_amount?": "whole",
                    "unit_cost?": "whole",
                }
            ],
            "merchant_reference": "text",
            "shipping_address_zip?": "text",
            "shipping_amount?": "whole",
            "shipping_from_zip?": "text",
        },
    ),
    added("charge", "source?", KEPT, "@account|bank_account|card|source"),
    added("payment_method_details", "paypay?", NEW, {}),
    added(
        "payment_method_details",
        "sepa_credit_transfer?",
        NEW,
        {"bank_name?": "text", "bic?": "text", "iban?": "text"},
    ),
    added("payment_method_details", "sequra?", NEW, {"transaction_id?": "text"}),
    added("payment_method_details_card", "description?", KEPT, "text"),
    added("payment_method_details_card", "electronic_commerce_indicator?", KEPT, "text"),
    added("payment_method_details_card", "iin?", KEPT, "text"),
    added("payment_method_details_card", "issuer?", KEPT, "text"),
    added("payment_method_details_card", "moto?", KEPT, "flag"),
    added(
        "payment_method_details_card",
        "setup_credential_usage?",
        NEW,
        _USAGE,
    ),
    added(
        "payment_method_details_card",
        "stored_credential_usage?",
        NEW,
        _USAGE,
    ),
    added("payment_method_details_card_present", "iin?", KEPT, "text"),
    values("payment_method_details_crypto", "token_currency", "ousd"),
    added("payment_method_details_fpx", "account_holder_type?", NEW, "=company|individual"),
    added("payment_method_details_interac_present", "iin?", KEPT, "text"),
    retyped("refund_destination_details", "afterpay_clearpay?", NEW, _REFERENCE),
    retyped("refund_destination_details", "klarna?", NEW, _REFERENCE),
    added("refund_destination_details_paypal", "reference?", NEW, "text"),
    added("refund_destination_details_paypal", "reference_status?", NEW, "text"),
    added(
        "dispute",
        "intended_submission_method?",
        NEW,
        "=manual|prefer_manual|prefer_smart_disputes|smart_disputes",
    ),
    added("dispute", "network_reason_code?", KEPT, "text"),
    added(
        "dispute_evidence",
        "appeal?",
        NEW,
        {"card?": {"reason_for_filing?": "text", "supporting_files?": ["text"]}},
    ),
    added(
        "dispute_evidence_details", "submission_method", NEW, "=manual|not_submitted|smart_disputes"
    ),
    values("dispute", "status", "appeal_needs_response", "appeal_under_review"),
    added(
        "mandate_payment_method_details",
        "blik?",
        NEW,
        {"expires_at?": "whole", "type": "=off_session"},
    ),
    added(
        "card_mandate_payment_method_details",
        "india?",
        NEW,
        {"inactive_reason?": _INACTIVE_BECAUSE},
    ),
    added("payment_method", "paypay?", NEW, {}),
    added("payment_method", "sequra?", NEW, {}),
    added("payment_method_card", "description?", KEPT, "text"),
    added("payment_method_card", "iin?", KEPT, "text"),
    added("payment_method_card", "issuer?", KEPT, "text"),
    added("payment_method_card_present", "iin?", KEPT, "text"),
    added("payment_method_fpx", "account_holder_type?", NEW, "=company|individual"),
    added("payment_method_interac_present", "iin?", KEPT, "text"),
    added("payment_method_link", "persistent_token?", NEW, "text"),
    values("payment_method", "type", "paypay", "sequra"),
    values(
        "balance_transaction",
        "type",
        "issuing_dispute_provisional_credit",
        "issuing_dispute_provisional_credit_reversal",
    ),
    *required(
        "payment_intent",
        "amount",
        "amount_capturable",
        "amount_received",
        "capture_method",
        "confirmation_method",
        "currency",
        "metadata",
        "payment_method_types",
    ),
    retyped("payment_method_details_card", "mandate?", EXPANDS, "@id|mandate"),
    added("payment_method_options_billie", "company_details?", NEW, COMPANY),
    added("payment_method_options_billie", "reference?", NEW, "text"),
    added("payment_intent_payment_method_options_blik", "mandate_options?", NEW, _BLIK),
    values("payment_intent_payment_method_options_blik", "setup_future_usage", "off_session"),
    added("payment_intent_payment_method_options_card", "setup_credential_usage?", NEW, _USAGE),
    added("payment_intent_payment_method_options_card", "stored_credential_usage?", NEW, _USAGE),
    added("payment_intent_payment_method_options_link", "persistent_token?", NEW, "text"),
    added("setup_intent_payment_method_options_card", "setup_credential_usage?", NEW, _USAGE),
    added("setup_intent_payment_method_options_link", "persistent_token?", NEW, "text"),
    added("card", "description?", KEPT, "text"),
    added("card", "iin?", KEPT, "text"),
    added("card", "issuer?", KEPT, "text"),
)
