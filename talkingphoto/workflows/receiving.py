"""An event comes in, pushed or pulled: stored once, and a person told when it cannot be used."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails
from talkingphoto.billing import customers, differences
from talkingphoto.events import inbox
from talkingphoto.events.table import HANDLERS

log = structlog.get_logger()
_WORDS: dict[differences.Class, str] = {
    "conflict": "An event of Stripe came twice and says two things.",
    "dead": "An event of Stripe could not be processed.",
}


def store(session: Session, *, event: inbox.StripeEvent, raw: bytes, now: datetime) -> inbox.Stored:
    """The event is stored once and a worker will be woken; one that contradicts what came under
    its id before is parked without effect, and a person is told."""
    # What changes nothing must not keep the customer's payment waiting.
    in_turn = event.type in HANDLERS
    stored = inbox.store(session, event=event, raw=raw, now=now, in_turn=in_turn)
    if stored == "conflict":
        _tell(session, event, class_="conflict", ours="as first told", now=now)
        log.error("alert.webhook_conflict", event_id=event.id, type=event.type)
    return stored


def bury(session: Session, *, event_id: str, error: str, now: datetime) -> None:
    """The event is a dead letter, and a person is told."""
    event = inbox.unprocessed(session, event_id=event_id)
    inbox.bury(session, event_id=event_id, error=error, now=now)
    if event is not None:
        _tell(session, event, class_="dead", ours=error, now=now)
    log.error("alert.webhook_dead", event_id=event_id, error=error)


def _tell(
    session: Session,
    event: inbox.StripeEvent,
    *,
    class_: differences.Class,
    ours: str,
    now: datetime,
) -> None:
    customer_id = event.customer_id
    owner = (
        customers.of_stripe(session, stripe_customer_id=customer_id)
        if customer_id is not None
        else None
    )
    found = differences.Finding(
        kind="event",
        class_=class_,
        object_id=event.id,
        user_id=owner.user_id if owner else None,
        ours=ours,
        theirs=f"{event.type} about {event.object_id}",
        # A dead letter is tried again by a person who has read why it died.
        heals=False,
        object_at=event.created_at,
    )
    noted = differences.note(session, found, run_id=None, now=now)
    if noted is not None:
        differences.move(session, difference_id=noted.id, to="alerted", now=now)
        mails.needs_a_hand(session, what=_WORDS[class_], about=event.id, now=now)
