"""Every flow of `stripe trigger`: which must pass, which cannot and why, which are not ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a flow cannot pass as it is: the parameter that must be refused, and what replaced it."""

    parameter: str
    why: str


@dataclass(frozen=True)
class Flow:
    """What is triggered, the event that must come of it, and what stands in the way.

    `instead` is what the CLI is told, so that the same flow passes without the parameter.
    """

    name: str
    event: str
    reason: Reason | None = None
    instead: tuple[str, ...] = ()


METHOD_TYPES = Reason(
    "payment_method_types",
    "endive finds payment methods by itself, and takes allowed_payment_method_types",
)
CUSTOMER_COUPON = Reason("coupon", "endive puts no coupon on a customer")
PROMOTED_COUPON = Reason("coupon", "endive takes promotion[type] and promotion[coupon]")
ITERATIONS = Reason("iterations", "endive takes the phase's duration")
NOT_SERVED = Reason("", "the sandbox does not serve a route or a parameter of it")

# Flows named after something that is not an event, or not the one that such requests lead to.
_EVENTS = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
    # It cancels a schedule that has not begun; `aborted` is documented for an unpaid subscription.
    "subscription_schedule.aborted": "subscription_schedule.canceled",
}

_PASS = """
    checkout.session.expired
    customer.created customer.deleted customer.updated
    payment_intent.canceled
    payment_method.attached payment_method.detached
    price.created price.updated
    product.created product.deleted product.updated
    test_helpers.test_clock.advancing test_helpers.test_clock.created
    test_helpers.test_clock.deleted test_helpers.test_clock.ready
""".split()

_NOT_SERVED = """
    billing_portal.configuration.created billing_portal.configuration.updated
    billing_portal.session.created
    charge.captured charge.dispute.closed charge.dispute.created charge.dispute.updated
    charge.refund.updated
    checkout.session.async_payment_failed checkout.session.async_payment_succeeded
    checkout.session.completed
    coupon.created coupon.deleted coupon.updated
    credit_note.created credit_note.updated credit_note.voided
    customer.discount.created customer.discount.deleted customer.discount.updated
    customer.source.created customer.source.updated
    customer.subscription.created customer.subscription.deleted customer.subscription.paused
    customer.subscription.trial_will_end customer.subscription.updated
    invoice.created invoice.deleted invoice.finalized invoice.marked_uncollectible invoice.paid
    invoice.payment_action_required invoice.payment_failed invoice.payment_succeeded
    invoice.sent invoice.updated invoice.voided
    invoiceitem.created invoiceitem.deleted
    payment_intent.amount_capturable_updated payment_intent.partially_funded
    payment_intent.processing payment_intent.requires_action
    payment_method.updated
    promotion_code.created promotion_code.updated
    setup_intent.canceled setup_intent.created setup_intent.requires_action
    setup_intent.setup_failed setup_intent.succeeded
    subscription.payment_failed subscription.payment_succeeded
    subscription_schedule.aborted subscription_schedule.canceled subscription_schedule.completed
    subscription_schedule.created subscription_schedule.expiring subscription_schedule.released
    subscription_schedule.updated
    tax_rate.created tax_rate.updated
""".split()

_WITHOUT_METHOD_TYPES = {
    "payment_intent": """
        charge.failed charge.refunded charge.succeeded
        payment_intent.created payment_intent.payment_failed payment_intent.succeeded
    """.split(),
}

# The families that the contract page does not name.
OUTSIDE = {
    "account.": "Connect accounts",
    "balance.": "available balance",
    "cash_balance.": "cash balances",
    "customer_cash_balance_transaction.": "cash balances",
    "identity.": "Identity",
    "issuing_": "Issuing",
    "payment_link.": "Payment Links",
    "payout.": "payouts",
    "plan.": "plans, which prices replaced",
    "quote.": "quotes",
    "reporting.": "reports",
    "topup.": "top-ups",
    "transfer.": "transfers",
    "v1.billing.meter.": "meters, which the CLI sends to another host",
}


def is_outside(name: str) -> bool:
    """True for a flow of a family that the contract page does not name: it is not run."""
    return name.startswith(tuple(OUTSIDE))


def _flows(names: Iterable[str], reason: Reason | None = None, *instead: str) -> list[Flow]:
    return [Flow(name, _EVENTS.get(name, name), reason, instead) for name in names]


FLOWS = (
    *_flows(_PASS),
    *_flows(_NOT_SERVED, NOT_SERVED),
    *(
        flow
        for step, names in _WITHOUT_METHOD_TYPES.items()
        for flow in _flows(names, METHOD_TYPES, "--remove", f"{step}:payment_method_types")
    ),
)
