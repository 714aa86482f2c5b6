"""A PaymentIntent succeeded or failed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import attempts, received
from talkingphoto.events import checkout, invoices
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """What the payment was for is found and looked at: an invoice, or a checkout."""
    return write_of(look, event.object_id)


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


def is_ours(look: Look, payment_intent_id: str) -> bool:
    """Whether a customer of ours pays with that PaymentIntent; of others nothing is looked at."""
    facts = look.stripe.fetch_payment(payment_intent_id)
    return facts is not None and look.knows(facts.customer_id)


def write_of(look: Look, payment_intent_id: str) -> Write | None:
    """What to write for what that PaymentIntent pays: an invoice, or a checkout; else None."""
    invoice_id = look.stripe.invoice_of_payment(payment_intent_id)
    if invoice_id is not None:
        return invoices.write_of(look, invoice_id)
    bought = look.stripe.checkout_of_payment(payment_intent_id)
    return checkout.write_of(look, bought.id) if bought else None
