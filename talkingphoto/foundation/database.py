"""The only place that opens, commits or rolls back a transaction, and the guard around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import MetaData, Text, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from talkingphoto.foundation import errors

# Milliseconds: a stuck statement or lock ends as an error instead of holding a customer's row.
SERVER_OPTIONS = (
    "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=10000 "
    "-c idle_in_transaction_session_timeout=60000"
)

_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


class Base(DeclarativeBase):
    """Every table of ours; the naming makes constraints recognisable in errors and migrations."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {str: Text}  # noqa: RUF012 - read once by SQLAlchemy's metaclass


class Database:
    """A pool of connections to one PostgreSQL, made on first use."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=10,
            pool_pre_ping=True,
            pool_timeout=10,
            hide_parameters=True,
            connect_args={"options": SERVER_OPTIONS, "connect_timeout": 5},
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Everything written inside is committed together at the end, or not at all."""
        with (
            self._guarded(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def read_only(self) -> Iterator[Session]:
        """A view of one moment in which nothing can be written."""
        with self._guarded(), Session(self.engine) as session, session.begin():
            # Not an option of the connection: given back, it would begin writes as READ WRITE and
            # pass over a server that an operator, or a full disk, has made read-only.
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield session

    def in_batches(self, work: Callable[[Session], int], *, most: int) -> int:
        """The work was done, a transaction at a time, until none was left or `most` times; the
        sum of what it said it did."""
        done = 0
        for _ in range(most):
            with self.transaction() as session:
                did = work(session)
            if did == 0:
                break
            done += did
        return done

    def check(self) -> None:
        """Returns when the server answers a query; Unavailable when it does not."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as fault:
            raise unreachable() from fault

    def dispose(self) -> None:
        """Every pooled connection is closed."""
        self.engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        assert not _open.get(), "transactions do not nest"
        token = _open.set(True)
        try:
            yield
        finally:
            _open.reset(token)


def unreachable() -> errors.Unavailable:
    """The refusal for a database that does not answer, naming the setting and not its value."""
    return errors.Unavailable(
        "database.unreachable",
        "The database does not answer. Check DATABASE_URL, or leave it empty to use the "
        "embedded PostgreSQL.",
    )


def in_transaction() -> bool:
    """Whether a transaction is open here."""
    return _open.get()


def assert_outside_transaction() -> None:
    """Fails when a transaction is open: the network must never wait inside one."""
    assert not in_transaction(), "network call inside a transaction"


def driver_connection(session: Session) -> Any:
    """The psycopg connection under a session, for a library that writes in the same transaction."""
    return session.connection().connection.driver_connection
