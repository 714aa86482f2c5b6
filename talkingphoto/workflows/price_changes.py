"""A price change is planned, announced, and carried out at each subscriber's renewal."""

from __future__ import annotations

from datetime import datetime

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import catalog, customers, price_changes
from talkingphoto.billing.price_changes import PriceChange, Subscriber
from talkingphoto.events import plans
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import clock, errors
from talkingphoto.runtime import Runtime

_BATCH = 100
_MOST_PERIODS = 60


def plan(runtime: Runtime, *, item: str, effective_at: datetime) -> tuple[PriceChange, ...]:
    """Whoever pays an old price of the item pays the current one from their first renewal on or
    after that day; one change for each old price that somebody pays."""
    sold, now = catalog.item(item), runtime.clock()
    with runtime.transaction() as session:
        current = catalog.current_price_id(session, item_key=item)
        old = [
            paid
            for paid in price_changes.report(session)
            if paid.item == item and not paid.is_current and paid.subscribers and paid.price
        ]
        if not old:
            raise errors.InvalidRequest("prices.nobody", f"Nobody pays an old price of {item}.")
        return tuple(
            price_changes.plan(
                session,
                PriceChange(
                    id=runtime.new_id(),
                    item=sold,
                    from_price_id=paid.price_id,
                    to_price_id=current,
                    before=paid.price or sold.price,
                    after=sold.price,
                    effective_at=effective_at,
                    state="planned",
                ),
                now=now,
            )
            for paid in old
        )


def run_due_work(runtime: Runtime) -> int:
    """Everybody whom a change is about is told, and moved when their day is near: how many."""
    with runtime.read_only() as session:
        changes = price_changes.open_ones(session)
    return sum(_announce(runtime, change) + _move_due(runtime, change) for change in changes)


def _announce(runtime: Runtime, change: PriceChange) -> int:
    now = runtime.clock()
    with runtime.transaction() as session:
        waiting = price_changes.to_notice(session, change, limit=_BATCH)
        for one in waiting:
            if price_changes.notice(session, change, one, now=now):
                mails.owe(
                    session,
                    key=f"price_changing:{change.id}:{one.subscription_id}",
                    user_id=one.user_id,
                    template="price_changing",
                    facts={
                        "item": change.item.key,
                        "before": moments.money(change.before),
                        "after": moments.money(change.after),
                        "at": moments.day(_first_at(change, one, now=now)),
                    },
                    now=now,
                )
        price_changes.advance(session, change, now=now)
    return len(waiting)


def _first_at(change: PriceChange, one: Subscriber, *, now: datetime) -> datetime:
    """The renewal at which the new price is paid for the first time."""
    earliest = max(change.effective_at, now + price_changes.NOTICE)
    step = 12 if change.item.interval == "year" else 1
    renewals = (
        clock.add_months(one.period_end, months=step * periods) for periods in range(_MOST_PERIODS)
    )
    return next((at for at in renewals if at >= earliest), earliest)


def _move_due(runtime: Runtime, change: PriceChange) -> int:
    now = runtime.clock()
    with runtime.read_only() as session:
        due = price_changes.to_move(session, change, now=now, limit=_BATCH)
    for one in due:
        _move(runtime, change, one)
    return len(due)


def _move(runtime: Runtime, change: PriceChange, one: Subscriber) -> None:
    runtime.gateway.move_price(
        one.subscription_id,
        to_price_id=change.to_price_id,
        from_price_id=change.from_price_id,
        key=f"price:{change.id}:{one.subscription_id}",
    )
    look = look_at(runtime)
    seen = plans.seen(look, one.subscription_id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=one.user_id)
        if seen is not None:
            plans.record(session, user_id=one.user_id, plan=seen)
            if seen.facts.standing.price_id == change.to_price_id:
                price_changes.moved(session, change, one, now=look.now)
