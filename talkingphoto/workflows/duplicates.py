"""A second plan that was paid by accident is ended at once and its payment goes back in full."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import customers, duplicates, ledger, ledger_claims, plan_credits
from talkingphoto.billing.duplicates import Duplicate
from talkingphoto.billing.endings import Why
from talkingphoto.billing.subscriptions import LIVE, InvoiceFacts
from talkingphoto.events import invoices, plans
from talkingphoto.events.handling import Look, Write, look_at
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
_REASON = "A second plan, given back"
_A_DAY = timedelta(days=1)


def sweep(runtime: Runtime) -> int:
    """Every plan too many that is known is given back; how many were looked at."""
    now = runtime.clock()
    with runtime.read_only() as session:
        waiting = duplicates.due(session, now=now)
    for subscription_id in waiting:
        try:
            settle(runtime, subscription_id)
        except errors.AppError as fault:
            log.warning("duplicate.postponed", subscription_id=subscription_id, code=fault.code)
            with runtime.transaction() as session:
                duplicates.postpone(session, subscription_id=subscription_id, now=now)
    return len(waiting)


def settle(runtime: Runtime, subscription_id: str) -> None:
    """The plan has ended and was paid back, or is kept since the older one is over by now."""
    with runtime.read_only() as session:
        found = duplicates.unsettled(session, subscription_id=subscription_id)
    if found is None:
        return  # by an earlier run
    look = look_at(runtime)
    kept = plans.seen(look, found.kept_id)
    paid = _paid(look, found)
    if kept is None or kept.facts.status not in LIVE:
        _dismiss(runtime, found, kept=kept, writes=[invoices.write_of_facts(look, p) for p in paid])
        return
    runtime.gateway.end_now(subscription_id, why=Why(), key=f"duplicate:{subscription_id}")
    returned = frozenset(one.id for one in paid if _returned(runtime, one))
    _write_down(runtime, found, paid, returned=returned)


def _returned(runtime: Runtime, invoice: InvoiceFacts) -> bool:
    """Whether all of it went back to its payer, now or before; a bank that decides keeps it."""
    intent = invoice.payment_intent_id
    if intent is None:
        return True  # nothing was charged
    made = runtime.gateway.return_payment(intent, idempotency_key=f"duplicate:{invoice.id}")
    return made or runtime.gateway.is_given_back(intent)


def _paid(look: Look, found: Duplicate) -> list[InvoiceFacts]:
    """The paid invoices of the plan too many, each with what paid it."""
    plan = plans.seen(look, found.subscription_id)
    if plan is None:
        return []
    listed = look.stripe.fetch_invoices(found.subscription_id, since=plan.facts.started_at - _A_DAY)
    whole = (look.stripe.fetch_invoice(one.id) for one in listed if one.status == "paid")
    return [invoice for invoice in whole if invoice is not None]


def _dismiss(
    runtime: Runtime, found: Duplicate, *, kept: plans.Plan | None, writes: list[Write]
) -> None:
    now = runtime.clock()
    with runtime.transaction() as session:
        customers.lock(session, user_id=found.user_id)
        duplicates.end(session, subscription_id=found.subscription_id, state="dismissed", now=now)
        if kept is not None:
            plans.record(session, user_id=found.user_id, plan=kept)
        for write in writes:
            write(session)


def _write_down(
    runtime: Runtime, found: Duplicate, paid: list[InvoiceFacts], *, returned: frozenset[str]
) -> None:
    look = look_at(runtime)
    ended = plans.seen(look, found.subscription_id)
    writes = [invoices.write_of_facts(look, invoice) for invoice in paid]
    with runtime.transaction() as session:
        customers.lock(session, user_id=found.user_id)
        if ended is not None:
            plans.record(session, user_id=found.user_id, plan=ended)
        for write in writes:
            write(session)
        fresh = duplicates.end(
            session, subscription_id=found.subscription_id, state="returned", now=look.now
        )
        for invoice in paid if fresh else ():
            _give_back(session, found, invoice, look)
            _tell(session, found, invoice, look, is_back=invoice.id in returned)
    if fresh:
        log.error(
            "alert.duplicate_plan",
            subscription_id=found.subscription_id,
            kept_id=found.kept_id,
            user_id=found.user_id,
        )


def _give_back(session: Session, found: Duplicate, invoice: InvoiceFacts, look: Look) -> None:
    """What the plan brought before it was known to be one too many is taken back."""
    plan_credits.stop_drips(session, reference=invoice.id)
    for lot in ledger.lots_of(session, reference=invoice.id):
        ledger_claims.claw_back(
            session,
            key=f"duplicate:{lot.key}",
            lot_key=lot.key,
            credits=lot.credits,
            reason=_REASON,
            now=look.now,
        )


def _tell(
    session: Session, found: Duplicate, invoice: InvoiceFacts, look: Look, *, is_back: bool
) -> None:
    if not is_back:
        what = "A second plan was paid by accident and Stripe does not give it back. Look at it."
        mails.needs_a_hand(session, what=what, about=invoice.id, now=look.now)
        log.error("alert.payment_not_returned", payment_id=invoice.id)
        return
    charged = invoice.charged or invoice.total
    mails.owe(
        session,
        key=mails.returned_key(invoice.id),
        user_id=found.user_id,
        template="payment_returned",
        facts={"amount": moments.money(charged)},
        now=look.now,
    )
