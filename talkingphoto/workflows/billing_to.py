"""Who is billed: kept here first, then told to Stripe, so that the next invoice shows it."""

from __future__ import annotations

from datetime import timedelta

import structlog

from talkingphoto.billing import customers, details
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from talkingphoto.workflows import paying_customer

log = structlog.get_logger()
_LEFT_BEHIND = timedelta(minutes=2)


def save(runtime: Runtime, *, user_id: str, given: details.BillingDetails) -> None:
    """The details are kept and Stripe has heard of them; InvalidRequest for what cannot be."""
    kept, now = details.checked(given), runtime.clock()
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        details.save(session, user_id=user_id, kept=kept, now=now)
    _tell(runtime, user_id=user_id)


def tell_owed(runtime: Runtime) -> int:
    """Stripe has heard of details that were saved when it, or we, fell silent; how many."""
    before = runtime.clock() - _LEFT_BEHIND
    with runtime.read_only() as session:
        waiting = details.owed(session, before=before)
    told = 0
    for user_id in waiting:
        try:
            _tell(runtime, user_id=user_id)
            told += 1
        except (errors.InvalidRequest, errors.NotFound) as refusal:
            log.warning("details.refused", user_id=user_id, code=refusal.code)
        except errors.Unavailable:
            break  # the rest waits for the next sweep
    return told


def _tell(runtime: Runtime, *, user_id: str) -> None:
    customer_id = paying_customer.ensure(runtime, user_id=user_id)
    with runtime.read_only() as session:
        kept = details.of_customer(session, user_id=user_id)
    try:
        runtime.gateway.bill_to(customer_id, kept)
    except errors.InvalidRequest as refusal:
        with runtime.transaction() as session:
            details.mark(session, user_id=user_id, kept=kept, state="refused")
        raise errors.InvalidRequest(
            "details.refused",
            "Our payment partner does not accept these details. Check the tax id and the country.",
        ) from refusal
    with runtime.transaction() as session:
        details.mark(session, user_id=user_id, kept=kept, state="told")
