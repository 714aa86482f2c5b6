"""A plan is cancelled, or goes on after all: the wish is written before Stripe is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import customers, endings, subscriptions
from talkingphoto.billing.endings import Cancellation, Why
from talkingphoto.events import plans
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from talkingphoto.workflows import saving

# Nothing was paid for the period they are in, so there is nothing to wait for.
_UNPAID = frozenset({"past_due", "unpaid", "paused"})
_GONE = frozenset({"stripe.refused", "stripe.not_found"})
NO_PLAN = ("plan.none", "You have no plan that runs. Choose one from the price list.")


@dataclass(frozen=True)
class Wish:
    """What a customer asked for, and what they said about it."""

    user_id: str
    request_id: str
    why: Why


def cancel(runtime: Runtime, wish: Wish) -> datetime:
    """The plan ends at that moment: with its period, or now when the period was not paid for."""
    asked = _ask(runtime, wish)
    if asked.state == "asked":
        carry_out(runtime, asked)
    with runtime.read_only() as session:
        found = endings.of_request(session, user_id=asked.user_id, request_id=asked.request_id)
    assert found is not None, "a wish is never deleted"
    return found.ends_at


def resume(runtime: Runtime, *, user_id: str) -> None:
    """The plan renews again; one that was not ending stays as it is."""
    now = runtime.clock()
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        plan = _plan(session, user_id=user_id)
        wish = endings.open_one(session, subscription_id=plan.id)
        if wish is None and not plan.cancel_at_period_end:
            return
        if wish is None:
            wish = _made_elsewhere(session, plan, request_id=runtime.new_id(), now=now)
        if wish.state != "resuming":
            endings.move(session, wish=wish, to="resuming", at=now)
    if carry_out(runtime, replace(wish, state="resuming")):
        raise errors.Conflict("plan.over", "Your plan is over. Choose it again to go on.")


def end_of(plan: subscriptions.Subscription, *, now: datetime) -> datetime:
    """When the plan would end if it were cancelled now."""
    return now if plan.status in _UNPAID else plan.period_end


def carry_out(runtime: Runtime, wish: Cancellation) -> bool:
    """What was wished for is so at Stripe and here; True when the plan is over by now."""
    try:
        _tell(runtime, wish)
    except (errors.InvalidRequest, errors.NotFound) as refusal:
        if refusal.code not in _GONE or not _settle(runtime, wish):
            raise
        return True
    return _settle(runtime, wish)


def _tell(runtime: Runtime, wish: Cancellation) -> None:
    stripe = runtime.gateway
    if wish.state == "resuming":
        stripe.go_on(wish.subscription_id, key=f"resume:{wish.key}")
    elif wish.at_once:
        stripe.end_now(wish.subscription_id, why=wish.why, key=f"cancel:{wish.key}")
    else:
        stripe.end_at_period_end(wish.subscription_id, why=wish.why, key=f"cancel:{wish.key}")


def _settle(runtime: Runtime, wish: Cancellation) -> bool:
    """What Stripe says now is on record; True when the plan is over or gone."""
    look = look_at(runtime)
    plan = plans.seen(look, wish.subscription_id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=wish.user_id)
        if plan is not None:
            plans.record(session, user_id=wish.user_id, plan=plan)
            return plan.facts.status in subscriptions.OVER
        endings.move(session, wish=wish, to="ended", at=look.now)
    return True


def _ask(runtime: Runtime, wish: Wish) -> Cancellation:
    now = runtime.clock()
    with runtime.transaction() as session:
        customers.lock(session, user_id=wish.user_id)
        known = endings.of_request(session, user_id=wish.user_id, request_id=wish.request_id)
        if known is not None:
            return _again(known)
        plan = _plan(session, user_id=wish.user_id)
        if plan.cancel_at_period_end and not endings.open_one(session, subscription_id=plan.id):
            return _made_elsewhere(session, plan, request_id=wish.request_id, now=now)
        allowed = saving.may_have_discount(session, plan, now=now)
        shown = saving.offer(plan, reason=wish.why.reason, may_have_discount=allowed)
        return endings.ask(
            session,
            Cancellation(
                user_id=wish.user_id,
                request_id=wish.request_id,
                subscription_id=plan.id,
                state="asked",
                at_once=plan.status in _UNPAID,
                why=wish.why,
                ends_at=end_of(plan, now=now),
                offer_shown=shown.kind if shown else None,
            ),
            now=now,
        )


def _again(known: Cancellation) -> Cancellation:
    if known.state in {"resuming", "resumed", "offered", "kept"}:
        raise errors.Conflict(
            "cancel.request_id", "This page is out of date. Reload it and choose again."
        )
    return known


def _plan(session: Session, *, user_id: str) -> subscriptions.Subscription:
    plan = subscriptions.of_customer(session, user_id=user_id)
    if plan is None:
        raise errors.Conflict(*NO_PLAN)
    return plan


def _made_elsewhere(
    session: Session, plan: subscriptions.Subscription, *, request_id: str, now: datetime
) -> Cancellation:
    """The cancellation that was made in the portal or the dashboard, on record as a wish."""
    return endings.ask(
        session,
        Cancellation(
            user_id=plan.user_id,
            request_id=request_id,
            subscription_id=plan.id,
            state="scheduled",
            at_once=False,
            why=Why(),
            ends_at=plan.period_end,
        ),
        now=now,
    )
