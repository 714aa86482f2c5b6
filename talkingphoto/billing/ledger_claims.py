"""Credits that may have to go back: frozen while that is open, taken back, restored, forgiven."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from talkingphoto.billing import customers, ledger_debts, ledger_debts_sql, ledger_rows
from talkingphoto.billing.ledger_rows import Entry, Posting
from talkingphoto.billing.ledger_tables import DebtRow
from talkingphoto.billing.ledger_types import ClawBack

# A repayment's key is its debt's and a number, and has to fit too.
LONGEST_KEY = 180


def freeze(session: Session, *, key: str, reference: str, reason: str, now: datetime) -> int:
    """Lots of that payment cannot be spent until the thaw: how many credits that stops.

    What is granted for the payment meanwhile is frozen too; the lots' time stands still."""
    assert reference, "a freeze is of a payment"
    _lock_owners(session, reference)
    values = {"key": key, "reference": reference, "reason": reason, "now": now}
    session.execute(ledger_debts_sql.FREEZE, values)
    known = session.execute(ledger_debts_sql.FREEZE_OF_KEY, {"key": key}).one()
    if known.reference != reference:
        raise ledger_rows.key_reused()
    return int(session.scalars(ledger_debts_sql.STOPPED, {"reference": reference}).one())


def thaw(session: Session, *, key: str, reference: str, now: datetime) -> int:
    """The lots can be spent again, unless another freeze holds them, and end later by the time
    they were frozen: how many credits that brings back. What was never frozen stays as it is."""
    _lock_owners(session, reference)
    known = session.execute(ledger_debts_sql.FREEZE_OF_KEY, {"key": key}).one_or_none()
    if known is None or known.thawed_at is not None:
        return 0
    if known.reference != reference:
        raise ledger_rows.key_reused()
    session.execute(ledger_debts_sql.THAW, {"key": key, "now": now})
    thawed = session.execute(ledger_debts_sql.THAWED, {"reference": reference, "now": now}).all()
    for user_id in sorted({row.user_id for row in thawed}):
        arrived = {row.id: row.remaining for row in thawed if row.user_id == user_id}
        ledger_debts.pay(session, user_id=user_id, arrived=arrived, now=now)
    return sum(row.remaining for row in thawed)


def claw_back(
    session: Session, *, key: str, lot_key: str, credits: int, reason: str, now: datetime
) -> ClawBack:
    """So many credits of that lot are taken back, once a key: unspent ones, also frozen, at once;
    of the rest, what was spent or is held is owed. What expired or was taken before is neither.

    Where there was nothing to take or owe nothing is written, so the key has not been used up."""
    ledger_rows.require_countable(credits)
    assert 0 < len(key) <= LONGEST_KEY, "the key of a claw back leaves room for repayments"
    lot = ledger_rows.known_lot(session, lot_key)
    customers.lock(session, user_id=str(lot.user_id))
    done = session.execute(ledger_debts_sql.CLAWED_BACK, {"key": key}).one_or_none()
    if done is not None:
        if (done.lot_id, done.asked, done.reason) != (lot.id, credits, reason):
            raise ledger_rows.key_reused()
        return ClawBack(taken=done.taken, owed=done.owed)
    have = session.execute(ledger_debts_sql.CLAIMABLE, {"lot_id": lot.id, "now": now}).one()
    taken = min(have.unspent, credits)
    owed = min(have.used, credits - taken)
    if taken + owed:
        entries = (
            Entry("owed", lot.id, -owed),
            Entry("available", lot.id, -taken),
            Entry("revoked", lot.id, taken + owed),
        )
        posting = Posting(lot.user_id, "claw_back", key, reason, credits, entries)
        ledger_rows.post(session, posting, now=now)
    if owed:
        _owe(session, posting, owed=owed, reference=lot.reference, now=now)
    return ClawBack(taken=taken, owed=owed)


