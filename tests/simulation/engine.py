"""One simulation: a seed, so many customers and months, and what is left at the end."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from tests.simulation import actions, checks, office, people
from tests.simulation.moments import DAY, START
from tests.simulation.ours import Ours
from tests.simulation.truth import Truth
from tests.simulation.turns import Turn
from tests.simulation.world import World

# After the last action, so long that every late event arrives and every page expires.
_QUIET_DAYS = 5


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
    # How far the clock is moved at once, how many act at the same time, how often one looks.
    step_days: int = 1
    at_once: int = 1
    compared_every_days: int = 3
    swept_every_days: int = 4


SMALL = Size(
    customers=10, days=90, quiet_days=10, step_days=3, compared_every_days=6, swept_every_days=6
)
# Over HTTP everything may be on its way until the end: only then one can compare.
FULL = Size(
    customers=200,
    days=365,
    quiet_days=150,
    step_days=10,
    at_once=3,
    compared_every_days=366,
    swept_every_days=10,
)


@dataclass(frozen=True)
class Outcome:
    """What one seed came to."""

    seed: int
    actions: int
    events: int
    failures: tuple[str, ...]
    digest: str
    seconds: float


class Way(Protocol):
    """How news of the sandbox reaches the product, and who works it off."""

    @property
    def events(self) -> int:
        """How many the sandbox has told."""

    def carry(self, *, everything: bool = False) -> None:
        """What is due has arrived and is worked off."""

    def sweep(self) -> None:
        """What is due by the clock is done."""

    def customers_waiting(self) -> frozenset[str]:
        """Those customers of whom something has not arrived yet."""


class Simulation:
    """One world, its customers, and the way of its events."""

    def __init__(self, world: World, way: Way, *, seed: int, size: Size) -> None:
        self.world = world
        self._way = way
        self._seed = seed
        self._size = size
        self._diary: list[str] = []
        self._found: list[str] = []
        self._ours = Ours(world)

    def run(self) -> Outcome:
        """The customers have lived, everything was told, and both sides were compared."""
        began = time.monotonic()
        list(self.world.services.payments.sync_catalog())
        office.open_for_business(self.world, staff_id=self.world.runtime.new_id())
        crowd = people.sign_up(
            self.world,
            seed=self._seed,
            count=self._size.customers,
            quiet_days=self._size.quiet_days,
        )
        for day in range(0, self._size.days, self._size.step_days):
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
            events=self._way.events,
            failures=tuple(self._found),
            digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            seconds=time.monotonic() - began,
        )

    def _end(self) -> None:
        """Nobody acts any more, every late event arrived, and both sides were compared."""
        for day in (self._size.days + _QUIET_DAYS // 2, self._size.days + _QUIET_DAYS):
            self._live(day, [])
            self._way.sweep()
        self._way.carry()
        self._way.carry(everything=True)
        truth, now = Truth(self.world.store), self.world.clock()
        self._found += checks.differences(self._ours, truth, self.world.done, now=now)

    def _live(self, day: int, crowd: list[people.Person]) -> None:
        now = START + day * DAY
        self.world.move_to(now)
        self._way.carry()
        if day % self._size.swept_every_days < self._size.step_days:
            self._way.sweep()
        acting = [person for person in crowd if person.acts_at <= now]
        with ThreadPoolExecutor(self._size.at_once) as pool:
            self._diary += pool.map(lambda person: self._act(day, person), acting)
        self._found += self.world.broken_promises
        self._way.carry()
        if day % self._size.compared_every_days == 0:
            self._compare(day)

    def _act(self, day: int, person: people.Person) -> str:
        standing = people.standing(self.world, person)
        done = actions.act(Turn(self.world, person, standing), self._size.only)
        person.rests(self.world.clock())
        return f"day {day}, {person.name} {done}"

    def _compare(self, day: int) -> None:
        """What differs in the middle of a life: later news may hide it."""
        late, truth = self._way.customers_waiting(), Truth(self.world.store)
        for found in checks.subscriptions(self._ours, truth, apart_from=late):
            self._found.append(f"day {day}, {found}")
