"""A subscription began, changed or ended."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from talkingphoto.billing import changes, subscriptions
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent

log = structlog.get_logger()


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The subscription is re-read, so the order in which its events arrive does not matter."""
    facts = look.stripe.fetch_subscription(event.object_id)
    if facts is None:
        return None

    def write(session: Session) -> None:
        user_id = owner(session, facts.customer_id)
        if user_id is None:
            return
        looked_at = look.looked_at
        changes.follow(session, facts=facts, looked_at=looked_at, now=look.now)
        if not subscriptions.record(session, user_id=user_id, facts=facts, looked_at=looked_at):
            log.warning("subscription.not_ours", subscription_id=facts.id, user_id=user_id)

    return write
