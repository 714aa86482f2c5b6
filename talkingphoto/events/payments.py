"""A PaymentIntent succeeded or failed, or a charge was refunded."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import attempts, payments, plan_credits, received
from talkingphoto.events import checkout, invoices
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """What the payment was for is found and looked at: an invoice, or a checkout."""
    return _write_of(look, event.object_id)


def is_known(session: Session, event: StripeEvent) -> bool:
    """Whether what it pays is on record as paid, and is something we sell."""
    return received.is_received(session, known_as=event.object_id)


def handle_failure(look: Look, event: StripeEvent) -> Write | None:
    """The failed try is on record with the bank's reason; nothing is granted or taken."""
    facts = look.stripe.fetch_payment(event.object_id)
    if facts is None or facts.failure_code is None:
        return None  # gone, or another try has succeeded meanwhile and tells of itself
    failure = attempts.Failure(
        key=event.id,
        payment_intent_id=facts.id,
        failure_code=facts.failure_code,
        failed_at=event.created_at,
    )

    def write(session: Session) -> None:
        user_id = owner(session, facts.customer_id)
        if user_id is not None:
            attempts.record(session, user_id=user_id, failure=failure)

    return write


def handle_refund(look: Look, event: StripeEvent) -> Write | None:
    """The payment shows what was given back so far; a year paid back brings no more months."""
    facts = look.stripe.fetch_refunds(event.object_id)
    if facts is None or facts.payment_intent_id is None:
        return None  # a charge without a PaymentIntent was not made by us
    intent_id, refunded = facts.payment_intent_id, facts.refunded_minor
    paid = _write_of(look, intent_id)

    def give_back(session: Session) -> bool:
        payment = payments.record_refund(
            session, payment_intent_id=intent_id, refunded_minor=refunded
        )
        if payment is not None and payment.status == "refunded":
            # What was paid for in advance and is paid back will not come.
            plan_credits.stop_drips(session, reference=payment.id)
        return payment is not None

    def write(session: Session) -> None:
        # A refund may be told of first: then its payment goes on record before it.
        if not give_back(session) and paid is not None:
            paid(session)
            give_back(session)

    return write


def _write_of(look: Look, payment_intent_id: str) -> Write | None:
    invoice_id = look.stripe.invoice_of_payment(payment_intent_id)
    if invoice_id is not None:
        return invoices.write_of(look, invoice_id)
    bought = look.stripe.checkout_of_payment(payment_intent_id)
    return checkout.write_of(look, bought.id) if bought else None
