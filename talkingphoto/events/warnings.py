"""A bank warns that a payment is fraud: small ones go back at once, others are frozen."""

from __future__ import annotations

import uuid

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails
from talkingphoto.billing import customers, payments, refunds, warnings
from talkingphoto.events import payments as payment_events
from talkingphoto.events.handling import Look, Write
from talkingphoto.events.inbox import StripeEvent
from talkingphoto.foundation import jobs

log = structlog.get_logger()
_REFUND_IDS = uuid.uuid5(uuid.NAMESPACE_OID, "talkingphoto refunds of warned payments")


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The warning is re-read and dealt with, once; its card is barred."""
    facts = look.stripe.fetch_warning(event.object_id)
    if facts is None or facts.payment_intent_id is None:
        return None  # a charge without a PaymentIntent was not made by us
    intent = facts.payment_intent_id
    if not payment_events.is_ours(look, intent):
        return None
    paid = payment_events.write_of(look, intent)

    def write(session: Session) -> None:
        if paid is not None:
            paid(session)
        payment = payments.of_intent(session, payment_intent_id=intent)
        if payment is None:
            return  # somebody else's payment on the same Stripe account
        customers.lock(session, user_id=payment.user_id)
        action = _action(session, payment, look)
        if warnings.record(session, facts=facts, payment=payment, action=action, now=look.now):
            _act(session, facts, payment, action, look)

    return write


def handle_charge(look: Look, event: StripeEvent) -> Write | None:
    """A payment with a card that a bank has warned of before is an alert, and no more."""
    card = look.stripe.card_of_charge(event.object_id)
    if card is None:
        return None

    def write(session: Session) -> None:
        if warnings.is_barred(session, fingerprint=card):
            log.error("alert.barred_card", charge_id=event.object_id)

    return write


def _action(session: Session, payment: payments.Payment, look: Look) -> warnings.Action:
    if refunds.refused(session, payment) is not None:
        return "noted"  # gone back, or disputed already: its credits went the same way
    small = payment.amount.currency == "usd" and payment.amount.minor <= look.fraud_refund_up_to
    return "refunded" if small else "frozen"


def _act(
    session: Session,
    facts: warnings.WarningFacts,
    payment: payments.Payment,
    action: warnings.Action,
    look: Look,
) -> None:
    # A card that a bank has warned of is worth a look, whatever was done.
    log.error("alert.fraud_warning", warning_id=facts.id, payment_id=payment.id, action=action)
    if action == "frozen":
        what = "A bank warns of fraud. Refund the payment or free its credits."
        mails.needs_a_hand(session, what=what, about=payment.id, now=look.now)
    if action == "refunded":
        asked = refunds.ask(
            session,
            refunds.NewRefund(
                id=str(uuid.uuid5(_REFUND_IDS, facts.id)),
                payment_id=payment.id,
                origin="fraud",
                reason="The bank has warned of this payment",
            ),
            now=look.now,
        )
        job = jobs.Job(task=refunds.TASK, args={"refund_id": asked.id}, queue=refunds.QUEUE)
        jobs.enqueue(session, job)
