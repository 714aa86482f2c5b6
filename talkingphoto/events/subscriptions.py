"""A subscription began, changed or ended."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import subscriptions
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The subscription is re-read, so the order in which its events arrive does not matter."""
    facts = look.stripe.fetch_subscription(event.object_id)

    def write(session: Session) -> None:
        user_id = owner(session, facts.customer_id)
        if user_id is not None:
            subscriptions.record(session, user_id=user_id, facts=facts, looked_at=look.looked_at)

    return write
