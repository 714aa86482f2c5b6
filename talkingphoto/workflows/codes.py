"""A promotion code is looked up, told in words, and used at a checkout or on a running plan."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, codes, customers, subscriptions
from talkingphoto.billing.codes import Buyer, CodeOffer, Promotion, Sale
from talkingphoto.billing.extras import Extras
from talkingphoto.events import plans
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.integrations.cache import Allowance, TryCounter
from talkingphoto.runtime import Runtime

_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
TRIES = Allowance("code", most=20, seconds=15 * 60)
_ONE_AT_A_TIME = (
    "code.one_at_a_time",
    "Your plan has a discount already. Use the code when that is over.",
)
_STRANGER = Buyer(customer_id=None, has_paid=False)


def counter(runtime: Runtime) -> TryCounter:
    """What counts the codes that somebody tries."""
    redis_url = runtime.settings.redis_url.get_secret_value()
    return TryCounter(runtime.transaction, clock=runtime.wall_clock, redis_url=redis_url)


def count(tries: TryCounter, who: str) -> None:
    """The try is counted; RateLimited when there were too many."""
    wait = tries.take(TRIES, who)
    if wait:
        raise errors.RateLimited(
            "code.rate_limited", "Too many codes. Wait a while.", retry_after_seconds=wait
        )


def check(runtime: Runtime, *, user_id: str | None, item: str, code: str) -> CodeOffer:
    """What the code does to the price of that item; InvalidRequest when it does nothing."""
    sold = catalog.item(item)
    with runtime.read_only() as session:
        sale = Sale(sold, sold.price, catalog.product_of(session, item_key=sold.key))
        buyer = _buyer(session, user_id)
    found = _found(runtime, code, buyer)
    return codes.checked(found, sale, buyer, now=runtime.clock())


def with_code(
    runtime: Runtime, wanted: Extras, code: str, *, user_id: str, sold: catalog.Item
) -> Extras:
    """The checkout comes with the code; InvalidRequest when it does not fit."""
    with runtime.read_only() as session:
        sale = Sale(sold, sold.price, catalog.product_of(session, item_key=sold.key))
        buyer = _buyer(session, user_id)
    found = _found(runtime, code, buyer)
    codes.checked(found, sale, buyer, now=runtime.clock())
    assert found is not None, "a code that fits is known"
    return replace(wanted, code=found.code, promotion_code_id=found.id)


def apply(runtime: Runtime, *, user_id: str, code: str) -> CodeOffer:
    """The code takes something off the next invoices of the customer's plan; once for a plan, and
    one discount at a time."""
    now = runtime.clock()
    with runtime.read_only() as session:
        plan = _plan(session, user_id)
        sale = Sale(plan.item, plan.price, catalog.product_of(session, item_key=plan.item.key))
        buyer = _buyer(session, user_id)
    found = _found(runtime, code, buyer)
    offer = codes.checked(found, sale, buyer, now=now)
    assert found is not None, "a code that fits is known"
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        begins = codes.use(
            session, user_id=user_id, subscription_id=plan.id, promotion=found, now=now
        )
        if begins and _plan(session, user_id).standing.discount_at(now):
            raise errors.Conflict(*_ONE_AT_A_TIME)
    # Two codes may be on their way from two tabs: what Stripe has decides.
    if not runtime.gateway.add_promotion_code(
        plan.id, promotion_code_id=found.id, key=f"code:{plan.id}:{found.id}"
    ):
        raise errors.Conflict(*_ONE_AT_A_TIME)
    seen = plans.seen(look_at(runtime), plan.id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        codes.used(session, subscription_id=plan.id, promotion_code_id=found.id)
        if seen is not None:
            plans.record(session, user_id=user_id, plan=seen)
    return offer


def _found(runtime: Runtime, code: str, buyer: Buyer) -> Promotion | None:
    typed = code.strip()
    if not _CODE.fullmatch(typed):
        return None  # no code that Stripe could have
    return runtime.gateway.find_promotion_code(typed, customer_id=buyer.customer_id)


def _buyer(session: Session, user_id: str | None) -> Buyer:
    if user_id is None:
        return _STRANGER
    customer = customers.of_user(session, user_id=user_id)
    return Buyer(customer.stripe_customer_id, codes.has_paid(session, user_id=user_id))


def _plan(session: Session, user_id: str) -> subscriptions.Subscription:
    plan = subscriptions.of_customer(session, user_id=user_id)
    if plan is None:
        raise errors.Conflict(
            "plan.none", "You have no plan that runs. Use the code when you choose one."
        )
    return plan
