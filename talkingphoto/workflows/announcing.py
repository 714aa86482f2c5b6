"""A year is paid at once, so its next payment is announced by mail some weeks before."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import catalog, changes, subscriptions
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
# Card networks and some laws want it told 15 to 45 days before; later is told all the same.
BEFORE = timedelta(days=30)
MOST_AT_ONCE = 5000
_YEARS = tuple(item.key for item in catalog.ITEMS.values() if item.interval == "year")


def announce_renewals(runtime: Runtime) -> int:
    """Each year that is paid for again within 30 days is announced, once; how many were now."""
    with runtime.read_only() as session:
        waiting = _not_told(session, runtime)
    return sum(_announce(runtime, plan) for plan in waiting)


def _not_told(session: Session, runtime: Runtime) -> list[subscriptions.Subscription]:
    now = runtime.clock()
    soon = subscriptions.renewing(
        session, items=_YEARS, after=now, until=now + BEFORE, limit=MOST_AT_ONCE
    )
    return [
        plan
        for plan in soon
        if mails.get(session, key=_key(plan)) is None
        # Who changes to another plan then has been told so.
        and changes.open_of(session, user_id=plan.user_id) is None
    ]


def _announce(runtime: Runtime, plan: subscriptions.Subscription) -> bool:
    try:
        renewal = runtime.gateway.next_renewal(plan.id)
    except errors.AppError as fault:
        log.warning("renewal.not_seen", subscription_id=plan.id, code=fault.code)
        return False  # the next run looks again
    if renewal is None:
        return False
    facts = {
        "item": plan.item.key,
        "at": moments.day(plan.period_end),
        "amount": moments.money(renewal),
    }
    now = runtime.clock()
    with runtime.transaction() as session:
        return mails.owe(
            session,
            key=_key(plan),
            user_id=plan.user_id,
            template="renewal_coming",
            facts=facts,
            now=now,
        )


def _key(plan: subscriptions.Subscription) -> str:
    return f"renewal_coming:{plan.id}:{plan.period_end:%Y-%m-%d}"
