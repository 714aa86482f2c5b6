"""Finding an account: by its address, its id, or the id of its customer at Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.accounts import users

MOST_FOUND = 20
LONGEST_QUESTION = 254
_FIND = text(
    """
    SELECT u.id, u.email, u.created_at, u.verified_at, u.deleted_at, c.stripe_customer_id
    FROM users u LEFT JOIN customers c ON c.user_id = u.id
    WHERE u.email_key = :key OR u.id::text = :asked OR c.stripe_customer_id = :asked
        OR (u.deleted_at IS NOT NULL AND lower(u.email) = :key)
        OR u.id IN (SELECT p.user_id FROM payments p
            WHERE p.id = :asked OR p.payment_intent_id = :asked)
        OR u.id IN (SELECT s.user_id FROM subscriptions s WHERE s.id = :asked)
    ORDER BY u.created_at DESC, u.id LIMIT :limit
    """
)


@dataclass(frozen=True)
class Entry:
    """An account as staff see it; `email` is masked for those who need not write to it."""

    id: str
    email: str
    created_at: datetime
    is_verified: bool
    deleted_at: datetime | None
    stripe_customer_id: str | None


def find(session: Session, *, asked: str, masked: bool) -> tuple[Entry, ...]:
    """The accounts that exactly this is said of, the newest first."""
    question = asked.strip()
    if not 0 < len(question) <= LONGEST_QUESTION or not question.isprintable():
        return ()
    rows = session.execute(
        _FIND,
        {"key": users.email_key(question), "asked": question, "limit": MOST_FOUND},
    )
    return tuple(
        Entry(
            id=str(row.id),
            email=users.masked(row.email) if masked else row.email,
            created_at=row.created_at,
            is_verified=row.verified_at is not None,
            deleted_at=row.deleted_at,
            stripe_customer_id=row.stripe_customer_id,
        )
        for row in rows
    )
