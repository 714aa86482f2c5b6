"""A deleted account: what runs for it at Stripe ends, and what is paid for it goes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import closings, customers, refunds, returns
from talkingphoto.billing.closings import Closing
from talkingphoto.billing.endings import Why
from talkingphoto.billing.returns import Return
from talkingphoto.events import checkout, subscriptions
from talkingphoto.events.handling import Write, look_at
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
_One = TypeVar("_One")


def run_due(runtime: Runtime) -> int:
    """Deleted accounts have no plan and no open page at Stripe, and what came for them later went
    back; what Stripe cannot do now is tried again in a while. How many were dealt with."""
    now = runtime.clock()
    with runtime.transaction() as session:
        over = closings.due(session, now=now)
    done = sum(_tried(runtime, close, one, about=one.user_id) for one in over)
    with runtime.transaction() as session:
        owed = returns.due(session, now=now)
    return done + sum(_tried(runtime, _give_back, one, about=one.payment_id) for one in owed)


def close(runtime: Runtime, closing: Closing) -> None:
    """Nothing can be paid on the account's pages any more, and it has no plan that runs."""
    with runtime.read_only() as session:
        customer = customers.of_user(session, user_id=closing.user_id)
        pages = closings.open_pages(session, user_id=closing.user_id)
    for page in pages:
        runtime.gateway.expire_checkout(page)
        _write(runtime, checkout.write_of(look_at(runtime), page))
    if customer.stripe_customer_id is not None:
        for plan in runtime.gateway.running_plans(customer.stripe_customer_id):
            runtime.gateway.end_now(plan, why=Why("", ""), key=f"closing:{plan}")
            _write(runtime, subscriptions.write_of(look_at(runtime), plan))
    now = runtime.clock()
    with runtime.transaction() as session:
        closings.finish(session, closing, now=now)
    log.info("account.closed", user_id=closing.user_id, pages=len(pages))


def _give_back(runtime: Runtime, owed: Return) -> None:
    looked_at, now = runtime.wall_clock(), runtime.clock()
    made = None
    try:
        made = runtime.gateway.give_back(owed.payment_intent_id, key=owed.key)
    except (errors.InvalidRequest, errors.NotFound):
        # Refunded by another hand, or disputed: then only a person can go on.
        if not runtime.gateway.is_given_back(owed.payment_intent_id):
            _fail(runtime, owed)
            return
    with runtime.transaction() as session:
        customers.lock(session, user_id=owed.user_id)
        if not returns.move(session, payment_id=owed.payment_id, to="returned", now=now):
            return
        if made is not None:
            refunds.follow(session, facts=made, looked_at=looked_at, now=now)
        mails.owe(
            session,
            key=owed.key,
            user_id=owed.user_id,
            template="payment_returned",
            facts={"amount": moments.money(owed.amount)},
            now=now,
        )


def _fail(runtime: Runtime, owed: Return) -> None:
    now = runtime.clock()
    with runtime.transaction() as session:
        if not returns.move(session, payment_id=owed.payment_id, to="failed", now=now):
            return
        what = "A payment for a deleted account could not be given back."
        mails.needs_a_hand(session, what=what, about=owed.payment_id, now=now)
    log.error("alert.payment_not_returned", payment_id=owed.payment_id)


def _tried(
    runtime: Runtime, verb: Callable[[Runtime, _One], None], one: _One, *, about: str
) -> bool:
    try:
        verb(runtime, one)
    except errors.AppError as refusal:
        log.warning("closing.again_later", about=about, code=refusal.code)
        return False
    return True


def _write(runtime: Runtime, write: Write | None) -> None:
    if write is not None:
        with runtime.transaction() as session:
            write(session)
