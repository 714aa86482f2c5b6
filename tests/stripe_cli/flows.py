"""Every flow of `stripe trigger`: which must pass, which cannot and why, which are not ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a flow cannot pass as it is, and the parameters of which one must be refused.

    Without parameters nothing need be refused: the event must just not come.
    """

    why: str
    parameters: tuple[str, ...] = ()


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
    "endive finds payment methods by itself, or takes allowed_payment_method_types",
    ("payment_method_types",),
)
# Not held to a parameter: the CLI's order changes, and several of its parameters are refused.
CASH_BALANCE = Reason(
    "it sends payment_method_types, and is paid from a cash balance, which is of another family"
)
CUSTOMER_COUPON = Reason("endive puts no coupon on a customer", ("coupon",))
PROMOTED_COUPON = Reason("endive takes promotion[type] and promotion[coupon]", ("coupon",))
ITERATIONS = Reason("endive takes the duration of a phase", ("iterations",))
TOO_EARLY = Reason(
    "it stops its clock nine days before the end, and the event is documented for seven; its "
    "customer has no card, so the subscription ends unpaid before that"
)

# Flows named after something that is not an event, or not the one that such requests lead to.
_EVENTS = {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
    # It cancels a schedule that has not begun; `aborted` is documented for an unpaid subscription.
    "subscription_schedule.aborted": "subscription_schedule.canceled",
}

_PASS = """
    billing_portal.configuration.created billing_portal.configuration.updated
    billing_portal.session.created
    checkout.session.completed checkout.session.expired
    coupon.created coupon.deleted coupon.updated
    credit_note.created credit_note.updated credit_note.voided
    customer.created customer.deleted customer.updated
    customer.source.created customer.source.updated
    customer.subscription.created customer.subscription.deleted customer.subscription.paused
    customer.subscription.trial_will_end customer.subscription.updated
    invoice.created invoice.deleted invoice.finalized invoice.marked_uncollectible invoice.paid
    invoice.payment_action_required invoice.payment_failed invoice.payment_succeeded
    invoice.sent invoice.updated invoice.voided
    invoiceitem.created invoiceitem.deleted
    payment_intent.canceled
    payment_method.attached payment_method.detached payment_method.updated
    price.created price.updated
    product.created product.deleted product.updated
    setup_intent.requires_action
    subscription.payment_failed subscription.payment_succeeded
    subscription_schedule.aborted
    tax_rate.created tax_rate.updated
    test_helpers.test_clock.advancing test_helpers.test_clock.created
    test_helpers.test_clock.deleted test_helpers.test_clock.ready
""".split()

# Sends payment_method_types in this step, and passes without.
_WITHOUT_METHOD_TYPES = {
    "checkout_session": """
        checkout.session.async_payment_failed checkout.session.async_payment_succeeded
    """.split(),
    "payment_intent": """
        charge.captured charge.dispute.closed charge.dispute.created charge.dispute.updated
        charge.failed charge.refund.updated charge.refunded charge.succeeded
        payment_intent.amount_capturable_updated payment_intent.created
        payment_intent.payment_failed payment_intent.processing payment_intent.requires_action
        payment_intent.succeeded
    """.split(),
    "setup_intent": """
        setup_intent.canceled setup_intent.created setup_intent.setup_failed
        setup_intent.succeeded
    """.split(),
}
_FUNDED = ["payment_intent.partially_funded"]

_CUSTOMER_COUPONS = """
    customer.discount.created customer.discount.deleted customer.discount.updated
""".split()

_PROMOTED = ["promotion_code.created", "promotion_code.updated"]
_PROMOTE = (
    *("--remove", "promotion_code:coupon"),
    *("--add", "promotion_code:promotion[type]=coupon"),
    *("--add", "promotion_code:promotion[coupon]=${coupon:id}"),
)

_PHASED = """
    subscription_schedule.canceled subscription_schedule.created subscription_schedule.released
    subscription_schedule.updated
""".split()
_PHASE = (
    *("--remove", "subscription_schedule:phases"),
    *("--add", "subscription_schedule:phases[0][duration][interval]=month"),
    *("--add", "subscription_schedule:phases[0][items][0][price]=${price:id}"),
)

_CARD = (
    *("--add", "customer:payment_method=pm_card_visa"),
    *("--add", "customer:invoice_settings[default_payment_method]=pm_card_visa"),
)
_SIX_DAYS_BEFORE = ("--override", "advance_test_clock:frozen_time=1579737600")

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
    *(
        flow
        for step, names in _WITHOUT_METHOD_TYPES.items()
        for flow in _flows(names, METHOD_TYPES, "--remove", f"{step}:payment_method_types")
    ),
    *_flows(_FUNDED, CASH_BALANCE),
    *_flows(_CUSTOMER_COUPONS, CUSTOMER_COUPON),
    *_flows(_PROMOTED, PROMOTED_COUPON, *_PROMOTE),
    *_flows(_PHASED, ITERATIONS, *_PHASE),
    # The phase lasts until the clock's last moment, and its customer has no card either.
    *_flows(["subscription_schedule.completed"], ITERATIONS, *_PHASE, *_CARD),
    *_flows(["subscription_schedule.expiring"], TOO_EARLY, *_CARD, *_SIX_DAYS_BEFORE),
)
