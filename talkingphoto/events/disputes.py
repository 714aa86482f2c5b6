"""A payment is disputed at the bank, or the bank has decided."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import disputes
from talkingphoto.events import payments as payment_events
from talkingphoto.events.handling import Look, Write
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The dispute is re-read, so the order in which its events arrive does not matter."""
    return write_of(look, event.object_id)


def write_of(look: Look, dispute_id: str) -> Write | None:
    """What to write for that dispute as it is now."""
    facts = look.stripe.fetch_dispute(dispute_id)
    if facts is None or facts.payment_intent_id is None:
        return None  # a charge without a PaymentIntent was not made by us
    if not payment_events.is_ours(look, facts.payment_intent_id):
        return None
    paid = payment_events.write_of(look, facts.payment_intent_id)

    def write(session: Session) -> None:
        # A dispute may be told of first: then its payment goes on record before it.
        if paid is not None:
            paid(session)
        found = disputes.follow(session, facts=facts, looked_at=look.looked_at, now=look.now)
        if found is not None:
            _tell(session, found, look)

    return write


def _tell(session: Session, dispute: disputes.Dispute, look: Look) -> None:
    facts = {"payment_id": dispute.payment_id, "amount": moments.money(dispute.amount)}
    if dispute.state == "open":
        template = "dispute_opened"
        mails.needs_a_hand(
            session, what="A payment is disputed.", about=dispute.payment_id, now=look.now
        )
    else:
        template = "dispute_closed"
        facts["outcome"] = dispute.state
    key, to = f"{template}:{dispute.id}", dispute.user_id
    mails.owe(session, key=key, user_id=to, template=template, facts=facts, now=look.now)
