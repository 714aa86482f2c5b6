"""Rows of the ledger as its words, and what several of its verbs do with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from talkingphoto.billing import ledger_sql
from talkingphoto.billing.ledger_tables import LotRow
from talkingphoto.billing.ledger_types import Kind, Lot
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

MOST_CREDITS = 1_000_000


@dataclass(frozen=True)
class Entry:
    """Credits that enter (above zero) or leave (below) one account of one lot."""

    account: str
    lot_id: UUID
    credits: int


@dataclass(frozen=True)
class Posting:
    """One ledger transaction about a customer's credits; `credits` is what was asked for."""

    user_id: UUID
    kind: Kind
    key: str
    reason: str
    credits: int
    entries: tuple[Entry, ...]


def post(session: Session, posting: Posting, *, now: datetime) -> None:
    """The transaction is in the books with its entries that move anything."""
    moving = [entry for entry in posting.entries if entry.credits]
    values = {
        "user_id": posting.user_id,
        "kind": posting.kind,
        "key": posting.key,
        "reason": posting.reason,
        "credits": posting.credits,
        "accounts": [entry.account for entry in moving],
        "lot_ids": [entry.lot_id for entry in moving],
        "moved": [entry.credits for entry in moving],
        "now": now,
    }
    session.execute(ledger_sql.POST, values)


def wake_late(session: Session, lot_ids: list[UUID], *, now: datetime) -> None:
    """Of those lots, the ones that ran out live a grace longer, for what is about to return."""
    late = list(session.scalars(ledger_sql.RAN_OUT, {"lot_ids": lot_ids, "now": now}))
    if late:
        # First empty them: the grace is for the returned credits, not for what was left unused.
        expire_lots(session, late, now=now)
        session.execute(ledger_sql.REVIVE_LOTS, {"lot_ids": late})


def expire_lots(session: Session, lot_ids: list[UUID], *, now: datetime) -> None:
    """Those of the lots that are past their end are empty."""
    if lot_ids:
        session.execute(ledger_sql.EXPIRE_LOTS, {"lot_ids": lot_ids, "now": now})


def lot_of_key(session: Session, key: str) -> Row[Any] | None:
    """The lot's row as it is now; None for an unknown key."""
    # The table and not the class: a row kept by the session would be as it was before the verb.
    query = select(LotRow.__table__).where(LotRow.key == key)
    return session.execute(query).one_or_none()


def known_lot(session: Session, key: str) -> Row[Any]:
    """The lot's row as it is now; NotFound for an unknown key."""
    found = lot_of_key(session, key)
    if found is None:
        raise errors.NotFound("ledger.lot_unknown", "There is no such lot of credits.")
    return found


def lot(row: Row[Any]) -> Lot:
    """The row in words."""
    return Lot(
        id=str(row.id),
        key=row.key,
        user_id=str(row.user_id),
        source=row.source,
        credits=row.credits,
        remaining=row.remaining,
        price=None if row.price_minor is None else Money(row.price_minor, row.currency),
        tax=None if row.tax_minor is None else Money(row.tax_minor, row.currency),
        expires_at=row.expires_at,
        usable_until=row.usable_until,
        reference=row.reference,
        description=row.description,
        created_at=row.created_at,
        frozen=row.frozen_since is not None,
    )


def require_countable(credits: int) -> None:
    """Returns for a number of credits that can be moved at once."""
    if type(credits) is not int or not 1 <= credits <= MOST_CREDITS:
        raise errors.InvalidRequest(
            "ledger.credits", f"Credits are a whole number from 1 to {MOST_CREDITS}."
        )


def key_reused() -> errors.Conflict:
    """The refusal of a key that stands for another fact already."""
    return errors.Conflict("ledger.key_reused", "That key was used before, for something else.")
