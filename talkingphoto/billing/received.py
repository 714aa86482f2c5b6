"""Whether money that an event tells of is on record already."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from talkingphoto.billing.payments import CheckoutRow, PaymentRow

# The money came; what of it was given back since is another matter.
_RECEIVED = ("paid", "refunded", "partly_refunded")


def is_received(session: Session, *, known_as: str) -> bool:
    """Whether the payment of that id, or of that PaymentIntent, came, for something we sell."""
    which = (PaymentRow.id == known_as) | (PaymentRow.payment_intent_id == known_as)
    came = select(PaymentRow.id).where(which, PaymentRow.status.in_(_RECEIVED))
    return session.scalars(came.where(PaymentRow.item != "")).first() is not None


def is_fulfilled(session: Session, *, session_id: str) -> bool:
    """Whether the checkout with that page was paid, and so brought what was bought."""
    paid = select(CheckoutRow.item).filter_by(session_id=session_id, state="paid")
    return session.scalars(paid).first() is not None
