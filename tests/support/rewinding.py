"""A used database made as good as new: a tenth of the work of a copy, which writes a thousand
files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

_LONGEST_SECONDS = 30
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
# What tests change of a schema is a row of these, newer than the database when one has.
_DEFINITIONS = (
    *("class", "attribute", "attrdef", "constraint", "index", "sequence", "trigger", "proc"),
    *("type", "enum", "rewrite", "policy", "db_role_setting"),
)
_SHAPE = " UNION ALL ".join(
    f"SELECT count(*), max(xmin::text::bigint) FROM pg_{name}"  # noqa: S608 - names of ours
    for name in _DEFINITIONS
)
_OTHERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
# The ledger's guards let nobody remove or fill a row by hand: they are off meanwhile. All of them,
# for a large table takes those along that look up to it, and theirs are asked too.
_GUARDS = """
    SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger WHERE tgenabled = 'A'
"""
# What was large stays full of dead rows when it is emptied row by row; what is small is emptied
# sooner than a new file is made.
_EMPTY = """
    DO $$
    DECLARE
        used record;
        found boolean;
    BEGIN
        FOR used IN SELECT oid::regclass AS name, pg_relation_size(oid) AS size FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND pg_relation_size(oid) > 0
        LOOP
            IF used.size > 262144 THEN
                EXECUTE format('TRUNCATE %s CASCADE', used.name);
            ELSE
                EXECUTE format('SELECT EXISTS (SELECT FROM %s)', used.name) INTO found;
                IF found THEN
                    EXECUTE format('DELETE FROM %s', used.name);
                END IF;
            END IF;
        END LOOP;
    END $$
"""


@dataclass(frozen=True)
class Contents:
    """The rows of every table that has some, and where every sequence stands."""

    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]


def contents(url: str) -> Contents:
    """What that database holds now."""
    with _connected(url) as connection:
        rows = {name: _rows(connection, name) for name in _names(connection, _TABLES)}
        return Contents(
            rows={name: found for name, found in rows.items() if found},
            sequences={name: _stand(connection, name) for name in _names(connection, _SEQUENCES)},
        )


def rewind(url: str, held: Contents) -> str:
    """Nobody else is connected, and the database holds that and nothing else; its shape then."""
    with _connected(url) as connection:
        _send_others_away(connection)
        guards = connection.execute(_GUARDS).fetchall()
        connection.execute("SET session_replication_role = replica")
        _turn(connection, guards, "DISABLE TRIGGER")
        connection.execute(_EMPTY)
        for name, rows in held.rows.items():
            into = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(name))
            with connection.cursor().copy(into) as copy:
                copy.write(rows)
        for name, (value, called) in held.sequences.items():
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (f'"{name}"', value, called))
        _turn(connection, guards, "ENABLE ALWAYS TRIGGER")
        return _shape(connection)


def shape(url: str) -> str:
    """The same text as long as no table, trigger, function or type was touched."""
    with _connected(url) as connection:
        return _shape(connection)


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    address = make_url(url).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
        yield connection


def _shape(connection: psycopg.Connection[Any]) -> str:
    return str(connection.execute(_SHAPE.encode()).fetchall())


def _turn(connection: psycopg.Connection[Any], guards: list[Any], how: str) -> None:
    turned = "; ".join(f"ALTER TABLE {table} {how} {name}" for table, name in guards)
    if turned:
        connection.execute(turned.encode())


def _names(connection: psycopg.Connection[Any], query: str) -> list[str]:
    return sorted(row[0] for row in connection.execute(query.encode()))


def _rows(connection: psycopg.Connection[Any], name: str) -> bytes:
    table = sql.Identifier(name)
    found = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(table)).fetchone()
    if found is None or not found[0]:
        return b""
    out = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(table)
    with connection.cursor().copy(out) as copy:
        return b"".join(bytes(part) for part in copy)


def _stand(connection: psycopg.Connection[Any], name: str) -> tuple[int, bool]:
    query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
    found = connection.execute(query).fetchone()
    assert found is not None, "a sequence has one row"
    return found[0], found[1]


def _send_others_away(connection: psycopg.Connection[Any]) -> None:
    """A process that outlived its test, or is about to end, writes nothing any more."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (left := connection.execute(_OTHERS).fetchone()) and left[0]:
        connection.commit()  # or it is shown the same moment again
        assert time.monotonic() < deadline, "somebody stays connected"
        time.sleep(0.005)
