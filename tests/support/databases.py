"""Databases for tests: one throw-away server, migrated once into a template, copied for the first
test and rewound for the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from talkingphoto.foundation.database import Database
from talkingphoto.integrations import schema
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support import rewinding
from tests.support.rewinding import Contents, rewind

TEMPLATE = "template_of_tests"


class TestServer:
    """A PostgreSQL that lives as long as the test run and forgets everything afterwards."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self._embedded = EmbeddedPostgres(folder, durable=False)
        self._maintenance = make_url(self._embedded.ensure())
        self._numbers = count(1)
        # Databases that nobody uses.
        self._free: list[str] = []
        self._held: dict[str, Contents] = {}
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        template = Database(self.url(TEMPLATE))
        schema.upgrade(template)
        template.dispose()

    def url(self, name: str) -> str:
        """The SQLAlchemy address of one database."""
        return self._maintenance.set(database=name).render_as_string(hide_password=False)

    def create(self, *, migrated: bool = True, like: str = "") -> str:
        """The address of a new database: with our tables, without, or a copy of another."""
        name = f"test_{next(self._numbers)}"
        template = str(make_url(like).database) if like else TEMPLATE if migrated else "template0"
        # The other strategy writes every page into the log too, which takes five times as long.
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """The database is gone, whoever was connected."""
        name = sql.Identifier(str(make_url(url).database))
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    @contextmanager
    def database(self, *, like: str = "") -> Iterator[str]:
        """The address of a migrated and otherwise empty database, or of one that holds what
        another does, to which nobody writes meanwhile; nobody can use it after the end."""
        url = self._free.pop() if self._free else self.create()
        shape = rewind(url, self._contents(like or self.url(TEMPLATE)))
        try:
            yield url
        finally:
            self._held.pop(url, None)
            if rewinding.shape(url) == shape:
                self._free.append(url)
            else:  # the next test would find what this one changed
                self.drop(url)

    def _contents(self, url: str) -> Contents:
        if url not in self._held:
            self._held[url] = rewinding.contents(url)
        return self._held[url]

    def stop(self) -> None:
        """The server has ended and its data are gone."""
        self._embedded.discard()

    def _run(self, statement: sql.Composed) -> None:
        address = self._maintenance.set(drivername="postgresql")
        with psycopg.connect(
            address.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(statement)
