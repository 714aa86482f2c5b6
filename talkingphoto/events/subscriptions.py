"""A subscription began, changed, rested or ended."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import subscriptions
from talkingphoto.events import closed, plans
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The subscription is re-read, so the order in which its events arrive does not matter."""
    return write_of(look, event.object_id)


def write_of(look: Look, subscription_id: str) -> Write | None:
    """What to write for that subscription as it is now."""
    plan = plans.seen(look, subscription_id)
    if plan is None:
        return None

    def write(session: Session) -> None:
        user_id = owner(session, plan.facts.customer_id)
        if user_id is not None:
            plans.record(session, user_id=user_id, plan=plan)
            if plan.facts.status in subscriptions.LIVE:
                closed.ends(session, user_id=user_id, now=look.now)

    return write
