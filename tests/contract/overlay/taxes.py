"""Tax rates, tax ids and tax calculations: what endive says otherwise."""

from __future__ import annotations

from tests.contract.overlay.change import NEW, PLAIN_ID, Change, added, retyped, values

_TAX_IDS = (
    "au_acn",
    "au_wpn",
    "bw_vat",
    "ci_vat",
    "cz_dic",
    "fr_siren",
    "fr_siret",
    "fr_spi",
    "gh_tin",
    "is_kt",
    "md_cf",
    "mu_vat",
    "mz_nuit",
    "nz_bn",
    "pt_nif",
    "sm_coe",
    "tt_bir",
    "tt_vat",
)
_TAXES = (
    "admissions_tax",
    "attendance_tax",
    "digital_excise_tax",
    "entertainment_tax",
    "get_fund",
    "gross_receipts_tax",
    "hospitality_tax",
    "luxury_tax",
    "nhil",
    "resort_tax",
    "tourism_tax",
    "utility_users_tax",
)

CHANGES: tuple[Change, ...] = (
    values("invoices_resource_invoice_tax_id", "type", *_TAX_IDS),
    values("tax_rate", "tax_type", *_TAXES),
    values("tax_id", "type", *_TAX_IDS),
    values("tax_product_resource_customer_details_resource_tax_id", "type", *_TAX_IDS),
    values("tax_product_resource_line_item_tax_breakdown", "sourcing", "performance"),
    values("tax_product_resource_line_item_tax_rate_details", "tax_type", "recycling_fee", *_TAXES),
    values("tax_product_resource_tax_rate_details", "tax_type", "recycling_fee", *_TAXES),
    added("tax.calculation_line_item", "performance_location?", NEW, "text"),
    values("payment_pages_checkout_session_tax_id", "type", *_TAX_IDS),
    retyped("billing_bill_resource_invoicing_taxes_tax_rate_details", "tax_rate", PLAIN_ID, "text"),
    added("tax_code", "requirements?", NEW, {"performance_location": "=optional|required"}),
    added(
        "tax_product_resource_tax_transaction_shipping_cost",
        "tax_breakdown?",
        NEW,
        ["@tax_product_resource_line_item_tax_breakdown"],
    ),
)
