"""Which credits go back with money: the unused first, and of a year the last months first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from talkingphoto.billing import ledger, payments, unused
from talkingphoto.billing.plan_credits import DripRow
from talkingphoto.foundation.money import Money

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Claim:
    """What goes back: `whole` is all of the payment's credits, else their share of the money;
    `only_unused` leaves what was used as it is, and nothing is owed."""

    refund_id: str
    payment: payments.Payment
    amount: Money
    only_unused: bool
    whole: bool


@dataclass(frozen=True)
class Claimed:
    """How many credits were taken or are owed, and the months that will not begin."""

    credits: int
    stopped: tuple[str, ...]


def claim(session: Session, wanted: Claim, *, now: datetime) -> Claimed:
    """The credits of that refund are taken, or owed if they were used, and months are stopped."""
    lots = [
        lot for lot in ledger.lots_of(session, reference=wanted.payment.id) if lot.price is not None
    ]
    months = _months_to_come(session, wanted.payment.id)
    share = sum(lot.credits for lot in lots) + sum(month.credits for month in months)
    if not wanted.whole:
        share = share * wanted.amount.minor // wanted.payment.amount.minor
    stopped, left = [], share
    for month in months:
        if month.credits <= left:
            stopped.append(month.key)
            left -= month.credits
    _set_state(session, stopped, before="pending", after="stopped")
    taken = _from_lots(session, wanted, lots, left=left, now=now)
    return Claimed(credits=share - left + taken, stopped=tuple(stopped))


def revoke_all(
    session: Session, *, key: str, payment_id: str, reason: str, now: datetime
) -> Claimed:
    """Every credit of that payment is taken, or owed where it was used; no more months begin."""
    months = _months_to_come(session, payment_id)
    stopped = [month.key for month in months]
    _set_state(session, stopped, before="pending", after="stopped")
    credits = 0
    for lot in ledger.lots_of(session, reference=payment_id):
        back = ledger.claw_back(
            session,
            key=f"{key}:{lot.id}",
            lot_key=lot.key,
            credits=lot.credits,
            reason=reason,
            now=now,
        )
        credits += back.taken + back.owed
    return Claimed(credits=credits, stopped=tuple(stopped))


def undo(
    session: Session, *, refund_id: str, payment_id: str, stopped: Sequence[str], now: datetime
) -> None:
    """The credits of that refund are back in their lots, and its months begin when they should."""
    _set_state(session, stopped, before="stopped", after="pending")
    for lot in ledger.lots_of(session, reference=payment_id):
        ledger.restore(session, key=_key(refund_id, lot), now=now)


def _from_lots(
    session: Session, wanted: Claim, lots: list[ledger.Lot], *, left: int, now: datetime
) -> int:
    """So many credits go back from the lots, those that end last first: how many did."""
    turns = sorted(lots, key=_turn, reverse=True)
    unspent = {lot.id: lot.remaining if unused.lives(lot, now=now) else 0 for lot in lots}
    from_used = 0 if wanted.only_unused else max(0, left - sum(unspent.values()))
    from_unused, gone = min(left, sum(unspent.values())), 0
    for lot in turns:
        part = min(unspent[lot.id], from_unused)
        asked = min(part + from_used, lot.credits)
        if asked == 0:
            continue
        back = ledger.claw_back(
            session,
            key=_key(wanted.refund_id, lot),
            lot_key=lot.key,
            credits=asked,
            reason=f"Refunded: {wanted.payment.description}",
            now=now,
        )
        from_unused -= back.taken
        from_used -= back.owed
        gone += back.taken + back.owed
    return gone


def _turn(lot: ledger.Lot) -> tuple[datetime, str]:
    return lot.usable_until or _NEVER, lot.id


def _key(refund_id: str, lot: ledger.Lot) -> str:
    return f"refund:{refund_id}:{lot.id}"


def _months_to_come(session: Session, payment_id: str) -> list[DripRow]:
    """The months that have not begun, the last one first."""
    query = select(DripRow).filter_by(reference=payment_id, state="pending")
    return list(
        session.scalars(
            query.order_by(DripRow.due_at.desc(), DripRow.key).execution_options(
                populate_existing=True
            )
        )
    )


def _set_state(session: Session, keys: Sequence[str], *, before: str, after: str) -> None:
    if keys:
        session.execute(
            update(DripRow)
            .where(DripRow.key.in_(keys), DripRow.state == before)
            .values(state=after)
        )
