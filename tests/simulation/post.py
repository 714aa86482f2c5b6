"""The way of an event from Stripe to the product: late, twice, in any order, and to a worker that
may end in the middle of its work."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.events.handling import Handler, Look, Write
from talkingphoto.events.inbox import StripeEvent
from talkingphoto.events.table import HANDLERS
from talkingphoto.foundation.jobs import Task
from tests.simulation.faults import Build
from tests.simulation.world import World
from tests.support.sandbox import sign
from worker import tasks

_MOST_ROUNDS = 50
_WAITING = text(
    "SELECT id, task_name, args, lock FROM procrastinate_jobs WHERE status = 'todo' "
    "AND coalesce(scheduled_at, :now) <= :now ORDER BY id"
)
_DONE = text("DELETE FROM procrastinate_jobs WHERE id = ANY(:ids)")


class Crash(Exception):
    """A worker ended in the middle of a transaction."""


@dataclass(frozen=True)
class Habits:
    """How badly events travel; shares in percent."""

    late: int = 15
    latest_days: int = 3
    twice: int = 15
    crashes: int = 5
    together: int = 20


@dataclass
class Fates:
    """Which events meet a crash on their first run; each is drawn when the event is collected."""

    doomed: set[str] = field(default_factory=set)

    def over(self, build: Build) -> Build:
        """The same handlers, whose writes fail once for those events when all is written."""
        guarded = {kind: self._guard(handler) for kind, handler in build.handlers.items()}
        return Build(handlers=guarded, known=build.known)

    def _guard(self, handler: Handler) -> Handler:
        def handle(look: Look, event: StripeEvent) -> Write | None:
            write = handler(look, event)
            if write is None or event.id not in self.doomed:
                return write
            self.doomed.discard(event.id)
            return lambda session: _write_and_crash(session, write)

        return handle


def _write_and_crash(session: Session, write: Write) -> None:
    write(session)
    session.flush()
    raise Crash


class InsideWay:
    """Events are carried and worked off in this process, in an order that the seed decides."""

    def __init__(self, world: World, *, seed: int, habits: Habits, fates: Fates) -> None:
        rng = random.Random(f"post:{seed}")  # noqa: S311 - a seed is to be repeated, not secret
        self._post = _Post(world, rng=rng, habits=habits, fates=fates)
        self._desk = _Desk(world, rng=rng, habits=habits)

    @property
    def events(self) -> int:
        """How many the sandbox has told."""
        return self._post.events

    def carry(self, *, everything: bool = False) -> None:
        """What is due has arrived and is worked off."""
        self._post.collect(frozenset(HANDLERS))
        self._post.bring(everything=everything)
        self._desk.work()

    def sweep(self) -> None:
        """What is due by the clock is done."""
        self._desk.sweep()

    def customers_waiting(self) -> frozenset[str]:
        """Those customers of whom something has not arrived yet."""
        return self._post.customers_waiting()

    def close(self) -> None:
        """Nobody works any more."""
        self._desk.close()


class _Post:
    """Events that are on their way, each with its fate."""

    def __init__(self, world: World, *, rng: random.Random, habits: Habits, fates: Fates) -> None:
        self._world = world
        self._rng = rng
        self._habits = habits
        self._fates = fates
        self._bag: list[tuple[datetime, dict[str, Any]]] = []
        self.events = 0

    def collect(self, types: frozenset[str]) -> None:
        """What the sandbox has told since the last time is on its way."""
        now = self._world.clock()
        for event in self._world.store.news(types):
            self.events += 1
            for _ in range(2 if self._meets(self._habits.twice) else 1):
                late = self._rng.randint(1, self._habits.latest_days)
                days = late if self._meets(self._habits.late) else 0
                self._bag.append((now + timedelta(days=days), event))
            if self._meets(self._habits.crashes):
                self._fates.doomed.add(event["id"])

    def bring(self, *, everything: bool = False) -> None:
        """What is due by now has arrived, in any order."""
        now = self._world.clock()
        due = [entry for entry in self._bag if everything or entry[0] <= now]
        self._bag = [entry for entry in self._bag if not everything and entry[0] > now]
        self._rng.shuffle(due)
        for _, event in due:
            self._world.services.webhooks.receive(*sign(event, self._world.secret))

    def customers_waiting(self) -> frozenset[str]:
        """Those customers of whom something has not arrived yet."""
        told = (event["data"]["object"].get("customer") for _, event in self._bag)
        return frozenset(customer for customer in told if customer)

    def _meets(self, percent: int) -> bool:
        return self._rng.randrange(100) < percent


class _Desk:
    """The workers: they take jobs in any order, and sometimes two for one customer at once."""

    def __init__(self, world: World, *, rng: random.Random, habits: Habits) -> None:
        self._world = world
        self._rng = rng
        self._habits = habits
        self._tasks: dict[str, Task] = tasks.table(world.services)
        self._pair = ThreadPoolExecutor(max_workers=2)

    def work(self) -> None:
        """No job is waiting; a run that crashed was followed by another."""
        for _ in range(_MOST_ROUNDS):
            waiting = self._waiting()
            if not waiting:
                return
            self._rng.shuffle(waiting)
            done = self._run_all(waiting)
            with self._world.runtime.transaction() as session:
                session.execute(_DONE, {"ids": done})
        raise AssertionError("a job is tried again and again")

    def sweep(self) -> None:
        """What is due by the clock is done."""
        self._tasks["sweep.minute"].verb()

    def close(self) -> None:
        """Nobody works any more."""
        self._pair.shutdown()

    def _waiting(self) -> list[Any]:
        # Jobs wait for moments of the product's time, which is ahead of the machine's.
        now = self._world.clock()
        with self._world.runtime.read_only() as session:
            return list(session.execute(_WAITING, {"now": now}))

    def _run_all(self, waiting: list[Any]) -> list[int]:
        done: list[int] = []
        while waiting:
            job = waiting.pop()
            twin = self._twin(job, waiting)
            if twin is None:
                done += self._run(job)
                continue
            waiting.remove(twin)
            for part in self._pair.map(self._run, (job, twin)):
                done += part
        return done

    def _twin(self, job: Any, waiting: list[Any]) -> Any | None:
        """Another job of the same customer, when both are to run at once."""
        if job.lock is None or self._rng.randrange(100) >= self._habits.together:
            return None
        return next((other for other in reversed(waiting) if other.lock == job.lock), None)

    def _run(self, job: Any) -> list[int]:
        verb: Callable[..., None] = self._tasks[job.task_name].verb
        try:
            verb(**job.args)
        except Crash:
            return []
        return [job.id]
