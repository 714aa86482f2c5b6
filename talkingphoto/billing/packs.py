"""Packs that were paid: on record, and their credits there, once a payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, ledger, payments, receipts
from talkingphoto.foundation.money import Money


@dataclass(frozen=True)
class BoughtPack:
    """A pack and the payment that paid it: a checkout's, or a top-up's."""

    key: str
    payment_id: str
    user_id: str
    item: catalog.Item
    amount: Money
    tax_minor: int


def record(
    session: Session, *, facts: payments.CheckoutFacts, now: datetime, looked_at: datetime
) -> BoughtPack:
    """A paid pack is on record and its receipt has a number: the pack, to be granted."""
    assert facts.is_paid and facts.user_id and facts.item and facts.amount
    sold = catalog.item(facts.item)
    payment = payments.Payment(
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
    receipts.issue(session, payment_id=payment.id, user_id=payment.user_id, at=now)
    return BoughtPack(
        key=f"checkout:{facts.id}",
        payment_id=facts.id,
        user_id=facts.user_id,
        item=sold,
        amount=facts.amount,
        tax_minor=facts.tax_minor,
    )


def grant(session: Session, bought: BoughtPack, *, now: datetime) -> None:
    """The credits of a pack that was paid are there, once a payment."""
    ledger.grant(
        session,
        ledger.NewLot(
            key=bought.key,
            user_id=bought.user_id,
            source="pack",
            credits=bought.item.credits,
            price=bought.amount,
            tax=Money(bought.tax_minor, bought.amount.currency),
            expires_at=None,
            reference=bought.payment_id,
            description=f"{bought.item.title} bought",
        ),
        now=now,
    )