def restore(session: Session, *, key: str, now: datetime) -> int:
    """What that claw back took is available again in the lots it came from and its debt is
    gone, once: how many credits that brings back; none for a claw back that never was."""
    clawed = session.execute(ledger_debts_sql.CLAWED_BACK, {"key": key}).one_or_none()
    if clawed is None:
        return 0
    customers.lock(session, user_id=str(clawed.user_id))
    values = {"kind": "restore", "key": key, "account": "available"}
    done = session.execute(ledger_debts_sql.MOVED, values).one_or_none()
    if done is not None:
        return int(done.moved)
    paid = ledger_debts.repaid_by(session, user_id=clawed.user_id, key=key)
    back = dict(paid)
    back[clawed.lot_id] = back.get(clawed.lot_id, 0) + clawed.taken
    back = {lot_id: credits for lot_id, credits in back.items() if credits}
    ledger_rows.wake_late(session, list(back), now=now)
    entries = (
        *_undone_debt(session, key=key, lot_id=clawed.lot_id, owed=clawed.owed, paid=paid),
        Entry("revoked", clawed.lot_id, -(clawed.taken + clawed.owed)),
        *(Entry("available", lot_id, credits) for lot_id, credits in back.items()),
    )
    posting = Posting(
        user_id=clawed.user_id,
        kind="restore",
        key=key,
        reason=f"Undone: {clawed.reason}"[:500],
        credits=clawed.taken + clawed.owed,
        entries=entries,
    )
    ledger_rows.post(session, posting, now=now)
    ledger_debts.pay(session, user_id=clawed.user_id, arrived=back, now=now)
    return sum(back.values())


def forgive(
    session: Session, *, key: str, credits: int, user_id: str, reason: str, now: datetime
) -> int:
    """At most so many credits are owed less, the oldest debt first, once a key: how many."""
    ledger_rows.require_countable(credits)
    customers.lock(session, user_id=user_id)
    values = {"kind": "forgive", "key": key, "account": "owed"}
    done = session.execute(ledger_debts_sql.MOVED, values).one_or_none()
    if done is not None:
        if (done.user_id, done.asked) != (UUID(user_id), credits):
            raise ledger_rows.key_reused()
        return int(done.moved)
    entries, left = [], credits
    for debt in ledger_debts.still_open(session, user_id=UUID(user_id)):
        part = min(debt.still_owed, left)
        if part == 0:
            break
        left -= part
        entries += [Entry("owed", debt.lot_id, part), Entry("forgiven", debt.lot_id, -part)]
        ledger_debts.lessen(session, key=debt.key, credits=part)
    if entries:
        posting = Posting(UUID(user_id), "forgive", key, reason, credits, tuple(entries))
        ledger_rows.post(session, posting, now=now)
    return credits - left


def _lock_owners(session: Session, reference: str) -> None:
    # One order for everybody, so that two of them cannot wait for each other.
    for user_id in session.scalars(ledger_debts_sql.OWNERS, {"reference": reference}).all():
        customers.lock(session, user_id=str(user_id))


def _owe(session: Session, posting: Posting, *, owed: int, reference: str, now: datetime) -> None:
    session.execute(
        insert(DebtRow).values(
            key=posting.key,
            user_id=posting.user_id,
            lot_id=posting.entries[0].lot_id,
            credits=owed,
            still_owed=owed,
            reason=posting.reason,
            reference=reference,
            created_at=now,
        )
    )


def _undone_debt(
    session: Session, *, key: str, lot_id: UUID, owed: int, paid: dict[UUID, int]
) -> tuple[Entry, ...]:
    """The entries that cancel what is still owed, what was paid and what was forgiven of it."""
    if owed == 0:
        return ()
    debt = session.get_one(DebtRow, key, populate_existing=True)
    still, covered = debt.still_owed, sum(paid.values())
    if still:
        ledger_debts.lessen(session, key=key, credits=still)
    return (
        Entry("owed", lot_id, still),
        Entry("covered", lot_id, covered),
        Entry("forgiven", lot_id, owed - still - covered),
        *(Entry("repaid", source, -credits) for source, credits in paid.items()),
    )
