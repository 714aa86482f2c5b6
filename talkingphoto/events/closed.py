"""What happens to a payment or a plan of an account that is over."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, users
from talkingphoto.billing import closings, returns

log = structlog.get_logger()


def gives_back(session: Session, *, user_id: str, payment_id: str, now: datetime) -> bool:
    """Whether the account is over; then the payment on record goes back and brings nothing, and
    whatever it paid for ends. The customer's lock is held, as it is when an account is deleted."""
    if not ends(session, user_id=user_id, now=now):
        return False
    if returns.owe(session, user_id=user_id, payment_id=payment_id, now=now):
        what = "Somebody paid for an account that is deleted. It is being given back."
        mails.needs_a_hand(session, what=what, about=payment_id, now=now)
        log.error("alert.payment_for_deleted_account", payment_id=payment_id, user_id=user_id)
    return True


def ends(session: Session, *, user_id: str, now: datetime) -> bool:
    """Whether the account is over; then whatever runs for it at Stripe will be ended."""
    if not users.is_deleted(session, user_id=user_id):
        return False
    closings.owe(session, user_id=user_id, now=now)
    return True
