"""Credits that are owed: used, and taken back afterwards; what arrives pays them, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from talkingphoto.billing import ledger_debts_sql
from talkingphoto.billing.ledger_rows import Entry, Posting, post
from talkingphoto.billing.ledger_tables import DebtRow


def owed(session: Session, *, user_id: UUID) -> int:
    """How many credits the customer owes."""
    return int(session.scalars(ledger_debts_sql.OWED, {"user_id": user_id}).one())


def still_open(session: Session, *, user_id: UUID) -> list[DebtRow]:
    """The customer's debts, the oldest first."""
    return list(
        session.scalars(
            select(DebtRow)
            .where(DebtRow.user_id == user_id, DebtRow.still_owed > 0)
            .order_by(DebtRow.number)
            .execution_options(populate_existing=True)
        )
    )


def lessen(session: Session, *, key: str, credits: int) -> None:
    """That debt is smaller by so many credits."""
    session.execute(
        update(DebtRow)
        .where(DebtRow.key == key)
        .values(still_owed=DebtRow.still_owed - credits)
        .execution_options(synchronize_session=False)
    )


def pay(session: Session, *, user_id: UUID, arrived: Mapping[UUID, int], now: datetime) -> int:
    """What arrived in those lots has paid the customer's debts, the soonest to end first and
    nothing of a frozen lot: how many credits that took."""
    debts = still_open(session, user_id=user_id) if any(arrived.values()) else []
    if not debts:
        return 0
    flowing = session.scalars(ledger_debts_sql.FLOWING, {"lot_ids": list(arrived)})
    left, paid = {lot_id: arrived[lot_id] for lot_id in flowing}, 0
    for debt in debts:
        parts = _take(left, debt.still_owed)
        if not parts:
            break
        _post_repayment(session, debt, parts, now=now)
        paid += sum(parts.values())
    return paid


def repaid_by(session: Session, *, user_id: UUID, key: str) -> dict[UUID, int]:
    """From which lots that debt was paid, and how much."""
    rows = session.execute(ledger_debts_sql.REPAID_BY, {"user_id": user_id, "key": key})
    return {row.lot_id: int(row.credits) for row in rows}


def _take(left: dict[UUID, int], wanted: int) -> dict[UUID, int]:
    parts = {}
    for lot_id, credits in left.items():
        part = min(credits, wanted)
        if part:
            parts[lot_id] = part
            left[lot_id] -= part
            wanted -= part
    return parts


def _post_repayment(
    session: Session, debt: DebtRow, parts: Mapping[UUID, int], *, now: datetime
) -> None:
    credits = sum(parts.values())
    values = {"user_id": debt.user_id, "key": debt.key}
    turn = session.scalars(ledger_debts_sql.REPAYMENTS, values).one()
    sides = [
        entry
        for lot_id, part in parts.items()
        for entry in (Entry("available", lot_id, -part), Entry("repaid", lot_id, part))
    ]
    # The debt first, so that the statement's line about what paid it says what is owed then.
    entries = (
        Entry("owed", debt.lot_id, credits),
        Entry("covered", debt.lot_id, -credits),
        *sides,
    )
    post(
        session,
        Posting(
            user_id=debt.user_id,
            kind="repay",
            key=f"{debt.key}:{turn}",
            reason=f"Paid what was owed: {debt.reason}"[:500],
            credits=credits,
            entries=entries,
        ),
        now=now,
    )
    lessen(session, key=debt.key, credits=credits)
