"""What is always true of the books, whatever was done to them in whatever order."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.ledger_book import Book
from worker.bundle import services_of
from worker.tasks import table

OPERATIONS = 10_000
IN_ONE_TRANSACTION = 50


@pytest.fixture
def book(runtime: Runtime, clock: TestClock) -> Book:
    return Book(runtime.database, clock)


class Crowd:
    """Customers who do one thing after another, the same things in every run."""

    def __init__(self, book: Book, *, people: int) -> None:
        self.book = book
        self.choice = random.Random(20260131)  # noqa: S311 - the same run every time, on purpose
        self.people = [book.customer() for _ in range(people)]
        self.lots: list[ledger.NewLot] = []
        self.holds: list[str] = []

    def act(self, session: Session) -> None:
        """One verb, refused or not; every tenth grant is one that was made before."""
        self.book.clock.advance(seconds=self.choice.randrange(600))
        verbs = [self._grant, self._hold, self._hold, self._end, self._end, self._revoke]
        try:
            self.choice.choices([*verbs, self._expire], [3, 3, 3, 3, 2, 1, 1])[0](session)
        except errors.InsufficientCredits:
            return

    def _grant(self, session: Session) -> None:
        lot = self.book.new_lot(
            self.choice.choice(self.people),
            self.choice.randint(1, 30),
            days=self.choice.choice([None, 1, 10, 30]),
            source=self.choice.choice(["free", "plan", "pack", "promo"]),
        )
        if self.lots and self.choice.randrange(10) == 0:
            lot = self.choice.choice(self.lots)
        self.lots.append(lot)
        ledger.grant(session, lot, now=self.book.clock())

    def _hold(self, session: Session) -> None:
        hold_id = str(uuid4())
        self.holds.append(hold_id)
        ledger.hold(
            session,
            hold_id=hold_id,
            user_id=self.choice.choice(self.people),
            credits=self.choice.randint(1, 40),
            expires_at=self.book.clock() + timedelta(hours=1),
            now=self.book.clock(),
        )

    def _end(self, session: Session) -> None:
        if not self.holds:
            return
        verb = self.choice.choice([ledger.settle, ledger.settle, ledger.release])
        try:
            verb(session, hold_id=self.choice.choice(self.holds[-30:]), now=self.book.clock())
        except errors.NotFound:
            return

    def _revoke(self, session: Session) -> None:
        if not self.lots:
            return
        lot = self.choice.choice(self.lots)
        ledger.revoke(
            session,
            key=f"refund:{lot.key}",
            lot_key=lot.key,
            credits=lot.credits,
            reason="Refunded",
            now=self.book.clock(),
        )

    def _expire(self, session: Session) -> None:
        ledger.expire(session, now=self.book.clock(), limit=100)


@pytest.mark.timeout(300)
def test_m4_after_ten_thousand_operations_the_books_agree_with_themselves(book: Book) -> None:
    crowd = Crowd(book, people=20)
    for number in range(OPERATIONS // IN_ONE_TRANSACTION):
        with book.database.transaction() as session:
            # A server counts its rows anew by itself, but only after a minute; until then it
            # plans as for empty tables.
            if number % 20 == 0:
                session.execute(text("ANALYZE"))
            for _ in range(IN_ONE_TRANSACTION):
                crowd.act(session)

    assert book.check() == ()
    while book.expire():
        pass
    kinds = set()
    for person in crowd.people:
        lines = book.statement(person)
        kinds |= {line.kind for line in lines}
        assert lines[0].balance_after == book.available(person)
        assert book.available(person) == sum(book.remaining(person).values())
        assert sum(book.accounts(person).values()) == 0
    assert kinds == {"grant", "hold", "release", "revoke", "expire"}
    assert book.check() == ()


TAMPERINGS = [
    ("UPDATE lots SET remaining = remaining - 1 WHERE id = :lot", "lot.remaining", "lot"),
    ("UPDATE lots SET credits = credits + 1 WHERE id = :lot", "lot.granted", "lot"),
    (
        "UPDATE ledger_entries SET credits = -99"
        " WHERE lot_id = :lot AND account = 'available' AND credits < 0",
        "lot.overdrawn",
        "lot",
    ),
    (
        "DELETE FROM ledger_entries WHERE lot_id = :lot AND account = 'granted'",
        "transaction.entries",
        "posted",
    ),
    (
        "UPDATE ledger_entries SET credits = credits + 1"
        " WHERE lot_id = :lot AND account = 'granted'",
        "transaction.balance",
        "posted",
    ),
    (
        "UPDATE ledger_transactions SET user_id = :other WHERE id = :posted",
        "transaction.owner",
        "posted",
    ),
    (
        "UPDATE holds SET state = 'released', ended_at = created_at WHERE id = :hold",
        "hold.held",
        "hold",
    ),
    (
        "UPDATE holds SET state = 'settled', ended_at = created_at WHERE id = :hold",
        "hold.spent",
        "hold",
    ),
    ("DELETE FROM holds WHERE id = :hold", "hold.held", "hold"),
]


@pytest.mark.parametrize(("tampering", "rule", "named"), TAMPERINGS, ids=str)
def test_m4_what_a_superuser_changed_with_the_guards_off_is_named_by_the_report(
    book: Book, tampering: str, rule: str, named: str
) -> None:
    user_id, other = book.customer(), book.customer()
    book.grant(other, 10)
    lot, hold = book.grant(user_id, 10), book.hold(user_id, 3)
    (posted,) = book.numbers(
        "SELECT 'id', id FROM ledger_transactions WHERE user_id = :id AND kind = 'grant'", user_id
    ).values()
    subjects = {"lot": lot.id, "posted": str(posted), "hold": hold.id}
    values = {"lot": lot.id, "posted": posted, "hold": hold.id, "other": other}
    assert book.check() == ()

    with book.database.transaction() as session:
        for table in ("lots", "holds", "ledger_entries", "ledger_transactions"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        session.execute(text(tampering), values)

    found = {(difference.rule, difference.id) for difference in book.check()}
    assert (rule, subjects[named]) in found


def test_m4_the_report_says_by_how_much_a_lot_is_off(book: Book) -> None:
    lot = book.grant(book.customer(), 10)

    with book.database.transaction() as session:
        session.execute(text("ALTER TABLE lots DISABLE TRIGGER as_sold"))
        session.execute(text("UPDATE lots SET remaining = 7"))

    assert book.check() == (ledger.Difference("lot.remaining", lot.id, lot.user_id, 10, 7),)


def test_m4_a_lot_that_is_off_is_an_alert_that_names_it(book: Book, runtime: Runtime) -> None:
    job = table(services_of(runtime))["ledger.check"]
    lot = book.grant(book.customer(), 10)
    with capture_logs() as well:
        job.verb()

    with book.database.transaction() as session:
        session.execute(text("ALTER TABLE lots DISABLE TRIGGER as_sold"))
        session.execute(text("UPDATE lots SET remaining = 7"))
    with capture_logs() as events:
        job.verb()

    assert well == []
    (alert,) = events
    assert (alert["event"], alert["rule"], alert["id"]) == ("alert.ledger", "lot.remaining", lot.id)
    assert job.cron == "*/5 * * * *"
