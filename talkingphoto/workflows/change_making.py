"""A plan change is made: the intent is written, Stripe is asked, the outcome is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import catalog, changes, customers, plan_credits
from talkingphoto.billing.changes import Change, Outcome, Standing
from talkingphoto.billing.subscriptions import InvoiceFacts
from talkingphoto.events import invoices
from talkingphoto.events.handling import look_at, owner
from talkingphoto.foundation import errors, ids
from talkingphoto.foundation.money import Money
from talkingphoto.integrations.stripe_changes import ChangeOrder, ScheduleOrder
from talkingphoto.runtime import Runtime
from talkingphoto.workflows import change_preview

log = structlog.get_logger()
_REFUSED = (
    "change.refused",
    "Your plan could not be changed. Nothing was charged. Look at it once more.",
)


@dataclass(frozen=True)
class ChangeOutcome:
    """What became of a change, told to the person who asked for it."""

    state: str
    item: str
    name: str
    charged: Money | None
    credits_added: int
    at: datetime
    pay_url: str | None
    message: str


def confirm(runtime: Runtime, *, user_id: str, token: str, request_id: str) -> ChangeOutcome:
    """The change that was shown is made, once; Conflict when it is not what was shown any more.

    The same request gives the same outcome, also after a crash in between."""
    offer = change_preview.read(runtime, token, user_id=user_id)
    if not ids.is_uuid(request_id):
        raise errors.InvalidRequest(
            "change.request_id", "This form is out of date. Reload the page and try again."
        )
    known = _sent_before(runtime, user_id=user_id, request_id=request_id)
    if known is None:
        try:
            _check(runtime, offer, user_id=user_id)
        except errors.Conflict:
            # The same yes, sent twice: the other one may have changed the plan just now.
            known = _sent_before(runtime, user_id=user_id, request_id=request_id)
            if known is None:
                raise
    if known is None:
        now = runtime.clock()
        with runtime.transaction() as session:
            wanted = _intent(offer, request_id=request_id, old=_old_item(session, offer))
            known = changes.open_change(session, wanted, now=now)
    return carry_out(runtime, known)


def _sent_before(runtime: Runtime, *, user_id: str, request_id: str) -> Change | None:
    with runtime.read_only() as session:
        return changes.find(session, user_id=user_id, request_id=request_id)


def carry_out(runtime: Runtime, change: Change) -> ChangeOutcome:
    """A change that was asked for is made, if no earlier run has made it, and what came of it."""
    if change.state == "asked":
        _ask(runtime, change)
    with runtime.read_only() as session:
        now = changes.find(session, user_id=change.user_id, request_id=change.request_id)
        assert now is not None, "a change is never deleted"
        paid_by = now.invoice_id
        added = plan_credits.granted_by(session, reference=paid_by) if paid_by else 0
    return _told(now, added=added)


def undo(runtime: Runtime, *, user_id: str) -> None:
    """The plan stays as it is; Conflict when no change was waiting, or it has begun."""
    with runtime.read_only() as session:
        change = changes.open_of(session, user_id=user_id)
    if change is None or change.state != "scheduled" or change.schedule_id is None:
        raise errors.Conflict("change.nothing", "There is no change to undo.")
    runtime.gateway.release_schedule(change.schedule_id)
    look = look_at(runtime)
    facts = look.stripe.fetch_subscription(change.subscription_id)
    with runtime.transaction() as session:
        if facts is not None:
            owner(session, facts.customer_id)
            changes.follow(session, facts=facts, looked_at=look.looked_at, now=look.now)
        after = changes.find(session, user_id=user_id, request_id=change.request_id)
    if after is not None and after.state == "done":
        raise errors.Conflict("change.begun", "The new plan has begun already.")


def sweep(runtime: Runtime) -> int:
    """Changes whose time has come are looked at, one after the other; how many those were."""
    now = runtime.clock()
    with runtime.read_only() as session:
        waiting = changes.due(session, now=now)
    for change in waiting:
        try:
            _look_after(runtime, change)
        except errors.AppError as fault:
            # The others are not to wait for it; it is tried again by a later sweep.
            log.warning("change.postponed", request_id=change.request_id, code=fault.code)
            _postpone(runtime, change, until=runtime.clock() + changes.GRACE)
    return len(waiting)


def _check(runtime: Runtime, offer: change_preview.Offer, *, user_id: str) -> None:
    """The change is still the one that was shown, and costs the same to the cent."""
    if runtime.clock().timestamp() > offer.expires:
        raise errors.Conflict(*changes.STALE)
    start = change_preview.begin(runtime, user_id=user_id, item=offer.to_item)
    standing = start.standing
    same = (standing.subscription_id, standing.price_id, start.price_id, start.kind)
    if same != (offer.subscription_id, offer.from_price, offer.to_price, offer.kind):
        raise errors.Conflict(*changes.STALE)
    at = datetime.fromtimestamp(offer.at, UTC)
    if offer.kind == "period_end":
        if standing.period_end != at:
            raise errors.Conflict(*changes.STALE)
        return
    try:
        facts = runtime.gateway.preview_change(start.order(at))
    except errors.InvalidRequest as fault:  # the period it was counted in is over
        raise errors.Conflict(*changes.STALE) from fault
    if not offer.shows(facts):
        raise errors.Conflict(*changes.STALE)


def _old_item(session: Session, offer: change_preview.Offer) -> str:
    old = catalog.item_of_price(session, price_id=offer.from_price)
    assert old is not None, "the plan that is changed is one of ours"
    return old.key


def _intent(offer: change_preview.Offer, *, request_id: str, old: str) -> Change:
    return Change(
        user_id=offer.user_id,
        request_id=request_id,
        subscription_id=offer.subscription_id,
        from_item=old,
        to_item=offer.to_item,
        price_id=offer.to_price,
        kind=offer.kind,
        at=datetime.fromtimestamp(offer.at, UTC),
        charge=Money(offer.charge, offer.currency),
    )


def _ask(runtime: Runtime, change: Change) -> None:
    standing = runtime.gateway.fetch_standing(change.subscription_id)
    if standing is None or standing.status == "canceled":
        _close(runtime, change)
        raise changes.no_plan()
    _let_go(runtime, standing)
    try:
        if change.kind == "period_end":
            _schedule(runtime, change, standing)
            return
        # One that waits for its payment at Stripe is replaced by this one, or answers as before.
        if standing.price_id != change.price_id:
            runtime.gateway.change_now(
                _order(change, standing), idempotency_key=change.idempotency_key
            )
    except errors.PaymentDeclined:
        _close(runtime, change)
        return
    except errors.InvalidRequest as fault:
        _close(runtime, change)
        raise errors.Conflict(*_REFUSED) from fault
    _settle(runtime, change)


def _let_go(runtime: Runtime, standing: Standing) -> None:
    """A schedule of an earlier change holds the plan no more."""
    with runtime.read_only() as session:
        ours = changes.schedules_of(session, subscription_id=standing.subscription_id)
    if standing.schedule_id in ours and standing.schedule_id is not None:
        runtime.gateway.release_schedule(standing.schedule_id)


def _order(change: Change, standing: Standing) -> ChangeOrder:
    return ChangeOrder(
        subscription_id=change.subscription_id,
        line_id=standing.line_id,
        price_id=change.price_id,
        at=change.at,
    )


def _schedule(runtime: Runtime, change: Change, standing: Standing) -> None:
    interval = catalog.item(change.to_item).interval
    assert interval is not None, "a change is to a plan"
    schedule_id = runtime.gateway.schedule_change(
        ScheduleOrder(
            idempotency_key=change.idempotency_key,
            standing=standing,
            price_id=change.price_id,
            interval=interval,
        )
    )
    outcome = Outcome(
        state="scheduled",
        # After the answer: who looked before it has not seen the schedule.
        looked_at=runtime.wall_clock(),
        schedule_id=schedule_id,
        due_at=standing.period_end + changes.GRACE,
    )
    now = runtime.clock()
    with runtime.transaction() as session:
        if changes.move(session, change, outcome, now=now):
            facts = {"item": change.to_item, "at": moments.day(standing.period_end)}
            mails.owe(
                session,
                key=change.idempotency_key,
                user_id=change.user_id,
                template="change_scheduled",
                facts=facts,
                now=now,
            )


def _settle(runtime: Runtime, change: Change) -> None:
    """What Stripe has made of the change is on record, with the invoice and its credits."""
    look = look_at(runtime)
    standing = look.stripe.fetch_standing(change.subscription_id)
    assert standing is not None, "a subscription stays at Stripe"
    invoice = (
        look.stripe.fetch_invoice(standing.latest_invoice_id)
        if standing.latest_invoice_id
        else None
    )
    outcome = _outcome(change, standing, invoice, looked_at=look.looked_at)
    write = invoices.write_of_facts(look, invoice) if invoice else None
    if outcome.state == "done" and invoice and invoice.charged not in {None, change.charge}:
        log.error("alert.change_charge", invoice_id=invoice.id, request_id=change.request_id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=change.user_id)
        changes.move(session, change, outcome, now=look.now)
        if write is not None:
            write(session)


def _outcome(
    change: Change, standing: Standing, invoice: InvoiceFacts | None, *, looked_at: datetime
) -> Outcome:
    invoice_id = invoice.id if invoice else None
    if standing.price_id == change.price_id:
        return Outcome(state="done", looked_at=looked_at, invoice_id=invoice_id)
    if standing.waiting_until is not None:
        return Outcome(
            state="waiting",
            looked_at=looked_at,
            invoice_id=invoice_id,
            pay_url=invoice.hosted_url if invoice else None,
            due_at=standing.waiting_until + changes.GRACE,
        )
    return Outcome(state="failed", looked_at=looked_at)


def _look_after(runtime: Runtime, change: Change) -> None:
    now = runtime.clock()
    if change.state == "asked":
        assert change.created_at is not None, "a stored change has its time"
        if now - change.created_at < changes.GIVE_UP_AFTER:
            carry_out(runtime, change)
        else:
            _settle(runtime, change)
        return
    if change.state in {"waiting", "scheduled"}:
        look = look_at(runtime)
        facts = look.stripe.fetch_subscription(change.subscription_id)
        with runtime.transaction() as session:
            changes.postpone(session, change, until=now + changes.GIVE_UP_AFTER)
            if facts is not None:
                changes.follow(session, facts=facts, looked_at=look.looked_at, now=now)
        return
    if change.schedule_id is not None:
        runtime.gateway.release_schedule(change.schedule_id)
    _postpone(runtime, change, until=None)


def _close(runtime: Runtime, change: Change) -> None:
    outcome, now = Outcome(state="failed", looked_at=runtime.wall_clock()), runtime.clock()
    with runtime.transaction() as session:
        changes.move(session, change, outcome, now=now)


def _postpone(runtime: Runtime, change: Change, *, until: datetime | None) -> None:
    with runtime.transaction() as session:
        changes.postpone(session, change, until=until)


def _told(change: Change, *, added: int) -> ChangeOutcome:
    item = catalog.item(change.to_item)
    on = f"{change.at.day} {change.at:%b %Y}"
    words = {
        "asked": "Your change is on its way. Look again in a minute.",
        "done": f"You are on {item.title} now." + (f" {added} videos were added." if added else ""),
        "scheduled": f"You change to {item.title} on {on}. Until then all stays as it is.",
        "waiting": "Your bank has not let the payment through. Pay within 23 hours to change.",
        "failed": "The payment did not go through. Your plan is as it was.",
        "undone": "The change was undone. Your plan stays as it is.",
    }
    return ChangeOutcome(
        state={"asked": "waiting", "undone": "failed"}.get(change.state, change.state),
        item=item.key,
        name=item.title,
        charged=change.charge if change.state == "done" else None,
        credits_added=added,
        at=change.at,
        pay_url=change.pay_url if change.state == "waiting" else None,
        message=words[change.state],
    )
