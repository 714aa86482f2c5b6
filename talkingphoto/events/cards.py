"""A customer's cards changed: which of them may be charged is looked up again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import saved_cards
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The card that Stripe would charge now is on record."""
    customer_id = event.customer_id
    if customer_id is None:
        return None  # a card that was taken away says nothing of whose it was
    card = look.stripe.saved_card(customer_id)

    def write(session: Session) -> None:
        user_id = owner(session, customer_id)
        if user_id is not None:
            saved_cards.record(session, user_id=user_id, card=card, looked_at=look.looked_at)

    return write
