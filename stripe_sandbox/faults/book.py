"""The book of rules: kept in the store, looked at by every call, each hit counted."""

import json
import sqlite3
from dataclasses import asdict

from stripe_sandbox import Json
from stripe_sandbox.api import errors
from stripe_sandbox.faults import rules
from stripe_sandbox.faults.rules import Rule
from stripe_sandbox.store import Store

# More rules than a person can mean, each of which every call is compared with.
_MOST_RULES = 100


class Book:
    """The rules in force; while there are none, a call costs one look at a flag."""

    def __init__(self, store: Store) -> None:
        """The rules left from before the start are in force."""
        self._store = store
        with store.transaction() as database:
            self._in_force = _any(database)

    def add(self, values: Json) -> Json:
        """The rule is in force, after those that were there; the first that meets a call counts."""
        rule = rules.made(values)
        with self._store.transaction() as database:
            if database.execute("SELECT count(*) FROM faults").fetchone()[0] >= _MOST_RULES:
                raise errors.invalid(f"There are {_MOST_RULES} rules: clear some first.")
            row = database.execute(
                "INSERT INTO faults (rule) VALUES (?) RETURNING *", (json.dumps(asdict(rule)),)
            ).fetchone()
            self._in_force = True
        return _shown(row)

    def all(self) -> list[Json]:
        """The rules, oldest first, each with how many calls it was for and how many it met."""
        with self._store.transaction() as database:
            return [_shown(row) for row in _rows(database)]

    def clear(self, number: int | None = None) -> int:
        """The rule with this number is gone, or all are; how many that were."""
        with self._store.transaction() as database:
            gone = database.execute(
                "DELETE FROM faults WHERE ?1 IS NULL OR id = ?1", (number,)
            ).rowcount
            self._in_force = _any(database)
        if number is not None and not gone:
            raise errors.no_such("fault", str(number))
        return gone

    def met(self, method: str, path: str) -> Rule | None:
        """The rule that this call meets, counted; None if it goes through."""
        if not self._in_force:
            return None
        with self._store.transaction() as database:
            for row in _rows(database):
                rule = _rule(row)
                spent = rule.times is not None and row["hits"] >= rule.times
                if spent or not rule.is_for(method, path):
                    continue
                hit = rule.meets(row["seen"] + 1)
                database.execute(
                    "UPDATE faults SET seen = seen + 1, hits = hits + ? WHERE id = ?",
                    (int(hit), row["id"]),
                )
                if hit:
                    return rule
        return None


def _any(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM faults LIMIT 1").fetchone() is not None


def _rows(database: sqlite3.Connection) -> list[sqlite3.Row]:
    return database.execute("SELECT id, rule, seen, hits FROM faults ORDER BY id").fetchall()


def _rule(row: sqlite3.Row) -> Rule:
    return Rule(**json.loads(row["rule"]))


def _shown(row: sqlite3.Row) -> Json:
    rule = _rule(row)
    left = None if rule.times is None else rule.times - row["hits"]
    return {
        "id": row["id"],
        **rules.shown(rule),
        "seen": row["seen"],
        "hits": row["hits"],
        "left": left,
    }
