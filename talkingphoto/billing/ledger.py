"""The double-entry credit ledger: the only place where anyone's credits change.

Credits come in lots and leave them soonest-ending first. Every verb posts complete ledger
transactions under the customer's lock; the database refuses any that does not balance, and any
change of what was posted. The customer's row has to exist before the first verb.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from talkingphoto.billing import customers, ledger_sql
from talkingphoto.billing.ledger_tables import HoldRow, LotRow
from talkingphoto.foundation import errors, ids
from talkingphoto.foundation.money import Money

Source = Literal["free", "plan", "pack", "promo", "goodwill", "gift"]
Kind = Literal["grant", "hold", "release", "settle", "revoke", "expire"]
HoldState = Literal["held", "settled", "released", "expired"]

MOST_CREDITS = 1_000_000
LONGEST_PAGE = 200
LONGEST_SWEEP = 500
LONGEST_REPORT = 100
LONGEST_HOLD = timedelta(hours=24)
# A lot that ran out while we held its credits stays usable this long once we give them back.
RETURN_GRACE = timedelta(days=7)

# How a hold ends: the ledger transaction's kind, where its credits go, and the words for it.
_ENDINGS = {
    "settled": ("settle", "spent", "Video made"),
    "released": ("release", "available", "Returned: the video was not made"),
    "expired": ("release", "available", "Returned: the video took too long"),
}
_LOT_IDS = uuid.uuid5(uuid.NAMESPACE_OID, "talkingphoto lots")


@dataclass(frozen=True, kw_only=True)
class NewLot:
    """Credits to grant; `price` is what the whole lot cost, tax included, and `tax` its tax part.

    `key` is the business fact that earns them; `description` is words for the statement.
    """

    key: str
    user_id: str
    source: Source
    credits: int
    price: Money | None = None
    tax: Money | None = None
    expires_at: datetime | None = None
    reference: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if self.tax is not None:
            assert self.price is not None, "tax is a part of a price"
            assert self.tax <= self.price, "tax is at most the price"


@dataclass(frozen=True)
class Lot:
    """A lot as it is now; `expires_at` was sold, `usable_until` holds and is never earlier."""

    id: str
    key: str
    user_id: str
    source: Source
    credits: int
    remaining: int
    price: Money | None
    tax: Money | None
    expires_at: datetime | None
    usable_until: datetime | None
    reference: str
    description: str
    created_at: datetime


@dataclass(frozen=True)
class Hold:
    """Credits put aside for work in progress, or what became of them."""

    id: str
    user_id: str
    credits: int
    state: HoldState
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Balance:
    """What a customer can spend now, where it came from, and what ends next."""

    available: int
    held: int
    by_source: Mapping[Source, int]
    next_expiry: datetime | None
    next_expiring: int


@dataclass(frozen=True)
class StatementRow:
    """One change of what is available; a hold over two lots is two of them."""

    id: str
    at: datetime
    kind: Kind
    source: Source
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None
    reference: str


@dataclass(frozen=True)
class Difference:
    """A broken invariant: the rule, the lot, transaction or hold it is about, and by how much."""

    rule: str
    id: str
    user_id: str
    expected: int
    found: int


def grant(session: Session, lot: NewLot, *, now: datetime) -> Lot:
    """The lot exists, granted once: a second call returns it as it is now."""
    _require_countable(lot.credits)
    customers.lock(session, user_id=lot.user_id)
    session.execute(ledger_sql.GRANT, _lot_values(lot) | {"now": now})
    found = _lot_of_key(session, lot.key)
    assert found is not None, "a granted lot exists"
    granted = _lot(found)
    if _facts(granted) != _facts(lot):
        raise _key_reused()
    return granted


def hold(
    session: Session,
    *,
    hold_id: str,
    user_id: str,
    credits: int,
    expires_at: datetime,
    now: datetime,
) -> Hold:
    """The credits are put aside under that id, or InsufficientCredits and nothing is taken.

    The same id again returns the first hold, whatever became of it.
    """
    _require_countable(credits)
    assert expires_at - now <= LONGEST_HOLD, "a hold ends within a day"
    values = {
        "hold_id": _hold_uuid(hold_id),
        "user_id": UUID(user_id),
        "credits": credits,
        "expires_at": expires_at,
        "reason": "Reserved for a video",
        "now": now,
    }
    customers.lock(session, user_id=user_id)
    made = session.execute(ledger_sql.HOLD, values).one_or_none()
    found = _hold(made) if made else _find_hold(session, hold_id)
    if found is None:
        raise errors.InsufficientCredits(
            "credits.insufficient", f"This takes {credits} credits and there are fewer."
        )
    if (found.user_id, found.credits) != (str(UUID(user_id)), credits):
        raise _key_reused()
    return found


def settle(session: Session, *, hold_id: str, now: datetime) -> Hold:
    """The held credits are spent; a hold that had ended already stays as it was."""
    customers.lock(session, user_id=_known_hold(session, hold_id).user_id)
    ended = _end_holds(session, [UUID(hold_id)], state="settled", now=now)
    return ended[0] if ended else _known_hold(session, hold_id)


def release(session: Session, *, hold_id: str, now: datetime) -> Hold:
    """The held credits are back in the very lots they left; an ended hold stays as it was."""
    customers.lock(session, user_id=_known_hold(session, hold_id).user_id)
    ended = _give_back(session, [UUID(hold_id)], state="released", now=now)
    return ended[0] if ended else _known_hold(session, hold_id)


def revoke(
    session: Session, *, key: str, lot_key: str, credits: int, reason: str, now: datetime
) -> int:
    """At most so many unspent credits of that lot are taken back, once a key: how many were.

    Where nothing was unspent nothing is written, so the key has not been used up.
    """
    _require_countable(credits)
    lot = _lot_of_key(session, lot_key)
    if lot is None:
        raise errors.NotFound("ledger.lot_unknown", "There is no such lot of credits.")
    customers.lock(session, user_id=str(lot.user_id))
    values = {"key": key, "lot_id": lot.id, "credits": credits, "reason": reason, "now": now}
    session.execute(ledger_sql.REVOKE, values)
    done = session.execute(ledger_sql.REVOKED, {"key": key}).one_or_none()
    if done is None:
        return 0
    if (done.lot_id, done.asked, done.reason) != (lot.id, credits, reason):
        raise _key_reused()
    return int(done.revoked)


def expire(session: Session, *, now: datetime, limit: int = LONGEST_SWEEP) -> int:
    """Overdue holds are given back and lots past their end are empty: how many were dealt with."""
    most = min(limit, LONGEST_SWEEP)
    overdue = session.execute(ledger_sql.OVERDUE, {"now": now, "most": most}).all()
    # One order for every sweep, so that two of them cannot wait for each other.
    for user_id in sorted({str(row.user_id) for row in overdue}):
        customers.lock(session, user_id=user_id)
    holds = [row.id for row in overdue if row.what == "hold"]
    if holds:
        _give_back(session, holds, state="expired", now=now)
    _expire_lots(session, [row.id for row in overdue if row.what == "lot"], now=now)
    return len(overdue)


def balance(session: Session, *, user_id: str, now: datetime) -> Balance:
    """What that customer has at this moment, whether or not the sweep has run."""
    rows = session.execute(ledger_sql.BALANCE, {"user_id": UUID(user_id), "now": now}).all()
    lots = [row for row in rows if row.source != "held"]
    by_source: dict[Source, int] = dict.fromkeys(get_args(Source), 0)
    for row in lots:
        by_source[row.source] += row.credits
    ends = [row.usable_until for row in lots if row.usable_until is not None]
    soonest = min(ends, default=None)
    return Balance(
        available=sum(by_source.values()),
        held=sum(row.credits for row in rows if row.source == "held"),
        by_source=by_source,
        next_expiry=soonest,
        next_expiring=sum(row.credits for row in lots if soonest and row.usable_until == soonest),
    )


def statement(
    session: Session, *, user_id: str, limit: int, before: str | None = None
) -> tuple[StatementRow, ...]:
    """What changed the available credits, newest first; `before` is the last id already seen."""
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise errors.InvalidRequest("ledger.page", "That page of the statement does not exist.")
    values = {"user_id": UUID(user_id), "before": before, "most": min(limit, LONGEST_PAGE)}
    return tuple(_line(row) for row in session.execute(ledger_sql.STATEMENT, values))


def check(session: Session) -> tuple[Difference, ...]:
    """Every invariant that does not hold, at most a hundred of them; empty when all is well."""
    return tuple(
        Difference(row.rule, row.id, str(row.user_id), row.expected, row.found)
        for row in session.execute(ledger_sql.CHECK, {"most": LONGEST_REPORT})
    )


def _require_countable(credits: int) -> None:
    if type(credits) is not int or not 1 <= credits <= MOST_CREDITS:
        raise errors.InvalidRequest(
            "ledger.credits", f"Credits are a whole number from 1 to {MOST_CREDITS}."
        )


def _key_reused() -> errors.Conflict:
    return errors.Conflict("ledger.key_reused", "That key was used before, for something else.")


def _lot_values(lot: NewLot) -> dict[str, object]:
    return {
        # From the key, so that a replay into a restored copy makes the same lot.
        "id": uuid.uuid5(_LOT_IDS, lot.key),
        "user_id": UUID(lot.user_id),
        "key": lot.key,
        "source": lot.source,
        "credits": lot.credits,
        "price_minor": lot.price.minor if lot.price else None,
        "tax_minor": lot.tax.minor if lot.tax else None,
        "currency": lot.price.currency if lot.price else None,
        "expires_at": lot.expires_at,
        "reference": lot.reference,
        "description": lot.description,
    }


def _lot_of_key(session: Session, key: str) -> Row[Any] | None:
    # The table and not the class: a row kept by the session would be as it was before the verb.
    query = select(LotRow.__table__).where(LotRow.key == key)
    return session.execute(query).one_or_none()


def _lot(row: Row[Any]) -> Lot:
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
    )


def _facts(lot: NewLot | Lot) -> tuple[object, ...]:
    """What a second grant of a key must agree on; its words may be others by then."""
    user_id = UUID(lot.user_id)
    return user_id, lot.source, lot.credits, lot.price, lot.tax, lot.expires_at, lot.reference


def _hold_uuid(hold_id: str) -> UUID:
    if not ids.is_uuid(hold_id):
        raise errors.InvalidRequest("ledger.hold_id", "The id of a hold is a UUID.")
    return UUID(hold_id)


def _find_hold(session: Session, hold_id: str) -> Hold | None:
    query = select(HoldRow.__table__).where(HoldRow.id == _hold_uuid(hold_id))
    row = session.execute(query).one_or_none()
    return _hold(row) if row else None


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        id=str(row.id),
        user_id=str(row.user_id),
        credits=row.credits,
        state=row.state,
        expires_at=row.expires_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _known_hold(session: Session, hold_id: str) -> Hold:
    found = _find_hold(session, hold_id)
    if found is None:
        raise errors.NotFound("ledger.hold_unknown", "There is no such hold.")
    return found


def _give_back(
    session: Session, hold_ids: list[UUID], *, state: HoldState, now: datetime
) -> list[Hold]:
    """What is still held returns to its lots; those that ran out meanwhile live a grace longer."""
    values = {"hold_ids": hold_ids, "now": now}
    late = list(session.scalars(ledger_sql.RAN_OUT_WHILE_HELD, values))
    if late:
        # First empty them: the grace is for the returned credits, not for what was left unused.
        _expire_lots(session, late, now=now)
        session.execute(ledger_sql.REVIVE_LOTS, {"lot_ids": late, "until": now + RETURN_GRACE})
    return _end_holds(session, hold_ids, state=state, now=now)


def _end_holds(
    session: Session, hold_ids: list[UUID], *, state: HoldState, now: datetime
) -> list[Hold]:
    kind, account, reason = _ENDINGS[state]
    values = {"hold_ids": hold_ids, "state": state, "now": now}
    posted = {"kind": kind, "account": account, "reason": reason}
    return [_hold(row) for row in session.execute(ledger_sql.END_HOLDS, values | posted)]


def _expire_lots(session: Session, lot_ids: list[UUID], *, now: datetime) -> None:
    if lot_ids:
        session.execute(ledger_sql.EXPIRE_LOTS, {"lot_ids": lot_ids, "now": now})


def _line(row: Row[Any]) -> StatementRow:
    return StatementRow(
        id=str(row.id),
        at=row.created_at,
        kind=row.kind,
        source=row.source,
        description=row.reason,
        credits=row.credits,
        balance_after=row.balance_after,
        expires_at=row.expires_at if row.kind == "grant" else None,
        reference=row.key if row.kind in {"hold", "release"} else row.reference,
    )
