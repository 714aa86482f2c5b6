"""An invoice was paid, or its payment failed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto.billing import plan_credits, subscriptions
from talkingphoto.events import plans, receipts
from talkingphoto.events.handling import Look, Write, owner
from talkingphoto.events.inbox import StripeEvent


def handle(look: Look, event: StripeEvent) -> Write | None:
    """The invoice is re-read and put on record; a paid one brings its credits."""
    return write_of(look, event.object_id)


def write_of(look: Look, invoice_id: str) -> Write | None:
    """What to write for that invoice and its subscription as they are now."""
    invoice = look.stripe.fetch_invoice(invoice_id)
    if invoice is None:
        return None
    plan = plans.seen(look, invoice.subscription_id) if invoice.subscription_id else None

    def write(session: Session) -> None:
        user_id = owner(session, invoice.customer_id)
        if user_id is None:
            return  # a customer of another product on the same Stripe account
        if plan is not None:
            plans.record(session, user_id=user_id, plan=plan)
        subscriptions.record_invoice(
            session, user_id=user_id, facts=invoice, looked_at=look.looked_at
        )
        added = plan_credits.grant_invoice(session, user_id=user_id, facts=invoice, now=look.now)
        if added:
            begins = invoice.billing_reason == "subscription_create"
            tell = receipts.owe_welcome if begins else receipts.owe
            tell(session, payment_id=invoice.id, now=look.now)

    return write
