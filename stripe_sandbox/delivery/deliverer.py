"""The one thread that hands out letters and records what came of them, many at a time."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from stripe_sandbox.delivery import letters
from stripe_sandbox.delivery.lanes import LONGEST_QUEUE, Lane
from stripe_sandbox.delivery.letters import Desk, Letter, Outcome
from stripe_sandbox.store import Store

log = logging.getLogger(__name__)

_IDLE_SECONDS = 60.0
# While more is in the air, this long is waited for company, so that one commit records many.
_GATHER_SECONDS = 0.02
_GATHERED = 32
# A store that cannot be written just now, its disk being full, is tried again after this.
_RECOVERY_SECONDS = 5.0


@dataclass
class Deliverer:
    """What is due is sent; it sleeps until woken, until something lands, or the next is due."""

    store: Store
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _landed: list[Outcome] = field(default_factory=list)
    _woken: bool = True
    _stopped: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Deliveries go out, those left from before the start among them."""
        self._thread = threading.Thread(target=self._run, name="postmaster", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No new try begins, and the tries that had landed are on record."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def wake(self) -> None:
        """New deliveries are seen at once."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait_for(self, events: Iterable[str], timeout_seconds: float) -> bool:
        """True once every delivery of these events was tried; False when the time is over first."""
        wanted = tuple(events)

        def untried(database: sqlite3.Connection) -> bool:
            return any(
                database.execute(
                    "SELECT 1 FROM deliveries WHERE event = ? AND state = 'waiting' AND "
                    "tries = 0 LIMIT 1",
                    (event,),
                ).fetchone()
                for event in wanted
            )

        return self._wait_while(untried, timeout_seconds)

    def wait_between(self, first: int, last: int, timeout_seconds: float) -> bool:
        """As wait_for, for the deliveries whose numbers are after the first, up to the last."""

        def untried(database: sqlite3.Connection) -> bool:
            row = database.execute(
                "SELECT 1 FROM deliveries WHERE state = 'waiting' AND tries = 0 AND id > ? "
                "AND id <= ? LIMIT 1",
                (first, last),
            ).fetchone()
            return row is not None

        return self._wait_while(untried, timeout_seconds)

    def _wait_while(
        self, untried: Callable[[sqlite3.Connection], bool], timeout_seconds: float
    ) -> bool:
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._asked(untried):
                left = deadline - time.monotonic()
                if left <= 0 or self._stopped:
                    return False
                self._changed.wait(left)
        return True

    def _asked(self, untried: Callable[[sqlite3.Connection], bool]) -> bool:
        with self.store.transaction() as database:
            return untried(database)

    def _run(self) -> None:
        due_in = 0.0
        while not self._stopped:
            landed = self._gathered(due_in)
            try:
                due_in = self._round(landed)
            except sqlite3.DatabaseError as error:
                log.error("deliveries cannot be recorded, and are tried again: %s", error)
                self._recover(landed)
            except Exception:
                # Without this thread no webhook would be sent any more, and nobody would know.
                log.exception("deliveries stumbled, and go on")
                self._recover(landed)
        for lane in self._lanes.values():
            lane.stop()

    def _recover(self, landed: list[Outcome]) -> None:
        with self._changed:
            self._landed[:0] = landed
            self._changed.wait(_RECOVERY_SECONDS)

    def _gathered(self, due_in: float) -> list[Outcome]:
        """What has landed, when there is something to do."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or self._woken or bool(self._landed), due_in
            )
            flying = sum(len(lane.flying) for lane in self._lanes.values())
            enough = min(flying, _GATHERED)
            self._changed.wait_for(
                lambda: self._stopped or self._woken or not 0 < len(self._landed) < enough,
                _GATHER_SECONDS,
            )
            self._woken = False
            landed, self._landed = self._landed, []
        return landed

    def _round(self, landed: list[Outcome]) -> float:
        """What landed is on record, what is due is on its way; the seconds until more is due."""
        moments: list[float] = []
        outgoing: list[tuple[Lane, Letter]] = []
        with self.store.transaction() as database:
            letters.note(database, landed)
            for outcome in landed:
                self._lane(outcome.letter.endpoint).flying.discard(outcome.letter.delivery)
            for endpoint, second_secret in letters.desks(database):
                lane = self._lane(endpoint["id"])
                flying = frozenset(lane.flying)
                desk = Desk(endpoint, second_secret, flying, LONGEST_QUEUE - len(flying))
                found, due_at = letters.due(database, desk)
                outgoing += [(lane, letter) for letter in found]
                moments += [due_at] if due_at is not None else []
        for lane, letter in outgoing:
            lane.send(letter)
        with self._changed:
            self._changed.notify_all()
        due_in = min(moments, default=time.time() + _IDLE_SECONDS) - time.time()
        return min(max(due_in, 0.0), _IDLE_SECONDS)

    def _lane(self, endpoint_id: str) -> Lane:
        if endpoint_id not in self._lanes:
            self._lanes[endpoint_id] = Lane(self._land)
        return self._lanes[endpoint_id]

    def _land(self, outcome: Outcome) -> None:
        if not outcome.arrived:
            letter = outcome.letter
            reason = outcome.fault or outcome.status
            log.warning("delivery %d to %s not taken: %s", letter.delivery, letter.url, reason)
        with self._changed:
            self._landed.append(outcome)
            self._changed.notify_all()
