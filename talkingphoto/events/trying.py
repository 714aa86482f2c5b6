"""A trial is seen: its videos are there, or it is refused; its end is told of three days before."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments, users
from talkingphoto.billing import subscriptions, trials
from talkingphoto.foundation import jobs
from talkingphoto.integrations.stripe_lifecycle import CardFacts

REFUSE_TASK = "trial.refuse"


def follow(
    session: Session,
    *,
    user_id: str,
    plan: subscriptions.SubscriptionFacts,
    card: CardFacts,
    now: datetime,
) -> None:
    """The trial is on record as it was seen, or is on its way to be cancelled."""
    ends_at = plan.standing.trial_ends_at
    assert ends_at is not None, "a trial has an end"
    verdict = trials.see(
        session,
        trials.Seen(
            user_id=user_id,
            subscription_id=plan.id,
            email=users.get(session, user_id=user_id).email,
            ends_at=ends_at,
            fingerprint=card.fingerprint,
            has_card=card.has_card,
        ),
        now=now,
    )
    if verdict == "refused":
        _refuse(session, user_id=user_id, subscription_id=plan.id, now=now)
    else:
        remind(session, subscription_id=plan.id, now=now)


def remind(session: Session, *, subscription_id: str, now: datetime) -> bool:
    """Whoever is charged or loses the plan within three days hears of it, once; True when this
    took care of it. Nothing is to be said to somebody who has cancelled."""
    trial = trials.of_subscription(session, subscription_id=subscription_id)
    if trial is None or not trials.remind(session, subscription_id=subscription_id, now=now):
        return False
    plan = subscriptions.find(session, subscription_id=subscription_id)
    if plan is not None and plan.status == "trialing" and not plan.cancel_at_period_end:
        mails.owe(
            session,
            key=f"trial_ending:{subscription_id}",
            user_id=trial.user_id,
            template="trial_ending",
            facts={
                "item": plan.item.key,
                "ends_at": moments.day(trial.ends_at),
                "amount": moments.money(plan.price),
                "card": "yes" if trial.has_card else "no",
            },
            now=now,
        )
    return True


def _refuse(session: Session, *, user_id: str, subscription_id: str, now: datetime) -> None:
    plan = subscriptions.find(session, subscription_id=subscription_id)
    owed = mails.owe(
        session,
        key=f"trial_refused:{subscription_id}",
        user_id=user_id,
        template="trial_refused",
        facts={"item": plan.item.key if plan else ""},
        now=now,
    )
    if owed:
        args = {"subscription_id": subscription_id}
        jobs.enqueue(session, jobs.Job(task=REFUSE_TASK, args=args, key=f"trial:{subscription_id}"))
