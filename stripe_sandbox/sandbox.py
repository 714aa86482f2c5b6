"""The sandbox as a whole: its store, its clock, and the threads that deliver and keep time."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stripe_sandbox import clock, retention
from stripe_sandbox.api.idempotency import Running
from stripe_sandbox.delivery.deliverer import Deliverer
from stripe_sandbox.faults.book import Book
from stripe_sandbox.flows import timers
from stripe_sandbox.objects import webhook_endpoints
from stripe_sandbox.policy import Policy
from stripe_sandbox.retention import Limits
from stripe_sandbox.store import Store
from stripe_sandbox.unit import Cause, Unit

log = logging.getLogger(__name__)

_IDLE_SECONDS = 60.0
_RECOVERY_SECONDS = 5.0
_TIDY_SECONDS = 60.0
_BETWEEN_BATCHES_SECONDS = 0.01
# A clock is moved by at most this much at once: a slip of the hand must not fill the store.
LONGEST_MOVE_SECONDS = 5 * 366 * 24 * 3600


@dataclass(frozen=True)
class Settings:
    """What start-up was told."""

    store: Path
    public_url: str
    brand: str = "Sandbox merchant"
    webhook_url: str | None = None
    webhook_secrets: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    request_log: Path | None = None


@dataclass(frozen=True)
class _Step:
    """One look at what is due: whether work was done, and when to look again if not."""

    done: bool
    due_in: float = 0.0
    events: int = 0


@dataclass(frozen=True)
class Moved:
    """What moving the clock has led to; its deliveries are those numbered between the two."""

    now: int
    work: int
    events: int
    first_delivery: int
    last_delivery: int


class Sandbox:
    """Everything requests share; one a process."""

    def __init__(self, settings: Settings) -> None:
        """The store is open and the endpoint of start-up, if any, is in it."""
        self.settings = settings
        self.store = Store(settings.store)
        self.faults = Book(self.store)
        self.running = Running()
        self.deliverer = Deliverer(self.store)
        self._time_moves = threading.Lock()
        self._timer_changed = threading.Event()
        self._timekeeper = threading.Thread(target=self._keep_time, name="timekeeper", daemon=True)
        self._janitor = threading.Thread(target=self._keep_tidy, name="janitor", daemon=True)
        self._ending = threading.Event()
        if settings.webhook_url:
            with self.transaction() as unit:
                webhook_endpoints.manage(unit, settings.webhook_url, settings.webhook_secrets)

    @contextmanager
    def transaction(self, cause: Cause | None = None) -> Iterator[Unit]:
        """One unit of work; after its commit the threads it made work for are awake."""
        with self.store.transaction() as connection:
            unit = Unit(
                database=connection,
                now=clock.now(connection),
                public_url=self.settings.public_url,
                brand=self.settings.brand,
                cause=cause or Cause(),
                policy=self.settings.policy,
            )
            yield unit
            unit.finish()
        if unit.events:
            self.deliverer.wake()
        if unit.timers:
            self._timer_changed.set()

    def start(self) -> None:
        """Webhooks go out and time passes."""
        self.deliverer.start()
        self._timekeeper.start()
        self._janitor.start()

    def stop(self) -> None:
        """The threads have ended and the store is closed."""
        self._ending.set()
        self._timer_changed.set()
        self.deliverer.stop()
        for thread in (self._timekeeper, self._janitor):
            if thread.is_alive():
                thread.join(timeout=2)
        self.store.close()

    def now(self) -> int:
        """The sandbox's present moment."""
        with self.store.transaction() as connection:
            return clock.now(connection)

    def move_clock(self, moment: int) -> Moved:
        """The clock shows the moment, and everything due until then was done at its own time."""
        work = events = 0
        with self._time_moves:
            with self.store.transaction() as connection:
                first = _newest_delivery(connection)
            while (step := self._do_next(moment)).done:
                work += 1
                events += step.events
            with self.store.transaction() as connection:
                shown = clock.move_to(connection, moment)
                last = _newest_delivery(connection)
        self._timer_changed.set()
        return Moved(shown, work, events, first, last)

    def stop_clock(self, *, still: bool) -> None:
        """The clock stands at what it shows until it is moved by hand, or it goes on from there."""
        with self._time_moves, self.store.transaction() as connection:
            if still:
                clock.stand_still(connection)
            else:
                clock.go_on(connection)
        self._timer_changed.set()

    def _do_next(self, until: int | None = None) -> _Step:
        """The earliest work that is due was done at its own time, or there was none."""
        due_at = 0
        try:
            with self.transaction() as unit:
                found = timers.next_due(unit.database)
                if found is None or found > (unit.now if until is None else max(until, unit.now)):
                    due_in = _IDLE_SECONDS if found is None else float(found - unit.now)
                    return _Step(done=False, due_in=due_in)
                due_at = found
                clock.move_to(unit.database, due_at)
                unit.now = max(unit.now, due_at)
                timers.run_next(unit)
            return _Step(done=True, events=unit.emitted)
        except Exception as error:
            if isinstance(error, sqlite3.DatabaseError) and not _is_ours(error):
                # The store cannot be written just now: the work stays due, and is tried again.
                raise
            log.exception("work due at %d failed and is given up", due_at)
            with self.store.transaction() as connection:
                clock.move_to(connection, due_at)
                timers.drop_next(connection)
            return _Step(done=True)

    def _keep_time(self) -> None:
        while not self._ending.is_set():
            # Cleared before looking: a timer set after the look ends the wait at once.
            self._timer_changed.clear()
            try:
                with self._time_moves:
                    step = self._do_next()
            except sqlite3.DatabaseError as error:
                log.error("the clock stands still, for the store cannot be written: %s", error)
                step = _Step(done=False, due_in=_RECOVERY_SECONDS)
            if not step.done and not self._ending.is_set():
                self._timer_changed.wait(min(step.due_in, _IDLE_SECONDS))

    def _keep_tidy(self) -> None:
        while not self._ending.is_set():
            try:
                retention.tidy(
                    self.store, Limits(), lambda: self._ending.wait(_BETWEEN_BATCHES_SECONDS)
                )
            except sqlite3.DatabaseError as error:
                log.error("the store cannot be tidied: %s", error)
            self._ending.wait(_TIDY_SECONDS)


def _is_ours(error: sqlite3.DatabaseError) -> bool:
    """True for what the work itself did wrong, such as storing a thing twice."""
    return isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError)


def _newest_delivery(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM deliveries").fetchone()[0])
