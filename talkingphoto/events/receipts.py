"""A payment went through: its payer hears of it once, and the founder of the first one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.accounts import free_videos, mails, moments
from talkingphoto.billing import free, payments, plan_credits, subscriptions
from talkingphoto.foundation.money import Money


def owe(session: Session, *, payment_id: str, now: datetime) -> None:
    """The receipt of a pack or a renewal is on its way."""
    payment = payments.get(session, payment_id=payment_id)
    _tell(session, payment, template="receipt", facts={"payment_id": payment.id}, now=now)


def owe_welcome(session: Session, *, payment_id: str, now: datetime) -> None:
    """The welcome to a new plan is on its way; it is the receipt too: one payment, one message."""
    payment = payments.get(session, payment_id=payment_id)
    plan = subscriptions.of_customer(session, user_id=payment.user_id)
    facts = {
        "payment_id": payment.id,
        "item": payment.item,
        "renews_at": moments.day(plan.renews_at if plan else None),
    }
    _tell(session, payment, template="welcome_plan", facts=facts, now=now)


def owe_change(session: Session, *, payment_id: str, charged: Money, now: datetime) -> None:
    """The news of a changed plan is on its way, with what was charged and brought for it."""
    payment = payments.get(session, payment_id=payment_id)
    plan = subscriptions.of_customer(session, user_id=payment.user_id)
    if plan is None:
        return  # ended meanwhile: its own message says so
    facts = {
        "item": plan.item.key,
        "charged": moments.money(charged),
        "credits": str(plan_credits.granted_by(session, reference=payment.id)),
    }
    _tell(session, payment, template="plan_changed", facts=facts, now=now)


def owe_topped_up(session: Session, *, payment_id: str, now: datetime) -> None:
    """The receipt of a pack that was bought by itself is on its way."""
    payment = payments.get(session, payment_id=payment_id)
    _tell(session, payment, template="topped_up", facts={"payment_id": payment.id}, now=now)


def _tell(
    session: Session,
    payment: payments.Payment,
    *,
    template: str,
    facts: dict[str, str],
    now: datetime,
) -> None:
    key, payer = mails.receipt_key(payment.id), payment.user_id
    mails.owe(session, key=key, user_id=payer, template=template, facts=facts, now=now)
    if payment.amount.minor > 0:
        about = {"payment_id": payment.id}
        if free_videos.release(session, user_id=payer):
            free.grant(session, user_id=payer, now=now)
        mails.owe_founder(session, key="first_sale", template="first_sale", facts=about, now=now)
