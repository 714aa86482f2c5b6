"""Trials as they are offered, shown, and ended when they are one too many."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from talkingphoto.accounts import users
from talkingphoto.billing import catalog, customers, payments, subscriptions, trials
from talkingphoto.billing.endings import Why
from talkingphoto.billing.extras import Extras
from talkingphoto.events import plans
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime

_DAY = timedelta(days=1)
# Stripe's clock may be ahead of ours; seven days are not eight for that.
_A_MOMENT = timedelta(minutes=1)


@dataclass(frozen=True)
class TrialView:
    """What is left of a trial, and what happens at its end: `then` is charged, with a card."""

    days_left: int
    ends_at: datetime
    then: Money
    has_card: bool


def on_trial(runtime: Runtime, wanted: Extras, *, user_id: str, sold: catalog.Item) -> Extras:
    """The checkout begins with a trial; InvalidRequest where none is on offer, Conflict for
    somebody who had one."""
    days = _days_on_offer(runtime, sold)
    if not days:
        raise errors.InvalidRequest(
            "trial.not_offered", "There is no trial of this plan. Choose it without one."
        )
    if not days_for(runtime, sold, user_id=user_id):
        raise errors.Conflict("trial.used", "You had a trial before. Choose the plan without one.")
    return replace(wanted, trial_days=days)


def days_for(runtime: Runtime, sold: catalog.Item, *, user_id: str | None) -> int:
    """For how many days this person, or anybody new, may try the plan; 0 for not at all."""
    days = _days_on_offer(runtime, sold)
    if not days or user_id is None:
        return days
    with runtime.read_only() as session:
        email = users.get(session, user_id=user_id).email
        return days if trials.may_begin(session, user_id=user_id, email=email) else 0


def credits(checkout: payments.Checkout, sold: catalog.Item) -> int:
    """The videos that a paid checkout brings."""
    return trials.CREDITS if checkout.extras.trial_days else sold.credits


def view(runtime: Runtime, *, user_id: str, now: datetime) -> TrialView | None:
    """The customer's trial as it runs; None without one."""
    with runtime.read_only() as session:
        plan = subscriptions.of_customer(session, user_id=user_id)
        if plan is None or plan.status != "trialing":
            return None
        trial = trials.of_subscription(session, subscription_id=plan.id)
    if trial is None:
        return None
    left = max(trial.ends_at - now - _A_MOMENT, timedelta())
    return TrialView(math.ceil(left / _DAY), trial.ends_at, plan.price, trial.has_card)


def refuse(runtime: Runtime, subscription_id: str) -> None:
    """The trial that was one too many is over at Stripe, and nothing was charged."""
    runtime.gateway.end_now(subscription_id, why=Why(), key=f"trial_refused:{subscription_id}")
    look = look_at(runtime)
    plan = plans.seen(look, subscription_id)
    with runtime.transaction() as session:
        known = subscriptions.find(session, subscription_id=subscription_id)
        if known is not None and plan is not None:
            customers.lock(session, user_id=known.user_id)
            plans.record(session, user_id=known.user_id, plan=plan)
        trials.cancelled(session, subscription_id=subscription_id)


def _days_on_offer(runtime: Runtime, sold: catalog.Item) -> int:
    return runtime.settings.trial_days if sold.key in trials.ITEMS else 0
