"""A pack of credits that was paid for: on record first, then on the account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, ledger, payments
from talkingphoto.billing.payments import CheckoutFacts, Payment
from talkingphoto.foundation.money import Money


def record(
    session: Session, *, facts: CheckoutFacts, now: datetime, looked_at: datetime
) -> Payment:
    """A paid pack is on record: the payment."""
    assert facts.is_paid and facts.user_id and facts.item and facts.amount
    sold = catalog.item(facts.item)
    payment = Payment(
        id=facts.id,
        user_id=facts.user_id,
        kind="pack",
        item=sold.key,
        description=sold.title,
        amount=facts.amount,
        tax_minor=facts.tax_minor,
        status="paid",
        created_at=facts.created_at,
        payment_intent_id=facts.payment_intent_id,
        paid_at=now,
    )
    payments.record(session, payment, looked_at=looked_at)
    return payment


def grant(session: Session, payment: Payment, *, now: datetime) -> None:
    """The credits of a paid pack are there, once."""
    sold = catalog.item(payment.item)
    ledger.grant(
        session,
        ledger.NewLot(
            key=f"checkout:{payment.id}",
            user_id=payment.user_id,
            source="pack",
            credits=sold.credits,
            price=payment.amount,
            tax=Money(payment.tax_minor, payment.amount.currency),
            expires_at=None,
            reference=payment.id,
            description=f"{sold.title} bought",
        ),
        now=now,
    )
