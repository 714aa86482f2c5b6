"""The database itself refuses what the ledger never does, whoever asks: here, the superuser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import CheckViolation, IntegrityConstraintViolation
from sqlalchemy import make_url

from talkingphoto.foundation.database import Database
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.ledger_book import Book

REFUSED = IntegrityConstraintViolation
POST = """
    INSERT INTO ledger_transactions
        (user_id, kind, key, reason, credits, entry_count, created_at)
    VALUES (%(user)s, 'revoke', %(key)s, '', 1, %(count)s, now()) RETURNING id
"""
ENTRIES = """
    INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
    VALUES (%(id)s, %(user)s, 'available', %(from)s, %(out)s),
        (%(id)s, %(user)s, 'revoked', %(to)s, %(in)s)
"""


@dataclass(frozen=True)
class Books:
    """A database with two customers' posted credits, and the way in past our code."""

    address: str
    user: UUID
    lot: UUID
    second_lot: UUID
    strangers_lot: UUID
    book: Book

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.address)

    def post(self, connection: psycopg.Connection, *, key: str, count: int = 2) -> int:
        """A ledger transaction without its entries."""
        row = connection.execute(POST, {"user": self.user, "key": key, "count": count}).fetchone()
        assert row is not None
        return int(row[0])

    def move(self, connection: psycopg.Connection, posted: int, **chosen: object) -> None:
        """Its two entries: one credit of the lot taken back, unless told otherwise."""
        usual = {"from": self.lot, "to": self.lot, "out": -1, "in": 1, "user": self.user}
        connection.execute(ENTRIES, {**usual, "id": posted, **chosen})


@pytest.fixture(scope="module")
def books(postgres: TestServer) -> Iterator[Books]:
    with postgres.database() as url:
        database = Database(url)
        book = Book(database, TestClock())
        user_id, stranger = book.customer(), book.customer()
        lots = [book.grant(user_id, 10), book.grant(user_id, 10), book.grant(stranger, 10)]
        book.hold(user_id, 1)
        book.spend(user_id, 1)
        book.grant(stranger, 5, key="disputed", reference="payment")
        book.spend(stranger, 11)
        book.claw_back(lots[2].key, 10)
        book.freeze("payment")
        book.freeze("payment", key="over")
        book.thaw("payment", key="over")
        address = make_url(url).set(drivername="postgresql")
        first, second, strangers = (UUID(lot.id) for lot in lots)
        yield Books(
            address.render_as_string(hide_password=False),
            UUID(user_id),
            first,
            second,
            strangers,
            book=book,
        )
        assert book.check() == ()
        database.dispose()


def test_these_tests_attack_as_the_superuser(books: Books) -> None:
    with books.connect() as connection:
        assert connection.execute("SHOW is_superuser").fetchone() == ("on",)


def test_m2_a_transaction_without_entries_is_refused_at_the_commit(books: Books) -> None:
    connection = books.connect()
    books.post(connection, key="empty")
    with pytest.raises(REFUSED, match="has 0 of 2 entries"):
        connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ({"out": -1, "in": 2}, "does not balance"),
        ({"out": 1, "in": 1}, "does not balance"),
        ({"to": "second_lot"}, "does not balance"),
        ({"from": "strangers_lot", "to": "strangers_lot"}, "another user"),
    ],
    ids=["unequal", "both sides the same", "from lot to lot", "a stranger's lot"],
)
def test_m2_entries_that_do_not_balance_are_refused(
    books: Books, moved: dict[str, object], said: str
) -> None:
    chosen = {name: getattr(books, str(value), value) for name, value in moved.items()}
    with books.connect() as connection:
        posted = books.post(connection, key="unbalanced")
        with pytest.raises(REFUSED, match=said):
            books.move(connection, posted, **chosen)
        connection.rollback()


def test_m2_one_entry_alone_is_refused(books: Books) -> None:
    with books.connect() as connection:
        posted = books.post(connection, key="one-sided")
        with pytest.raises(REFUSED, match="has 1 of 2 entries"):
            connection.execute(
                "INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits) "
                "VALUES (%s, %s, 'available', %s, 1)",
                (posted, books.user, books.lot),
            )
        connection.rollback()


def test_m2_entries_cannot_join_a_finished_transaction(books: Books) -> None:
    with books.connect() as connection:
        row = connection.execute("SELECT min(id) FROM ledger_transactions").fetchone()
        assert row is not None
        with pytest.raises(REFUSED, match="has 4 of 2 entries"):
            books.move(connection, row[0])
        connection.rollback()


def test_m2_nor_a_transaction_whose_check_was_called_early(books: Books) -> None:
    with books.connect() as connection:
        posted = books.post(connection, key="early")
        books.move(connection, posted)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(REFUSED, match="has 4 of 2 entries"):
            books.move(connection, posted)
        connection.rollback()


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_transactions", "lots"])
def test_m2_a_temporary_table_of_the_same_name_deceives_nobody(books: Books, table: str) -> None:
    with books.connect() as connection:
        posted = books.post(connection, key="shadow")
        connection.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table})")
        statement = ENTRIES.replace("ledger_entries", "public.ledger_entries")
        values = {"id": posted, "user": books.user, "from": books.lot, "to": books.lot}
        with pytest.raises(REFUSED, match="does not balance"):
            connection.execute(statement, values | {"out": -1, "in": 2})
        connection.rollback()


