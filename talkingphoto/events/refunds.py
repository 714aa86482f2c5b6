"""A refund was made, moved or failed, by us or at Stripe itself."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import payments, refunds
from talkingphoto.events import payments as payment_events
from talkingphoto.events.handling import Look, Write
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The refund is re-read; its credits go with it, and come back if it failed."""
    facts = look.stripe.fetch_refund(event.object_id)
    return write_of(look, (facts,)) if facts else None


def handle_charge(look: Look, event: StripeEvent) -> Write | None:
    """Each refund of that charge is re-read."""
    return write_of(look, look.stripe.fetch_refunds(event.object_id))


def write_of(look: Look, found: tuple[refunds.RefundFacts, ...]) -> Write | None:
    """What to write for refunds of one payment."""
    intents = {facts.payment_intent_id for facts in found}
    intent = intents.pop() if len(intents) == 1 else None
    # A charge without a PaymentIntent was not made by us.
    if intent is None or not payment_events.is_ours(look, intent):
        return None
    paid = payment_events.write_of(look, intent)

    def write(session: Session) -> None:
        # A refund may be told of first: then its payment goes on record before it.
        if paid is not None and payments.of_intent(session, payment_intent_id=intent) is None:
            paid(session)
        for facts in found:
            refund = refunds.follow(session, facts=facts, looked_at=look.looked_at, now=look.now)
            if refund is not None:
                tell(session, refund, look)

    return write


def tell(session: Session, refund: refunds.Refund, look: Look) -> None:
    """The customer hears once of money that is on its way back."""
    if refund.state not in {"pending", "succeeded"}:
        return
    if mails.get(session, key=mails.returned_key(refund.payment_id)) is not None:
        return  # of a second plan paid by accident: they have heard of it
    facts = {
        "payment_id": refund.payment_id,
        "amount": moments.money(refund.amount),
        "credits": str(refund.credits),
    }
    key, to = f"refunded:{refund.id}", refund.user_id
    mails.owe(session, key=key, user_id=to, template="refunded", facts=facts, now=look.now)
