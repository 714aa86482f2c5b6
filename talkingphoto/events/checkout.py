"""A Checkout Session was completed, paid later, or given up."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import packs, payments, received
from talkingphoto.events import closed, invoices, receipts
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent

_FAILED = "checkout.session.async_payment_failed"


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The session is re-read; a paid one is fulfilled, any other moves its intent."""
    return write_of(look, event.object_id, failed=event.type == _FAILED)


def is_known(session: Session, event: StripeEvent) -> bool:
    """Whether that checkout is on record as paid."""
    return received.is_fulfilled(session, session_id=event.object_id)


def write_of(look: Look, session_id: str, *, failed: bool = False) -> Write | None:
    """What to write for that session as it is now; the return page asks for the same."""
    facts = look.stripe.fetch_checkout(session_id)
    if facts is None:
        return None
    bought = None
    if facts.is_paid and facts.mode == "subscription" and facts.invoice_id:
        bought = invoices.write_of(look, facts.invoice_id)

    def write(session: Session) -> None:
        if owner(session, facts.customer_id) != facts.user_id or facts.user_id is None:
            return  # somebody else's session on the same Stripe account
        payments.move_checkout(session, facts=facts, failed=failed, looked_at=look.looked_at)
        if bought is not None:
            bought(session)
        if facts.is_paid and facts.mode == "payment" and facts.item:
            fulfil_pack(session, look, facts)

    return write


def fulfil_pack(session: Session, look: Look, facts: payments.CheckoutFacts) -> None:
    """The pack is on the account and its receipt on the way, once; what came for an account that
    is over goes back."""
    bought = packs.record(session, facts=facts, now=look.now, looked_at=look.looked_at)
    payer, paid = bought.user_id, bought.payment_id
    if closed.gives_back(session, user_id=payer, payment_id=paid, now=look.now):
        return
    packs.grant(session, bought, now=look.now)
    receipts.owe(session, payment_id=facts.id, now=look.now)
