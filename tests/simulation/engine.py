"""One simulation: a seed, so many customers and months, and what is left at the end."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.events.handling import Handler
from talkingphoto.events.table import HANDLERS
from tests.simulation import actions, checks, people
from tests.simulation.inside import InsideBank
from tests.simulation.moments import DAY, START
from tests.simulation.ours import Ours
from tests.simulation.post import Desk, Fates, Habits, Post
from tests.simulation.truth import Truth
from tests.simulation.world import World

_DAYS_A_MONTH = 30
# After the last action, so long that every late event arrives and every page expires.
_QUIET_DAYS = 5


@dataclass(frozen=True)
class Size:
    """How many customers live for how long."""

    customers: int
    months: int

    @property
    def days(self) -> int:
        """On how many days somebody may act."""
        return self.months * _DAYS_A_MONTH


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
        handlers: Mapping[str, Handler] = HANDLERS,
        habits: Habits | None = None,
    ) -> None:
        self._seed = seed
        self._size = size
        self._types = frozenset(HANDLERS)
        fates, ways = Fates(), habits or Habits()
        self.world = World(
            database_url, InsideBank(folder), seed=seed, handlers=fates.over(handlers)
        )
        rng = random.Random(f"post:{seed}")  # noqa: S311 - a seed is to be repeated, not secret
        self._post = Post(self.world, rng=rng, habits=ways, fates=fates)
        self._desk = Desk(self.world, rng=rng, habits=ways)
        self._diary: list[str] = []

    def run(self) -> Outcome:
        """The customers have lived, everything was told, and both sides were compared."""
        began = time.monotonic()
        list(self.world.payments.sync_catalog())
        crowd = people.sign_up(self.world, seed=self._seed, count=self._size.customers)
        for day in range(self._size.days):
            self._live(day, crowd)
        for day in range(self._size.days, self._size.days + _QUIET_DAYS):
            self._live(day, [])
        ours, now = Ours(self.world), self.world.clock()
        failures = tuple(checks.differences(ours, Truth(self.world.store), now=now))
        lines = [*self._diary]
        for person in crowd:
            lines += [person.name, *ours.account(person.id)]
        return Outcome(
            seed=self._seed,
            actions=len(self._diary),
            events=self._post.events,
            failures=failures,
            digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            seconds=time.monotonic() - began,
        )

    def close(self) -> None:
        """Nothing of it is left open."""
        self._desk.close()
        self.world.close()

    def _live(self, day: int, crowd: list[people.Person]) -> None:
        now = START + day * DAY
        self.world.move_to(now)
        self._carry()
        self._desk.sweep()
        for person in crowd:
            if person.acts_at <= now:
                standing = people.standing(self.world, person)
                done = actions.act(actions.Turn(self.world, person, standing))
                self._diary.append(f"day {day}, {person.name} {done}")
                person.rests(now)
        self._carry()

    def _carry(self) -> None:
        self._post.collect(self._types)
        self._post.bring()
        self._desk.work()
