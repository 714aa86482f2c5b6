"""Money that goes back in a test: who asks, what was spent before, what Stripe has done."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from services.refund_service import RefundOrder, RefundView
from talkingphoto.accounts import staff
from talkingphoto.billing import ledger
from talkingphoto.foundation.money import Money
from tests.support.shop import Person, Shop

# Everybody begins with these.
FREE = 3


def usd(minor: int) -> Money:
    """So many cents."""
    return Money(minor, "usd")


def payment_of(shop: Shop, person: Person) -> str:
    """The id of the person's newest payment."""
    return shop.payments.account(person.id).invoices[0].id


def status_of(shop: Shop, person: Person) -> str:
    """How that payment stands."""
    return shop.payments.account(person.id).invoices[0].status


def spends(shop: Shop, person: Person, credits: int) -> None:
    """The person has made so many videos with what ends first."""
    now, hold_id = shop.clock(), str(uuid.uuid4())
    with shop.runtime.transaction() as session:
        ledger.hold(
            session,
            hold_id=hold_id,
            user_id=person.id,
            credits=credits,
            expires_at=now + timedelta(hours=1),
            now=now,
        )
        ledger.settle(session, hold_id=hold_id, now=now)


def balance(shop: Shop, person: Person) -> ledger.Balance:
    """What the person has, in books that agree with themselves."""
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()
        return ledger.balance(session, user_id=person.id, now=shop.clock())


def a_colleague(shop: Shop, role: staff.Role = "support") -> Person:
    """Somebody who works here."""
    colleague = shop.a_person()
    with shop.runtime.transaction() as session:
        staff.appoint(session, email=colleague.email, role=role)
    return colleague


def gives_back(shop: Shop, payment_id: str, minor: int | None, **chosen: object) -> RefundView:
    """A colleague has given so much back, or all that is left."""
    order = RefundOrder(
        payment_id=payment_id,
        amount=None if minor is None else usd(minor),
        reason="The video was not what was promised",
        request_id=str(chosen.pop("request_id", uuid.uuid4())),
        forgive=bool(chosen.pop("forgive", False)),
    )
    return shop.refunds.refund(staff_id=a_colleague(shop).id, order=order)


def refunded_at_stripe(shop: Shop, payment_id: str) -> list[int]:
    """What Stripe has given back of a payment, refund by refund."""
    with shop.runtime.read_only() as session:
        intent = session.execute(
            text("SELECT payment_intent_id FROM payments WHERE id = :id"), {"id": payment_id}
        ).scalar_one()
    listed = shop.sandbox.client(shop.key).v1.refunds.list({"payment_intent": intent})
    return [one.amount for one in listed.data]


def newest(shop: Shop, resource: str) -> Any:
    """The newest object of a kind at Stripe."""
    return getattr(shop.sandbox.client(shop.key).v1, resource).list({"limit": 1}).data[0]
