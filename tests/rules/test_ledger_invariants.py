"""What is always true of the books, whatever was done to them in whatever order."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import get_args
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from talkingphoto.accounts import mails
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.ledger_book import Book
from worker.bundle import services_of
from worker.tasks import table

OPERATIONS = 10_000
IN_ONE_TRANSACTION = 50
KINDS = "SELECT kind, count(*) FROM ledger_transactions WHERE user_id = :id GROUP BY kind"


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
        self.disputes: dict[str, str] = {}
        self.claims: list[str] = []

    def act(self, session: Session) -> None:
        """One verb, refused or not; every tenth grant is one that was made before."""
        self.book.clock.advance(seconds=self.choice.randrange(600))
        verbs = [self._grant, self._hold, self._end, self._revoke, self._expire]
        claims = [self._freeze, self._thaw, self._claw_back, self._restore, self._forgive]
        weights = [6, 12, 10, 1, 2, 1, 2, 2, 1, 4]
        try:
            self.choice.choices([*verbs, *claims], weights)[0](session)
        except errors.InsufficientCredits:
            return

    def _grant(self, session: Session) -> None:
        lot = self.book.new_lot(
            self.choice.choice(self.people),
            self.choice.randint(1, 30),
            days=self.choice.choice([None, 1, 10, 30]),
            source=self.choice.choice(["free", "plan", "pack", "promo"]),
            reference=f"payment {len(self.lots)}",
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

    def _freeze(self, session: Session) -> None:
        key = f"dispute {self.choice.randrange(40)}"
        reference = self.choice.choice(self.lots).reference if self.lots else "nothing"
        reference = self.disputes.setdefault(key, reference)
        now = self.book.clock()
        ledger.freeze(session, key=key, reference=reference, reason="Disputed", now=now)

    def _thaw(self, session: Session) -> None:
        for key, reference in list(self.disputes.items())[-3:]:
            ledger.thaw(session, key=key, reference=reference, now=self.book.clock())

    def _claw_back(self, session: Session) -> None:
        if not self.lots:
            return
        lot = self.choice.choice(self.lots[-30:])
        key = f"claw back {len(self.claims)}"
        self.claims.append(key)
        ledger.claw_back(
            session,
            key=key,
            lot_key=lot.key,
            credits=self.choice.randint(1, lot.credits),
            reason="Refunded",
            now=self.book.clock(),
        )

    def _restore(self, session: Session) -> None:
        if self.claims:
            key = self.choice.choice(self.claims[-10:])
            ledger.restore(session, key=key, now=self.book.clock())

    def _forgive(self, session: Session) -> None:
        user_id, now = self.choice.choice(self.people), self.book.clock()
        key = f"gesture {self.choice.randrange(OPERATIONS)} to {user_id}"
        ledger.forgive(session, key=key, credits=2, user_id=user_id, reason="Kind", now=now)

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
        kinds |= set(book.numbers(KINDS, person))
        found = book.balance(person)
        left = sum(book.remaining(person).values())
        assert (lines[0].balance_after, lines[0].owed_after) == (left, found.owed)
        assert found.available == max(0, left - found.frozen - found.owed)
        assert sum(book.accounts(person).values()) == 0
    assert kinds == set(get_args(ledger.Kind))
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
    ("UPDATE debts SET still_owed = 0 WHERE lot_id = :owing", "lot.owed", "owing"),
    ("UPDATE freezes SET thawed_at = frozen_at", "lot.frozen", "lot"),
    ("UPDATE lots SET frozen_since = NULL WHERE id = :lot", "lot.frozen", "lot"),
    (
        "UPDATE ledger_entries SET credits = 9 WHERE lot_id = :owing AND account = 'owed'",
        "lot.overpaid",
        "owing",
    ),
    (
        "UPDATE ledger_entries SET account = 'spent' WHERE account = 'repaid'",
        "customer.repaid",
        "user",
    ),
]


@pytest.mark.parametrize(("tampering", "rule", "named"), TAMPERINGS, ids=str)
def test_m4_what_a_superuser_changed_with_the_guards_off_is_named_by_the_report(
    book: Book, tampering: str, rule: str, named: str
) -> None:
    user_id, other = book.customer(), book.customer()
    book.grant(other, 10)
    lot, hold = book.grant(user_id, 10, reference="payment"), book.hold(user_id, 3)
    (posted,) = book.numbers(
        "SELECT 'id', id FROM ledger_transactions WHERE user_id = :id AND kind = 'grant'", user_id
    ).values()
    book.freeze("payment")
    owing = book.grant(user_id, 2)
    book.spend(user_id, 2)
    book.claw_back(owing.key, 2)
    book.grant(user_id, 1)  # pays one of the two that are owed
    values = {"lot": lot.id, "posted": posted, "hold": hold.id, "other": other, "owing": owing.id}
    subjects = {name: str(value) for name, value in values.items()} | {"user": user_id}
    assert book.check() == ()

    with book.database.transaction() as session:
        for table in ("lots", "holds", "ledger_entries", "ledger_transactions", "debts", "freezes"):
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
    with runtime.read_only() as session:
        (told,) = mails.page(session, before="")
    assert (told.template, told.facts["about"]) == ("needs_a_hand", lot.id)
