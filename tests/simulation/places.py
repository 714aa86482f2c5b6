"""Where a simulation takes place: in this process, or in processes of their own over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from tests.simulation import faults
from tests.simulation.engine import Outcome, Simulation, Size
from tests.simulation.inside import InsideBank
from tests.simulation.outside import OutsideWay, Parts
from tests.simulation.post import Fates, Habits, InsideWay
from tests.simulation.world import World

_USUAL = Habits()


@contextmanager
def inside(
    database_url: str,
    folder: Path,
    *,
    seed: int,
    plan: faults.Plan = faults.none,
    habits: Habits = _USUAL,
) -> Iterator[tuple[World, InsideWay]]:
    """The sandbox and the product in this process, on a real PostgreSQL."""
    fates = Fates()
    bank = InsideBank(folder)
    world = World(database_url, bank, seed=seed, plan=lambda made: fates.over(plan(made)))
    way = InsideWay(world, seed=seed, habits=habits, fates=fates)
    try:
        yield world, way
    finally:
        way.close()
        world.close()


@contextmanager
def outside(database_url: str, folder: Path, *, seed: int) -> Iterator[tuple[World, OutsideWay]]:
    """The sandbox, the web application and the workers in processes of their own."""
    parts = Parts(database_url, folder, seed=seed)
    try:
        world = World(database_url, parts.bank, seed=seed, plan=faults.none)
        try:
            yield world, OutsideWay(world)
        finally:
            world.close()
    finally:
        parts.stop()


def small(
    seed: int, size: Size, database_url: str, folder: Path, *, plan: faults.Plan = faults.none
) -> Outcome:
    """What one seed comes to in this process."""
    _be_quiet()
    with inside(database_url, folder, seed=seed, plan=plan) as (world, way):
        return Simulation(world, way, seed=seed, size=size).run()


def full(seed: int, size: Size, database_url: str, folder: Path) -> Outcome:
    """What one seed comes to over HTTP."""
    _be_quiet()
    with outside(database_url, folder, seed=seed) as (world, way):
        return Simulation(world, way, seed=seed, size=size).run()


def _be_quiet() -> None:
    """Disputes and refused cards are alerts, and here there are many of them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
