"""Which events we ask Stripe for, why, and who handles each."""

from __future__ import annotations

from talkingphoto.events import (
    cards,
    checkout,
    disputes,
    invoices,
    payments,
    refunds,
    subscriptions,
    warnings,
)
from talkingphoto.events.handling import CARD_USED, Handler, Known

HANDLERS: dict[str, Handler] = {
    # A pack was paid, or a plan begun; unpaid ones wait for the two events below.
    "checkout.session.completed": checkout.handle,
    "checkout.session.async_payment_succeeded": checkout.handle,
    "checkout.session.async_payment_failed": checkout.handle,
    "checkout.session.expired": checkout.handle,
    # One payment arrives as several of these; each leads to the same business fact.
    "payment_intent.succeeded": payments.handle,
    "payment_intent.payment_failed": payments.handle_failure,
    "invoice.paid": invoices.handle,
    "invoice.payment_succeeded": invoices.handle,
    "invoice.payment_failed": invoices.handle,
    # The bank wants the customer; or nobody is asked any more.
    "invoice.payment_action_required": invoices.handle,
    "invoice.voided": invoices.handle,
    "invoice.marked_uncollectible": invoices.handle,
    "customer.subscription.created": subscriptions.handle,
    "customer.subscription.updated": subscriptions.handle,
    "customer.subscription.deleted": subscriptions.handle,
    # A change that waited for its payment was made, or has lapsed.
    "customer.subscription.pending_update_applied": subscriptions.handle,
    "customer.subscription.pending_update_expired": subscriptions.handle,
    # Money went back, by us or by somebody in Stripe's dashboard, or could not.
    "charge.refunded": refunds.handle_charge,
    "refund.created": refunds.handle,
    "refund.updated": refunds.handle,
    "refund.failed": refunds.handle,
    # The payer's bank took the money back for now, or has decided; each tells of one dispute.
    "charge.dispute.created": disputes.handle,
    "charge.dispute.updated": disputes.handle,
    "charge.dispute.closed": disputes.handle,
    "charge.dispute.funds_withdrawn": disputes.handle,
    "charge.dispute.funds_reinstated": disputes.handle,
    "radar.early_fraud_warning.created": warnings.handle,
    # Which card has paid, once there are cards that a bank has warned of.
    CARD_USED: warnings.handle_charge,
    "customer.subscription.paused": subscriptions.handle,
    "customer.subscription.resumed": subscriptions.handle,
    "customer.subscription.trial_will_end": subscriptions.handle,
    # Which card may be charged for an automatic top-up.
    "customer.updated": cards.handle,
    "payment_method.attached": cards.handle,
    "payment_method.detached": cards.handle,
}

# Four events tell of one paid invoice, and the way back from a checkout tells before any of them.
# What is paid stays paid, and was written down together with all that it brought: the first news of
# it looks at Stripe, the others find that out here.
KNOWN: dict[str, Known] = {
    "checkout.session.completed": checkout.is_known,
    "checkout.session.async_payment_succeeded": checkout.is_known,
    "payment_intent.succeeded": payments.is_known,
    "invoice.paid": invoices.is_known,
    "invoice.payment_succeeded": invoices.is_known,
}
