"""What is served: every route, and the fields that come only when a caller asks for them."""

from stripe_sandbox.api import expand
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import (
    changing,
    ending,
    invoicing,
    itemizing,
    previewing,
    subscribing,
)
from stripe_sandbox.objects import (
    balance,
    charges,
    coupons,
    customer_balance,
    customer_tax,
    customers,
    discounts,
    events,
    invoice_payments,
    invoices,
    line_items,
    payment_intents,
    payment_methods,
    prices,
    products,
    promotion_codes,
    refunds,
    sessions,
    subscription_items,
    subscriptions,
    tax_codes,
    tax_ids,
    tax_rates,
    tax_settings,
    test_clocks,
    webhook_endpoints,
)

ROUTES: tuple[Route, ...] = tuple(
    route
    for module in (
        balance,
        changing,
        charges,
        coupons,
        customer_balance,
        customers,
        discounts,
        ending,
        events,
        invoice_payments,
        invoices,
        invoicing,
        itemizing,
        payment_intents,
        payment_methods,
        previewing,
        prices,
        products,
        promotion_codes,
        refunds,
        sessions,
        subscribing,
        subscription_items,
        subscriptions,
        tax_codes,
        tax_ids,
        tax_rates,
        tax_settings,
        test_clocks,
        webhook_endpoints,
    )
    for route in module.ROUTES
)
INCLUDED: expand.Included = {
    ("charge", "refunds"): charges.refunds_of,
    ("checkout.session", "line_items"): line_items.page_of,
    ("coupon", "applies_to"): coupons.products_of,
    ("coupon", "currency_options"): coupons.options_of,
    ("customer", "subscriptions"): customers.subscriptions_of,
    ("customer", "tax"): customer_tax.of_customer,
    ("customer", "tax_ids"): tax_ids.included,
    ("invoice", "confirmation_secret"): invoices.confirmation_of,
    ("invoice", "payments"): invoices.payments_of,
    ("price", "currency_options"): prices.options_of,
}
