"""A renewal was refused, is asked about by the bank, was paid after all, or given up."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import payments, recovery
from talkingphoto.billing.subscriptions import InvoiceFacts
from talkingphoto.events.handling import Look

# What is refused on a page is told there; only what we collect by ourselves is owed by mail.
_COLLECTED = "subscription_cycle"
_BANK_ASKS = "authentication_required"


def note(
    session: Session, look: Look, *, user_id: str, invoice: InvoiceFacts, plan_is_over: bool
) -> None:
    """What the customer owes is known, and they hear of it the first time."""
    if invoice.billing_reason != _COLLECTED or invoice.subscription_id is None:
        return
    if invoice.status == "open" and invoice.last_try.failed:
        if payments.get(session, payment_id=invoice.id).paid_at is not None:
            return  # paid since this look, and nobody is to be told that it failed
        refused = recovery.Refused(
            invoice_id=invoice.id,
            user_id=user_id,
            subscription_id=invoice.subscription_id,
            amount=invoice.charged or invoice.total,
            hosted_url=invoice.hosted_url or "",
            last_try=invoice.last_try,
        )
        owed = recovery.record_refusal(
            session, refused=refused, now=look.now, looked_at=look.looked_at
        )
        if plan_is_over:
            recovery.lose(session, subscription_id=invoice.subscription_id, now=look.now)
        elif owed:
            _tell(session, look, user_id=user_id, invoice=invoice)
    elif invoice.status in {"paid", "void", "uncollectible"}:
        recovery.record_end(
            session,
            invoice_id=invoice.id,
            method_id=invoice.last_try.method_id if invoice.status == "paid" else None,
            now=look.now,
            looked_at=look.looked_at,
        )


def _tell(session: Session, look: Look, *, user_id: str, invoice: InvoiceFacts) -> None:
    tried = invoice.last_try
    template, facts = "payment_failed", {"payment_id": invoice.id}
    if tried.needs_bank or tried.code == _BANK_ASKS:
        template = "bank_asks"
    else:
        facts["code"] = tried.code or ""
        facts["next_try_at"] = moments.day(tried.next_try_at)
    mails.owe(
        session,
        key=f"{template}:{invoice.id}",
        user_id=user_id,
        template=template,
        facts=facts,
        now=look.now,
    )