def test_m2_more_than_a_lot_holds_cannot_leave_it_even_in_balance(books: Books) -> None:
    with books.connect() as connection:
        posted = books.post(connection, key="overdraft")
        with pytest.raises(CheckViolation, match="ck_lots_remaining"):
            books.move(connection, posted, **{"out": -11, "in": 11})
        connection.rollback()


def test_m3_a_correction_is_another_transaction_and_moves_what_remains(books: Books) -> None:
    with books.connect() as connection:
        query = "SELECT remaining FROM lots WHERE id = %s"
        before = connection.execute(query, (books.lot,)).fetchone()
        assert before is not None
        books.move(connection, books.post(connection, key="taken"))
        books.move(connection, books.post(connection, key="reversed"), **{"out": 1, "in": -1})
        assert connection.execute(query, (books.lot,)).fetchone() == before
        books.move(connection, books.post(connection, key="taken again"))
        assert connection.execute(query, (books.lot,)).fetchone() == (before[0] - 1,)
        connection.commit()


ATTACKS = [
    "UPDATE ledger_entries SET credits = credits + 1",
    "UPDATE ledger_entries SET credits = credits WHERE false",
    "DELETE FROM ledger_entries",
    "TRUNCATE ledger_entries",
    "UPDATE ledger_transactions SET reason = 'nothing happened'",
    "UPDATE ledger_transactions SET entry_count = 4",
    "DELETE FROM ledger_transactions",
    "TRUNCATE ledger_transactions CASCADE",
    "TRUNCATE lots CASCADE",
    "TRUNCATE holds CASCADE",
    "DELETE FROM lots",
    "DELETE FROM holds",
    "INSERT INTO ledger_transactions OVERRIDING SYSTEM VALUE SELECT * FROM ledger_transactions"
    " ON CONFLICT (kind, key) DO UPDATE SET reason = ''",
    "MERGE INTO ledger_entries AS old USING ledger_entries AS new ON old.id = new.id"
    " WHEN MATCHED THEN DELETE",
    "UPDATE lots SET remaining = remaining - 1",
    "UPDATE lots SET remaining = credits",
    "UPDATE lots SET credits = credits + 1",
    "UPDATE lots SET price_minor = 0, currency = 'usd'",
    "UPDATE lots SET expires_at = now(), usable_until = now()",
    "UPDATE lots SET usable_until = now()",
    "UPDATE lots SET user_id = (SELECT min(user_id::text)::uuid FROM customers)",
    "UPDATE holds SET state = 'held', ended_at = NULL WHERE state = 'settled'",
    "UPDATE holds SET state = 'released' WHERE state = 'settled'",
    "UPDATE holds SET credits = credits + 1 WHERE state = 'held'",
    "UPDATE holds SET expires_at = now() WHERE state = 'held'",
    "UPDATE lots SET frozen_since = NULL",
    "UPDATE lots SET frozen_since = now() WHERE frozen_since IS NULL",
    "UPDATE lots SET latest_end = now(), usable_until = now(), expires_at = now()",
    "UPDATE freezes SET thawed_at = NULL WHERE key = 'over'",
    "UPDATE freezes SET reason = 'none'",
    "DELETE FROM freezes",
    "TRUNCATE freezes",
    "UPDATE debts SET still_owed = still_owed + 1",
    "UPDATE debts SET credits = 1",
    "UPDATE debts SET still_owed = still_owed WHERE true",
    "DELETE FROM debts",
    "TRUNCATE debts",
    "INSERT INTO lots (id, user_id, key, source, credits, remaining, reference, description,"
    " created_at) SELECT gen_random_uuid(), user_id, 'made up', 'gift', 9, 9, '', '', now()"
    " FROM customers LIMIT 1",
]


@pytest.mark.parametrize("replica", [False, True], ids=["", "as replica"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_m3_what_is_posted_cannot_be_changed(books: Books, attack: str, *, replica: bool) -> None:
    with books.connect() as connection:
        if replica:  # Silences ordinary triggers: ours are there always.
            connection.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(REFUSED):
            connection.execute(attack)
        connection.rollback()


def test_m3_the_owner_of_the_tables_is_refused_too(books: Books) -> None:
    with books.connect() as connection:
        connection.execute("CREATE ROLE plain_owner")
        connection.execute("GRANT ALL ON SCHEMA public TO plain_owner")
        connection.execute("ALTER TABLE ledger_entries OWNER TO plain_owner")
        connection.execute("SET ROLE plain_owner")
        with pytest.raises(REFUSED):
            connection.execute("DELETE FROM ledger_entries")
        connection.rollback()


def test_a_hold_can_end_and_then_never_again(books: Books) -> None:
    ending = "UPDATE holds SET state = 'released', ended_at = now() WHERE state = 'held'"
    with books.connect() as connection:
        assert connection.execute(ending).rowcount == 1
        assert connection.execute(ending).rowcount == 0
        connection.rollback()
