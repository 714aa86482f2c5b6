"""One unit of work: what a request, a timer or a page may do to the store in one transaction."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stripe_sandbox import API_VERSION, Json, ids
from stripe_sandbox.api import errors
from stripe_sandbox.delivery import outbox
from stripe_sandbox.delivery.outbox import Listener
from stripe_sandbox.policy import Policy
from stripe_sandbox.shelf import Shelf, written


@dataclass(frozen=True)
class Cause:
    """The request that made something happen; empty for what happened by itself."""

    request: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Where:
    """A condition on a stored body: SQL of this package, and the values it compares with."""

    sql: str
    values: tuple[object, ...] = ()


@dataclass
class Unit:
    """The verbs on stored objects; nothing here outlives the transaction.

    ``now`` is the sandbox's time until the first object on a test clock is found: from then on it
    is that clock's time, and what is made belongs to that clock.
    """

    database: sqlite3.Connection
    now: int
    public_url: str
    brand: str = "Sandbox merchant"
    cause: Cause = Cause()
    clock: str | None = None
    policy: Policy = field(default_factory=Policy)
    events: list[str] = field(default_factory=list)
    emitted: int = 0
    timers: int = 0
    _listeners: list[Listener] | None = None
    _deliveries: list[outbox.Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing is on the shelf yet."""
        self._shelf = Shelf(self.database)

    @property
    def connection(self) -> sqlite3.Connection:
        """The database, with everything done so far in it."""
        self.finish()
        return self.database

    def finish(self) -> None:
        """Everything done so far is in the database."""
        self._shelf.empty()
        if self._deliveries:
            outbox.store(self.database, self._deliveries)
            self._deliveries.clear()

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Everything done inside is undone at the end, as if it had never been."""
        kept = (list(self.events), self.emitted, self.timers)
        self.connection.execute("SAVEPOINT rehearsal")
        try:
            yield
        finally:
            self._shelf.forget()
            self._deliveries.clear()
            self._listeners = None
            self.database.execute("ROLLBACK TO rehearsal")
            self.database.execute("RELEASE rehearsal")
            self.events, self.emitted, self.timers = kept

    def insert(self, body: Json) -> Json:
        """The object is stored; its place in lists is after all that were stored before."""
        self._shelf.insert(body)
        self._forget_listeners(body)
        return body

    def save(self, body: Json) -> Json:
        """The stored object is as given."""
        self._shelf.save(body)
        self._forget_listeners(body)
        return body

    def find(self, object_id: str) -> Json | None:
        """The object with this id, of any kind, or None."""
        body = self._shelf.find(object_id)
        if body is not None and self.clock is None and body.get("test_clock"):
            self.enter(body["test_clock"])
        return body

    def enter(self, clock_id: str) -> None:
        """The unit lives in the time of this test clock from now on."""
        self.clock = clock_id
        self.now = int(self.get("test_helpers.test_clock", clock_id)["frozen_time"])

    def get(self, kind: str, object_id: str, param: str = "id") -> Json:
        """The object of this kind, or Stripe's 404 that names the parameter."""
        body = self.find(object_id)
        if body is None or body["object"] != kind:
            raise errors.no_such(kind.replace("_", " ").replace(".", " "), object_id, param)
        return body

    def living(self, kind: str, object_id: str, param: str = "id") -> Json:
        """As get, and a deleted object counts as not there."""
        body = self.get(kind, object_id, param)
        if body.get("deleted"):
            raise errors.no_such(kind, object_id, param)
        return body

    def select(
        self, kind: str, wheres: Iterable[Where] = (), limit: int = 1000, order: str = "DESC"
    ) -> list[Json]:
        """The objects that meet every condition, newest first; oldest first with order ASC."""
        clauses, values = _met(kind, wheres)
        # The clauses are texts of this package; whatever a caller sent is bound by position.
        query = f"SELECT body FROM objects WHERE {clauses} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        rows = self.connection.execute(query, [*values, limit])
        return [dict(json.loads(row["body"])) for row in rows]

    def count(self, kind: str, wheres: Iterable[Where] = ()) -> int:
        """How many objects meet every condition."""
        clauses, values = _met(kind, wheres)
        query = f"SELECT count(*) FROM objects WHERE {clauses}"  # noqa: S608 - as in select
        return int(self.connection.execute(query, values).fetchone()[0])

    def place(self, object_id: str) -> int | None:
        """The object's place in the order of storing, or None if there is no such object."""
        row = self.connection.execute(
            "SELECT seq FROM objects WHERE id = ?", (object_id,)
        ).fetchone()
        return int(row["seq"]) if row else None

    def emit(self, kind: str, body: Json, before: Json | None = None) -> None:
        """An event with a copy of the object is stored and due for every endpoint that wants it."""
        data: Json = {"object": visible(body)}
        if before is not None:
            data["previous_attributes"] = changes(visible(before), data["object"])
        event: Json = {
            "id": ids.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.cause.request, "idempotency_key": self.cause.idempotency_key},
            "type": kind,
        }
        self.insert(event)
        self.emitted += 1
        if self._listeners is None:
            # Looked up once: a renewal emits a dozen events.
            self._listeners = outbox.listeners(self.database)
        made = outbox.rows(self.database, self._listeners, event["id"], kind)
        if made:
            self._deliveries += made
            self.events.append(event["id"])

    def update(self, kind: str, body: Json, before: Json) -> Json:
        """The object is saved; if it differs from before, the event says in what."""
        if body != before:
            self.save(body)
            self.emit(kind, body, before)
        return body

    def schedule(self, verb: str, object_id: str, due_at: int) -> None:
        """The verb will be done to the object when the unit's clock gets there; once."""
        self.database.execute(
            "INSERT INTO timers (due_at, verb, object, clock) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (verb, object) DO UPDATE SET due_at = excluded.due_at",
            (due_at, verb, object_id, self.clock),
        )
        self.timers += 1

    def unschedule(self, verb: str, object_id: str) -> None:
        """The verb is no longer due for the object."""
        self.database.execute("DELETE FROM timers WHERE verb = ? AND object = ?", (verb, object_id))

    def _forget_listeners(self, body: Json) -> None:
        if body["object"] == "webhook_endpoint":
            self.finish()
            self._listeners = None


def public(body: Json) -> Json:
    """A copy without the fields that begin with an underscore: the sandbox's own notes."""
    return dict(json.loads(written(visible(body))))


def visible(body: Json) -> Json:
    """As public, for what is read at once and then forgotten: its parts are not copied."""
    return {name: value for name, value in body.items() if name[0] != "_"}


def _met(kind: str, wheres: Iterable[Where]) -> tuple[str, list[object]]:
    conditions = [Where("kind = ?", (kind,)), *wheres]
    clauses = " AND ".join(condition.sql for condition in conditions)
    return clauses, [value for condition in conditions for value in condition.values]


def changes(before: Json, after: Json) -> Json:
    """What the changed fields were before; inside objects only the changed names."""
    old: Json = {}
    for name, value in before.items():
        now = after.get(name)
        if isinstance(value, dict) and isinstance(now, dict) and value.get("object") != "list":
            inner = changes(value, now)
            if inner:
                old[name] = inner
        elif value != now:
            old[name] = value
    old.update({name: None for name in after if name not in before})
    return old
