"""The ledger's verbs as services use them: each in its own transaction, told the test's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import customers, ledger
from talkingphoto.foundation.database import Database
from tests.support.clock import TestClock

REMAINING = "SELECT key, remaining FROM lots WHERE user_id = :id"
ACCOUNTS = (
    "SELECT account, CAST(sum(credits) AS bigint) FROM ledger_entries "
    "WHERE user_id = :id GROUP BY account"
)


@dataclass(frozen=True)
class Look:
    """A customer's credits from every side."""

    balance: ledger.Balance
    remaining: dict[str, int]
    accounts: dict[str, int]
    last_line: ledger.StatementRow | None
    differences: tuple[ledger.Difference, ...]


class Book:
    """Customers and their credits in one database."""

    def __init__(self, database: Database, clock: TestClock) -> None:
        self.database = database
        self.clock = clock

    def customer(self) -> str:
        """A new customer without credits."""
        user_id = str(uuid4())
        with self.database.transaction() as session:
            session.execute(
                text("INSERT INTO users VALUES (:id, :name, :name, 'no password', :now)"),
                {"id": UUID(user_id), "name": f"{user_id}@example.test", "now": self.clock()},
            )
            customers.ensure(session, user_id=user_id, now=self.clock())
        return user_id

    def new_lot(
        self, user_id: str, credits: int, *, days: float | None = None, **chosen: Any
    ) -> ledger.NewLot:
        """A pack without an end unless told otherwise."""
        ends = None if days is None else self.clock() + timedelta(days=days)
        known = {"key": f"test:{uuid4()}", "source": "pack", "expires_at": ends}
        return ledger.NewLot(**{"user_id": user_id, "credits": credits, **known, **chosen})

    def grant(
        self, user_id: str, credits: int, *, days: float | None = None, **chosen: Any
    ) -> ledger.Lot:
        """A lot granted in one step."""
        return self.post(self.new_lot(user_id, credits, days=days, **chosen))

    def post(self, lot: ledger.NewLot) -> ledger.Lot:
        """That very lot granted."""
        with self.database.transaction() as session:
            return ledger.grant(session, lot, now=self.clock())

    def hold(
        self, user_id: str, credits: int, *, hold_id: str | None = None, hours: float = 1
    ) -> ledger.Hold:
        """Credits put aside for so many hours."""
        with self.database.transaction() as session:
            return ledger.hold(
                session,
                hold_id=hold_id or str(uuid4()),
                user_id=user_id,
                credits=credits,
                expires_at=self.clock() + timedelta(hours=hours),
                now=self.clock(),
            )

    def spend(self, user_id: str, credits: int) -> ledger.Hold:
        """Credits held and settled."""
        return self.settle(self.hold(user_id, credits).id)

    def settle(self, hold_id: str) -> ledger.Hold:
        with self.database.transaction() as session:
            return ledger.settle(session, hold_id=hold_id, now=self.clock())

    def release(self, hold_id: str) -> ledger.Hold:
        with self.database.transaction() as session:
            return ledger.release(session, hold_id=hold_id, now=self.clock())

    def revoke(
        self, lot_key: str, credits: int, *, key: str | None = None, reason: str = "Refunded"
    ) -> int:
        with self.database.transaction() as session:
            return ledger.revoke(
                session,
                key=key or f"refund of {lot_key}",
                lot_key=lot_key,
                credits=credits,
                reason=reason,
                now=self.clock(),
            )

    def freeze(self, reference: str, *, key: str | None = None) -> int:
        with self.database.transaction() as session:
            return ledger.freeze(
                session,
                key=key or f"freeze of {reference}",
                reference=reference,
                reason="Disputed",
                now=self.clock(),
            )

    def thaw(self, reference: str, *, key: str | None = None) -> int:
        known = key or f"freeze of {reference}"
        with self.database.transaction() as session:
            return ledger.thaw(session, key=known, reference=reference, now=self.clock())

    def claw_back(self, lot_key: str, credits: int, *, key: str | None = None) -> ledger.ClawBack:
        with self.database.transaction() as session:
            return ledger.claw_back(
                session,
                key=key or f"refund of {lot_key}",
                lot_key=lot_key,
                credits=credits,
                reason="Refunded",
                now=self.clock(),
            )

    def restore(self, key: str) -> int:
        with self.database.transaction() as session:
            return ledger.restore(session, key=key, now=self.clock())

    def forgive(self, user_id: str, credits: int, *, key: str) -> int:
        with self.database.transaction() as session:
            return ledger.forgive(
                session,
                key=key,
                credits=credits,
                user_id=user_id,
                reason="A gesture",
                now=self.clock(),
            )

    def expire(self, *, limit: int = 500) -> int:
        with self.database.transaction() as session:
            return ledger.expire(session, now=self.clock(), limit=limit)

    def balance(self, user_id: str) -> ledger.Balance:
        with self.database.read_only() as session:
            return ledger.balance(session, user_id=user_id, now=self.clock())

    def available(self, user_id: str) -> int:
        return self.balance(user_id).available

    def statement(
        self, user_id: str, *, limit: int = 200, before: str | None = None
    ) -> tuple[ledger.StatementRow, ...]:
        with self.database.read_only() as session:
            return ledger.statement(session, user_id=user_id, limit=limit, before=before)

    def check(self) -> tuple[ledger.Difference, ...]:
        with self.database.read_only() as session:
            return ledger.check(session)

    def look(self, user_id: str) -> Look:
        """Everything there is to see of a customer, and the report, at one moment."""
        with self.database.read_only() as session:
            lines = ledger.statement(session, user_id=user_id, limit=1)
            return Look(
                balance=ledger.balance(session, user_id=user_id, now=self.clock()),
                remaining=_numbers(session, REMAINING, user_id),
                accounts=_numbers(session, ACCOUNTS, user_id),
                last_line=lines[0] if lines else None,
                differences=ledger.check(session),
            )

    def lots(self, user_id: str) -> tuple[ledger.Lot, ...]:
        with self.database.read_only() as session:
            return ledger.lots_of(session, user_id=user_id)

    def remaining(self, user_id: str) -> dict[str, int]:
        """What remains of each lot, by its key."""
        return self.numbers(REMAINING, user_id)

    def accounts(self, user_id: str) -> dict[str, int]:
        """The sum of each account's entries."""
        return self.numbers(ACCOUNTS, user_id)

    def numbers(self, query: str, user_id: str) -> dict[str, int]:
        """A query's two columns about a user, as a table from name to number."""
        with self.database.read_only() as session:
            return _numbers(session, query, user_id)


def _numbers(session: Session, query: str, user_id: str) -> dict[str, int]:
    rows = session.execute(text(query), {"id": UUID(user_id)})
    return {row[0]: row[1] for row in rows}
