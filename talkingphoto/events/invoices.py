"""An invoice was paid, or its payment failed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from talkingphoto.billing import (
    duplicates,
    plan_credits,
    received,
    steps,
    subscriptions,
    top_ups,
)
from talkingphoto.billing.subscriptions import InvoiceFacts
from talkingphoto.events import closed, collecting, plans, receipts
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent

LONGEST_MONTH = timedelta(days=40)
# The whole period that a part belongs to was billed within the year before it.
LOOK_BACK = timedelta(days=370)


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The invoice is re-read and put on record; a paid one brings its credits."""
    return write_of(look, event.object_id)


def is_known(session: Session, event: StripeEvent) -> bool:
    """Whether that invoice is on record as paid, for something we sell."""
    return received.is_received(session, known_as=event.object_id)


def write_of(look: Look, invoice_id: str) -> Write | None:
    """What to write for that invoice and its subscription as they are now."""
    invoice = look.stripe.fetch_invoice(invoice_id)
    return write_of_facts(look, invoice) if invoice else None


def write_of_facts(look: Look, invoice: InvoiceFacts) -> Write:
    """What to write for an invoice that was looked at, its subscription and what it brings."""
    plan = plans.seen(look, invoice.subscription_id) if invoice.subscription_id else None

    family = _family(look, invoice)

    def write(session: Session) -> None:
        user_id = owner(session, invoice.customer_id)
        if user_id is None:
            return  # a customer of another product on the same Stripe account
        if plan is not None:
            plans.record(session, user_id=user_id, plan=plan)
        subscriptions.record_invoice(
            session, user_id=user_id, facts=invoice, looked_at=look.looked_at
        )
        if invoice.status == "paid" and closed.gives_back(
            session, user_id=user_id, payment_id=invoice.id, now=look.now
        ):
            return
        over = plan is not None and plan.facts.status in subscriptions.OVER
        collecting.note(session, look, user_id=user_id, invoice=invoice, plan_is_over=over)
        if duplicates.is_one(session, subscription_id=invoice.subscription_id):
            return  # paid by accident, and on its way back
        added = plan_credits.grant_invoice(session, user_id=user_id, facts=invoice, now=look.now)
        if family:
            # May bring what others of the family were paid for: no receipt of this one's.
            steps.grant(session, user_id=user_id, family=family, now=look.now)
        if top_ups.fulfil(session, user_id=user_id, facts=invoice, now=look.now):
            receipts.owe_topped_up(session, payment_id=invoice.id, now=look.now)
        _tell(session, invoice, added=added, now=look.now)

    return write


def _tell(session: Session, invoice: InvoiceFacts, *, added: int, now: datetime) -> None:
    if invoice.status != "paid":
        return
    if invoice.billing_reason == steps.CHANGE and invoice.total.minor > 0:
        charged = invoice.charged or invoice.total
        receipts.owe_change(session, payment_id=invoice.id, charged=charged, now=now)
    elif invoice.billing_reason == "subscription_create" and added:
        receipts.owe_welcome(session, payment_id=invoice.id, now=now)
    elif added:
        receipts.owe(session, payment_id=invoice.id, now=now)


def _family(look: Look, invoice: InvoiceFacts) -> tuple[InvoiceFacts, ...]:
    """The invoices of the same time that say together what a change brings; else none."""
    lengths = [line.period_end - line.period_start for line in invoice.lines]
    is_year = any(length > LONGEST_MONTH for length in lengths)
    changed = invoice.billing_reason == steps.CHANGE
    if invoice.subscription_id is None or not lengths or not (changed or is_year):
        return ()
    since = min(line.period_start for line in invoice.lines) - LOOK_BACK
    others = look.stripe.fetch_invoices(invoice.subscription_id, since=since)
    return (*(one for one in others if one.id != invoice.id), invoice)
