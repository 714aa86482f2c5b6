"""A plan as it was seen at Stripe, and everything of ours that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from talkingphoto.billing import (
    changes,
    duplicates,
    endings,
    pauses,
    recovery,
    subscriptions,
    trials,
)
from talkingphoto.events import farewells, trying
from talkingphoto.events.handling import Look
from talkingphoto.foundation import jobs
from talkingphoto.integrations.stripe_lifecycle import CardFacts

DUPLICATE_TASK = "plan.duplicate"
DUPLICATE_QUEUE = "events"
log = structlog.get_logger()


@dataclass(frozen=True)
class Plan:
    """What Stripe said of a subscription, and the look that found it."""

    look: Look
    facts: subscriptions.SubscriptionFacts
    card: CardFacts | None = None


def seen(look: Look, subscription_id: str) -> Plan | None:
    """The plan as it is now; None when Stripe knows no such subscription."""
    facts = look.stripe.fetch_subscription(subscription_id)
    if facts is None:
        return None
    # Whose trial it is depends on the card, and on nothing else of it.
    card = look.stripe.card_of_plan(facts.id) if facts.status == "trialing" else None
    return Plan(look, facts, card)


def record(session: Session, *, user_id: str, plan: Plan) -> None:
    """Subscription, change, cancellation and pause on record agree with what was seen."""
    facts, looked_at, now = plan.facts, plan.look.looked_at, plan.look.now
    changes.follow(session, facts=facts, looked_at=looked_at, now=now)
    if not subscriptions.record(session, user_id=user_id, facts=facts, looked_at=looked_at):
        log.warning("subscription.not_ours", subscription_id=facts.id, user_id=user_id)
    for one in duplicates.find(session, user_id=user_id, now=now):
        job = jobs.Job(task=DUPLICATE_TASK, args={"subscription_id": one}, queue=DUPLICATE_QUEUE)
        jobs.enqueue(session, job)
    if facts.status in subscriptions.OVER:
        recovery.lose(session, subscription_id=facts.id, now=now)
    if plan.card is not None and facts.standing.trial_ends_at is not None:
        trying.follow(session, user_id=user_id, plan=facts, card=plan.card, now=now)
    wish = endings.follow(session, facts=facts, looked_at=looked_at)
    rest = pauses.follow(
        session,
        subscription_id=facts.id,
        is_paused=facts.standing.is_paused and facts.status not in subscriptions.OVER,
        looked_at=looked_at,
        now=now,
    )
    known = subscriptions.find(session, subscription_id=facts.id)
    # A trial or a plan too many has a message of its own.
    one_too_many = trials.is_refused(session, subscription_id=facts.id) or duplicates.is_one(
        session, subscription_id=facts.id
    )
    if known is not None and not one_too_many:
        farewells.tell(session, known, farewells.News(wish, rest), now=now)
