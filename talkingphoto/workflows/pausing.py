"""A monthly plan rests for some months, and comes back on its day or earlier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from talkingphoto.billing import customers, pauses, subscriptions
from talkingphoto.billing.pauses import Pause
from talkingphoto.events import invoices, plans
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import clock, errors, wording
from talkingphoto.integrations.stripe_lifecycle import Rest
from talkingphoto.runtime import Runtime

MOST_MONTHS = 3
_ALREADY = ("pause.already", "Your plan rests already. End that pause first.")
_NO_PLAN = ("plan.none", "You have no plan that runs. Choose one from the price list.")


@dataclass(frozen=True)
class PauseChoice:
    """A day on which the plan may come back, in words."""

    until: datetime
    words: str


def choices(plan: subscriptions.Subscription) -> tuple[PauseChoice, ...]:
    """One, two or three months from the end of the period; none for a plan that cannot rest."""
    if plan.item.interval != "month":
        return ()
    # The longer month of the two knows the day: a plan of the 31st is back on a 31st.
    late = plan.period_start.day > plan.period_end.day
    base, begun = (plan.period_start, 1) if late else (plan.period_end, 0)
    return tuple(
        PauseChoice(
            until=(until := clock.add_months(base, months=months + begun)),
            words=f"{_months(months)}, until {wording.day(until)}",
        )
        for months in range(1, MOST_MONTHS + 1)
    )


def pause(runtime: Runtime, *, user_id: str, until: datetime) -> None:
    """Nothing is charged from the end of this period until then, and no new videos come."""
    now = runtime.clock()
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        plan = subscriptions.of_customer(session, user_id=user_id)
        plan = _may_pause(plan, until=until)
        if plan.standing.is_paused and not pauses.of_subscription(session, subscription_id=plan.id):
            raise errors.Conflict(*_ALREADY)
        wished = Pause(
            id=runtime.new_id(),
            user_id=user_id,
            subscription_id=plan.id,
            begins_at=plan.period_end,
            until=until,
            state="asked",
            restarts=False,
            tries=0,
        )
        asked = pauses.ask(session, wished, now=now)
    if asked.until != until or asked.state == "ending":
        raise errors.Conflict(*_ALREADY)
    carry_out(runtime, asked)


def unpause(runtime: Runtime, *, user_id: str) -> None:
    """The plan is charged again: with its next period, or, when the present one was not paid for,
    for a new one that begins now. PaymentDeclined leaves the pause as it is."""
    now = runtime.clock()
    with runtime.read_only() as session:
        plan = subscriptions.of_customer(session, user_id=user_id)
    if plan is None:
        raise errors.Conflict(*_NO_PLAN)
    restarts = skips_period(plan, now=now) and not runtime.gateway.waits_for_invoice(plan.id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        known = pauses.of_subscription(session, subscription_id=plan.id)
        if known is None and not plan.standing.is_paused:
            return
        if known is None:
            known = pauses.ask(session, _made_elsewhere(plan, id=runtime.new_id()), now=now)
        ending = pauses.end(session, pause=known, restarts=restarts)
    carry_out(runtime, ending)


def skips_period(plan: subscriptions.Subscription, *, now: datetime) -> bool:
    """Whether the period that runs now is one that the pause left unpaid."""
    begins = plan.standing.pauses_at
    return plan.standing.is_paused and begins is not None and begins <= now


def end_in_words(plan: subscriptions.Subscription, *, now: datetime) -> str:
    """What ending the pause now would mean; nothing to say of a plan that does not rest."""
    if not plan.standing.is_paused:
        return ""
    if skips_period(plan, now=now):
        return (
            f"A new month begins today: you are charged {wording.amount(plan.price)} now and get"
            f" {plan.item.credits} videos."
        )
    renews = wording.day(plan.period_end)
    return f"Nothing is charged today. Your plan goes on and renews on {renews}."


def carry_out(runtime: Runtime, asked: Pause) -> None:
    """The pause, or its end, is so at Stripe and here."""
    stripe, invoice_id = runtime.gateway, None
    try:
        if asked.state != "ending":
            rest = Rest(asked.subscription_id, asked.begins_at, asked.until)
            stripe.pause(rest, key=asked.key)
        elif asked.restarts:
            invoice_id = stripe.unpause_with_new_period(asked.subscription_id, key=asked.end_key)
        else:
            stripe.unpause(asked.subscription_id, key=asked.end_key)
    except errors.PaymentDeclined:
        with runtime.transaction() as session:
            pauses.declined(session, pause=asked)
        raise
    look = look_at(runtime)
    # The invoice brings its subscription with it, and the videos of the new period.
    paid = invoices.write_of(look, invoice_id) if invoice_id else None
    plan = plans.seen(look, asked.subscription_id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=asked.user_id)
        if plan is not None:
            plans.record(session, user_id=asked.user_id, plan=plan)
        if paid is not None:
            paid(session)


def _may_pause(
    plan: subscriptions.Subscription | None, *, until: datetime
) -> subscriptions.Subscription:
    if plan is None:
        raise errors.Conflict(*_NO_PLAN)
    if plan.item.interval == "year":
        raise errors.InvalidRequest(
            "pause.yearly",
            "A plan paid for a year cannot rest: the year is paid. You can cancel it, and it"
            " runs to the end of the year.",
        )
    if plan.cancel_at_period_end:
        raise errors.Conflict("pause.ending", "Your plan is ending. Keep it first, then pause it.")
    if plan.status != "active":
        raise errors.Conflict(
            "pause.not_active", "Only a plan that is paid can rest. Settle what is open first."
        )
    if until not in {choice.until for choice in choices(plan)} and not plan.standing.is_paused:
        raise errors.InvalidRequest("pause.until", "Choose one of the days from the list.")
    return plan


def _made_elsewhere(plan: subscriptions.Subscription, *, id: str) -> Pause:
    """The pause that was set in the dashboard."""
    begins = plan.standing.pauses_at or plan.period_end
    until = plan.standing.resumes_at
    return Pause(
        id=id,
        user_id=plan.user_id,
        subscription_id=plan.id,
        begins_at=begins,
        until=until if until is None or until > begins else None,
        state="on",
        restarts=False,
        tries=0,
    )


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"
