"""What staff may give, to whom, how often: a gift is once a request, and says who gave it why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import customers, ledger
from talkingphoto.foundation import clock, errors

Kind = Literal["goodwill", "gift"]

MOST_BY_SUPPORT = 20
MOST_BY_SUPPORT_A_MONTH = 50
MOST_BY_ADMIN = 500
MONTHS = 12
_WORDS: dict[Kind, str] = {"goodwill": "With our apologies", "gift": "A gift from us"}

_GIVEN = text("""
    SELECT CAST(coalesce(sum(credits), 0) AS bigint) AS credits FROM lots
    WHERE user_id = :user_id AND source IN ('goodwill', 'gift')
        AND created_at >= :since AND created_at < :until
""")
_KNOWN = text("SELECT user_id, source, credits FROM lots WHERE key = :key")


@dataclass(frozen=True)
class Gift:
    """Credits that a member of staff gives, and why; the request's id makes it once."""

    credits: int
    kind: Kind
    reason: str
    request_id: str


def give(session: Session, gift: Gift, *, user_id: str, by_admin: bool, now: datetime) -> bool:
    """The customer has the credits for twelve months; False when this request gave them before.

    InvalidRequest above what the giver may give, Conflict for a request used for another gift."""
    customers.lock(session, user_id=user_id)
    if _known(session, gift, user_id=user_id):
        return False
    _require_allowed(session, gift, user_id=user_id, by_admin=by_admin, now=now)
    ledger.grant(
        session,
        ledger.NewLot(
            key=_key(gift),
            user_id=user_id,
            source=gift.kind,
            credits=gift.credits,
            expires_at=clock.add_months(now, months=MONTHS),
            description=_WORDS[gift.kind],
        ),
        now=now,
    )
    return True


def given_in_month(session: Session, *, user_id: str, now: datetime) -> int:
    """How many credits staff gave that customer since the month began, in UTC."""
    begun = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    values = {
        "user_id": UUID(user_id),
        "since": begun,
        "until": clock.add_months(begun, months=1),
    }
    return int(session.execute(_GIVEN, values).scalar_one())


def _key(gift: Gift) -> str:
    return f"staff:{gift.request_id}"


def _known(session: Session, gift: Gift, *, user_id: str) -> bool:
    row = session.execute(_KNOWN, {"key": _key(gift)}).one_or_none()
    if row is None:
        return False
    if (str(row.user_id), row.source, row.credits) != (user_id, gift.kind, gift.credits):
        raise errors.Conflict(
            "office.request_used", "This form was used for another gift. Reload the page."
        )
    return True


def _require_allowed(
    session: Session, gift: Gift, *, user_id: str, by_admin: bool, now: datetime
) -> None:
    most = MOST_BY_ADMIN if by_admin else MOST_BY_SUPPORT
    if gift.kind not in _WORDS or type(gift.credits) is not int or not 0 < gift.credits <= most:
        raise errors.InvalidRequest("office.gift", f"Give from 1 to {most} videos.")
    given = given_in_month(session, user_id=user_id, now=now)
    if not by_admin and given + gift.credits > MOST_BY_SUPPORT_A_MONTH:
        left = max(0, MOST_BY_SUPPORT_A_MONTH - given)
        raise errors.InvalidRequest(
            "office.gift_limit",
            f"A customer is given at most {MOST_BY_SUPPORT_A_MONTH} videos a month: {left} are "
            "left. Ask an admin for more.",
        )
