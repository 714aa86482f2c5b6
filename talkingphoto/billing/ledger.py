"""The double-entry credit ledger: the only place where anyone's credits change.

Credits come in lots and leave them soonest-ending first. Every verb posts complete ledger
transactions under the customer's lock; the database refuses any that does not balance, and any
change of what was posted. The customer's row has to exist before the first verb.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from talkingphoto.billing import (
    customers,
    ledger_claims,
    ledger_debts,
    ledger_rows,
    ledger_sql,
    ledger_types,
)
from talkingphoto.billing.ledger_tables import HoldRow, LotRow
from talkingphoto.foundation import errors, ids

Source = ledger_types.Source
Kind = ledger_types.Kind
HoldState = ledger_types.HoldState
NewLot = ledger_types.NewLot
Lot = ledger_types.Lot
Hold = ledger_types.Hold
Balance = ledger_types.Balance
ClawBack = ledger_types.ClawBack
StatementRow = ledger_types.StatementRow
Difference = ledger_types.Difference
freeze = ledger_claims.freeze
thaw = ledger_claims.thaw
claw_back = ledger_claims.claw_back
restore = ledger_claims.restore
forgive = ledger_claims.forgive

MOST_CREDITS = ledger_rows.MOST_CREDITS
MOST_LOTS = 1000
LONGEST_PAGE = 200
LONGEST_SWEEP = 500
LONGEST_REPORT = 100
LONGEST_HOLD = timedelta(hours=24)
# A lot that ran out while we held its credits is usable this long after the end that was sold,
# however often they come back; the database refuses more.
RETURN_GRACE = timedelta(days=7)

# How a hold ends: the ledger transaction's kind, where its credits go, and the words for it.
_ENDINGS = {
    "settled": ("settle", "spent", "Video made"),
    "released": ("release", "available", "Returned: the video was not made"),
    "expired": ("release", "available", "Returned: the video took too long"),
}
_PARTS = ("usable", "frozen", "held", "owed")
_LOT_IDS = uuid.uuid5(uuid.NAMESPACE_OID, "talkingphoto lots")


def grant(session: Session, lot: NewLot, *, now: datetime) -> Lot:
    """The lot exists, granted once, and has paid what was owed: a second call returns it as it
    is now."""
    ledger_rows.require_countable(lot.credits)
    customers.lock(session, user_id=lot.user_id)
    made = session.scalars(ledger_sql.GRANT, _lot_values(lot) | {"now": now}).all()
    arrived = dict.fromkeys(made, lot.credits)
    ledger_debts.pay(session, user_id=UUID(lot.user_id), arrived=arrived, now=now)
    granted = ledger_rows.lot(ledger_rows.known_lot(session, lot.key))
    if _facts(granted) != _facts(lot):
        raise ledger_rows.key_reused()
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
    """The credits are put aside under that id, or InsufficientCredits and nothing is taken: so
    many have to be there that are not frozen, beside those that are owed.

    The same id again returns the first hold, whatever became of it.
    """
    ledger_rows.require_countable(credits)
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
    owed = ledger_debts.owed(session, user_id=UUID(user_id))
    made = session.execute(ledger_sql.HOLD, values | {"owed": owed}).one_or_none()
    found = _hold(made) if made else _find_hold(session, hold_id)
    if found is None:
        raise _too_few(session, user_id=user_id, credits=credits, owed=owed, now=now)
    if (found.user_id, found.credits) != (str(UUID(user_id)), credits):
        raise ledger_rows.key_reused()
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
    ledger_rows.require_countable(credits)
    lot = ledger_rows.known_lot(session, lot_key)
    customers.lock(session, user_id=str(lot.user_id))
    values = {"key": key, "lot_id": lot.id, "credits": credits, "reason": reason, "now": now}
    session.execute(ledger_sql.REVOKE, values)
    done = session.execute(ledger_sql.REVOKED, {"key": key}).one_or_none()
    if done is None:
        return 0
    if (done.lot_id, done.asked, done.reason) != (lot.id, credits, reason):
        raise ledger_rows.key_reused()
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
    lots = [row.id for row in overdue if row.what == "lot"]
    ledger_rows.expire_lots(session, lots, now=now)
    return len(overdue)


def balance(session: Session, *, user_id: str, now: datetime) -> Balance:
    """What that customer has at this moment, whether or not the sweep has run."""
    rows = session.execute(ledger_sql.BALANCE, {"user_id": UUID(user_id), "now": now}).all()
    lots = [row for row in rows if row.what == "usable"]
    sums = {what: sum(r.credits for r in rows if r.what == what) for what in _PARTS}
    by_source: dict[Source, int] = dict.fromkeys(get_args(Source), 0)
    for row in lots:
        by_source[row.source] += row.credits
    ends = [row.usable_until for row in lots if row.usable_until is not None]
    soonest = min(ends, default=None)
    return Balance(
        available=max(0, sums["usable"] - sums["owed"]),
        held=sums["held"],
        by_source=by_source,
        next_expiry=soonest,
        next_expiring=sum(row.credits for row in lots if soonest and row.usable_until == soonest),
        frozen=sums["frozen"],
        owed=sums["owed"],
    )


def lots_of(
    session: Session, *, user_id: str | None = None, reference: str | None = None
) -> tuple[Lot, ...]:
    """The lots of that customer, or those of that payment, as they were granted."""
    assert (user_id is None) != (reference is None), "lots are a customer's or a payment's"
    query = select(LotRow.__table__).order_by(LotRow.number).limit(MOST_LOTS)
    if user_id is not None:
        query = query.where(LotRow.user_id == UUID(user_id))
    else:
        query = query.where(LotRow.reference == reference)
    return tuple(ledger_rows.lot(row) for row in session.execute(query))


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
    """What is still held returns to its lots and pays what is owed; lots that ran out meanwhile
    live a grace longer."""
    parts = session.execute(ledger_sql.HELD_OF, {"hold_ids": hold_ids}).all()
    ledger_rows.wake_late(session, [row.lot_id for row in parts], now=now)
    ended = _end_holds(session, hold_ids, state=state, now=now)
    for user_id in sorted({row.user_id for row in parts}):
        # Also of a lot that is past its grace: nobody owes what came back unused.
        arrived = {row.lot_id: row.credits for row in parts if row.user_id == user_id}
        ledger_debts.pay(session, user_id=user_id, arrived=arrived, now=now)
    return ended


def _end_holds(
    session: Session, hold_ids: list[UUID], *, state: HoldState, now: datetime
) -> list[Hold]:
    kind, account, reason = _ENDINGS[state]
    values = {"hold_ids": hold_ids, "state": state, "now": now}
    posted = {"kind": kind, "account": account, "reason": reason}
    return [_hold(row) for row in session.execute(ledger_sql.END_HOLDS, values | posted)]


def _too_few(
    session: Session, *, user_id: str, credits: int, owed: int, now: datetime
) -> errors.InsufficientCredits:
    usable = sum(balance(session, user_id=user_id, now=now).by_source.values())
    if owed and usable >= credits:
        return errors.InsufficientCredits(
            "credits.owed",
            f"You owe {owed} videos: they were refunded after they were made. "
            "The next videos on your account pay for them first; then you can go on.",
        )
    return errors.InsufficientCredits(
        "credits.insufficient", f"This takes {credits} credits and there are fewer."
    )


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
        owed_after=row.owed_after,
    )
