"""The sandbox as a whole: its store, its clock, and the threads that deliver and keep time."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stripe_sandbox import clock
from stripe_sandbox.api.idempotency import Running
from stripe_sandbox.delivery import Deliverer
from stripe_sandbox.flows import timers
from stripe_sandbox.objects import webhook_endpoints
from stripe_sandbox.store import Store
from stripe_sandbox.unit import Cause, Unit

log = logging.getLogger(__name__)

_IDLE_SECONDS = 60.0
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
    request_log: Path | None = None


class Sandbox:
    """Everything requests share; one a process."""

    def __init__(self, settings: Settings) -> None:
        """The store is open and the endpoint of start-up, if any, is in it."""
        self.settings = settings
        self.store = Store(settings.store)
        self.running = Running()
        self.deliverer = Deliverer(self.store)
        self._time_moves = threading.Lock()
        self._timer_changed = threading.Event()
        self._stopped = False
        self._timekeeper = threading.Thread(target=self._keep_time, name="timekeeper", daemon=True)
        if settings.webhook_url:
            with self.transaction() as unit:
                webhook_endpoints.manage(unit, settings.webhook_url, settings.webhook_secrets)

    @contextmanager
    def transaction(self, cause: Cause | None = None) -> Iterator[Unit]:
        """One unit of work; after its commit the threads it made work for are awake."""
        with self.store.transaction() as connection:
            unit = Unit(
                connection,
                now=clock.now(connection),
                public_url=self.settings.public_url,
                brand=self.settings.brand,
                cause=cause or Cause(),
            )
            yield unit
        if unit.events:
            self.deliverer.wake()
        if unit.timers:
            self._timer_changed.set()

    def start(self) -> None:
        """Webhooks go out and time passes."""
        self.deliverer.start()
        self._timekeeper.start()

    def stop(self) -> None:
        """The threads have ended and the store is closed."""
        self._stopped = True
        self._timer_changed.set()
        self.deliverer.stop()
        if self._timekeeper.is_alive():
            self._timekeeper.join(timeout=2)
        self.store.close()

    def now(self) -> int:
        """The sandbox's present moment."""
        with self.store.transaction() as connection:
            return clock.now(connection)

    def move_clock(self, moment: int) -> int:
        """The clock shows the moment, and everything due until then was done at its own time."""
        with self._time_moves:
            while self._do_next(moment) is None:
                pass
            with self.store.transaction() as connection:
                shown = clock.move_to(connection, moment)
        self._timer_changed.set()
        return shown

    def _do_next(self, until: int | None = None) -> float | None:
        """One piece of due work is done: None; else the seconds until there is some."""
        with self.store.transaction() as connection:
            now = clock.now(connection)
            due_at = timers.next_due(connection)
            if due_at is None or due_at > (now if until is None else max(until, now)):
                return _IDLE_SECONDS if due_at is None else float(due_at - now)
            clock.move_to(connection, due_at)
        try:
            with self.transaction() as unit:
                timers.run_next(unit)
        except Exception:
            log.exception("work due at %d failed and is given up", due_at)
            with self.store.transaction() as connection:
                timers.drop_next(connection)
        return None

    def _keep_time(self) -> None:
        while not self._stopped:
            # Cleared before looking: a timer set after the look ends the wait at once.
            self._timer_changed.clear()
            with self._time_moves:
                due_in = self._do_next()
            if due_in is not None and not self._stopped:
                self._timer_changed.wait(min(due_in, _IDLE_SECONDS))
