"""One simulation: a seed, so many customers and months, and what is left at the end."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.events.table import HANDLERS
from tests.simulation import actions, checks, faults, people
from tests.simulation.inside import InsideBank
from tests.simulation.moments import DAY, START
from tests.simulation.ours import Ours
from tests.simulation.post import Desk, Fates, Habits, Post
from tests.simulation.truth import Truth
from tests.simulation.world import World

# After the last action, so long that every late event arrives and every page expires.
_QUIET_DAYS = 5
_SWEPT_EVERY_DAYS = 2
# Seven would meet every week at the same place.
_COMPARED_EVERY_DAYS = 3


@dataclass(frozen=True)
class Size:
    """How many customers live for how long."""

    customers: int
    # On how many days somebody may act.
    days: int
    # How long a customer is quiet between two actions, on average.
    quiet_days: int = 9
    # What they may do; anything when nothing is named.
    only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What one seed came to."""

    seed: int
    actions: int
    events: int
    failures: tuple[str, ...]
    digest: str
    seconds: float


class Simulation:
    """One world, its customers, and the way of its events."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        *,
        seed: int,
        size: Size,
        plan: faults.Plan = faults.none,
        habits: Habits | None = None,
    ) -> None:
        self._seed = seed
        self._size = size
        self._types = frozenset(HANDLERS)
        fates, ways = Fates(), habits or Habits()
        self.world = World(
            database_url, InsideBank(folder), seed=seed, plan=lambda made: fates.over(plan(made))
        )
        rng = random.Random(f"post:{seed}")  # noqa: S311 - a seed is to be repeated, not secret
        self._post = Post(self.world, rng=rng, habits=ways, fates=fates)
        self._desk = Desk(self.world, rng=rng, habits=ways)
        self._diary: list[str] = []
        self._found: list[str] = []
        self._ours = Ours(self.world)

    def run(self) -> Outcome:
        """The customers have lived, everything was told, and both sides were compared."""
        began = time.monotonic()
        list(self.world.services.payments.sync_catalog())
        crowd = people.sign_up(
            self.world,
            seed=self._seed,
            count=self._size.customers,
            quiet_days=self._size.quiet_days,
        )
        for day in range(self._size.days):
            self._live(day, crowd)
            if self._found:
                break
        else:
            self._end()
        lines = [*self._diary]
        for person in crowd:
            lines += [person.name, *self._ours.account(person.id)]
        return Outcome(
            seed=self._seed,
            actions=len(self._diary),
            events=self._post.events,
            failures=tuple(self._found),
            digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            seconds=time.monotonic() - began,
        )

    def close(self) -> None:
        """Nothing of it is left open."""
        self._desk.close()
        self.world.close()

    def _end(self) -> None:
        """Nobody acts any more, every late event arrived, and both sides were compared."""
        for day in range(self._size.days, self._size.days + _QUIET_DAYS):
            self._live(day, [])
        self._carry(everything=True)
        truth, now = Truth(self.world.store), self.world.clock()
        self._found += checks.differences(self._ours, truth, now=now)

    def _live(self, day: int, crowd: list[people.Person]) -> None:
        now = START + day * DAY
        self.world.move_to(now)
        self._carry()
        if day % _SWEPT_EVERY_DAYS == 0:
            self._desk.sweep()
        for person in crowd:
            if person.acts_at <= now:
                self._act(day, person)
        self._carry()
        if day % _COMPARED_EVERY_DAYS == 0:
            self._compare(day)

    def _act(self, day: int, person: people.Person) -> None:
        standing = people.standing(self.world, person)
        done = actions.act(actions.Turn(self.world, person, standing), self._size.only)
        self._diary.append(f"day {day}, {person.name} {done}")
        person.rests(self.world.clock())
        self._found += self.world.broken_promises

    def _carry(self, *, everything: bool = False) -> None:
        self._post.collect(self._types)
        self._post.bring(everything=everything)
        self._desk.work()

    def _compare(self, day: int) -> None:
        """What differs in the middle of a life: later news may hide it."""
        late, truth = self._post.customers_waiting(), Truth(self.world.store)
        for found in checks.subscriptions(self._ours, truth, apart_from=late):
            self._found.append(f"day {day}, {found}")
