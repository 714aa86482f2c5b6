"""A refund is made: asked for with its credits claimed, made at Stripe, and its outcome written.

A crash anywhere is repaired by carrying it out again."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails
from talkingphoto.billing import customers, payments, refunds, subscriptions, unused
from talkingphoto.events import refunds as refund_events
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.integrations.stripe_refunds import RefundOrder
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
# EU law: so long a customer may withdraw from what they have not used.
WITHDRAWAL = timedelta(days=14)
REFUSED = (
    "refund.refused",
    "Our payment partner refused this refund. No money moved and the videos are back.",
)
_REFUSED_AFTER = (
    "refund.refused_plan_ended",
    "Our payment partner refused this refund. No money moved and the videos are back, but your plan"
    " has ended. We have been told and will put it right.",
)


def why_not(
    session: Session, payment: payments.Payment, *, now: datetime
) -> tuple[str, str] | None:
    """Why the customer cannot withdraw from that payment now; None when they can."""
    refusal = refunds.refused(session, payment)
    if refusal is not None:
        return refusal
    if now >= until(payment):
        return (
            "refund.too_late",
            "The 14 days are over. Write to us if something went wrong; we will look at it.",
        )
    if unused.of_payment(session, payment_id=payment.id, now=now).refundable.minor == 0:
        return "refund.nothing_unused", "No video of this payment is left to return."
    return None


def until(payment: payments.Payment) -> datetime:
    """When the right to withdraw from that payment ends."""
    return (payment.paid_at or payment.created_at) + WITHDRAWAL


def ends_plan(session: Session, payment: payments.Payment) -> bool:
    """Whether a plan is over for whoever withdraws from that payment: it is the newest of one."""
    if payment.kind != "plan":
        return False
    plans = [one for one in payments.recent(session, user_id=payment.user_id) if one.paid_at]
    newest = next((one for one in plans if one.kind == "plan"), None)
    return newest is not None and newest.id == payment.id


def carry_out(runtime: Runtime, refund_id: str) -> refunds.Refund:
    """The refund is made, if no earlier run has made it; Conflict when Stripe refuses it for good,
    with its credits given back."""
    with runtime.read_only() as session:
        refund = refunds.find(session, refund_id=refund_id)
        assert refund is not None, "a refund is never deleted"
        payment = payments.get(session, payment_id=refund.payment_id)
        # What staff gives back is money for a plan that goes on.
        is_over = refund.origin in {"customer", "fraud"} and ends_plan(session, payment)
    if refund.state != "asked":
        return refund
    if is_over:
        # First, and not after: once an event has told of the refund, nobody carries it out again.
        _end_plan(runtime, payment)
    look = look_at(runtime)
    try:
        facts = look.stripe.make_refund(_order(refund, payment))
    except (errors.InvalidRequest, errors.NotFound, errors.PaymentDeclined) as fault:
        _give_up(runtime, refund, plan_ended=is_over, now=look.now)
        raise errors.Conflict(*(_REFUSED_AFTER if is_over else REFUSED)) from fault
    with runtime.transaction() as session:
        made = refunds.follow(session, facts=facts, looked_at=look.looked_at, now=look.now)
        assert made is not None, "its payment is on record"
        refund_events.tell(session, made, look)
    return made


def _give_up(runtime: Runtime, refund: refunds.Refund, *, plan_ended: bool, now: datetime) -> None:
    """The credits are back; a plan that ended for this refund waits for a person."""
    with runtime.transaction() as session:
        refunds.fail(session, refund_id=refund.id, now=now)
        if plan_ended:
            what = "A plan ended for a refund that was refused."
            mails.needs_a_hand(session, what=what, about=refund.payment_id, now=now)
    if plan_ended:
        log.error("alert.refund_refused", refund_id=refund.id, payment_id=refund.payment_id)


def sweep(runtime: Runtime) -> int:
    """Refunds that were asked for and cut short are carried out: how many those are."""
    now = runtime.clock()
    with runtime.read_only() as session:
        waiting = refunds.due(session, now=now)
    for refund_id in waiting:
        try:
            carry_out(runtime, refund_id)
        except errors.AppError as fault:
            # The others are not to wait for it; a later sweep tries it again if it is open still.
            log.warning("refund.postponed", refund_id=refund_id, code=fault.code)
    return len(waiting)


def _order(refund: refunds.Refund, payment: payments.Payment) -> RefundOrder:
    assert payment.payment_intent_id is not None, "what was paid has a PaymentIntent"
    return RefundOrder(
        refund_id=refund.id,
        idempotency_key=refund.idempotency_key,
        payment_intent_id=payment.payment_intent_id,
        amount=refund.amount,
        fraudulent=refund.origin == "fraud",
    )


def _end_plan(runtime: Runtime, payment: payments.Payment) -> None:
    look = look_at(runtime)
    invoice = look.stripe.fetch_invoice(payment.id)
    if invoice is None or invoice.subscription_id is None:
        return
    # The used part is paid for and the unused goes back: nothing is left to be counted.
    look.stripe.end_plan_now(invoice.subscription_id)
    look = look_at(runtime)
    facts = look.stripe.fetch_subscription(invoice.subscription_id)
    if facts is not None:
        with runtime.transaction() as session:
            customers.lock(session, user_id=payment.user_id)
            subscriptions.record(
                session, user_id=payment.user_id, facts=facts, looked_at=look.looked_at
            )
