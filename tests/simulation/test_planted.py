"""The simulation finds what it is for: each planted bug within a few seeds, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation import faults, places
from tests.simulation.engine import Outcome, Simulation, Size
from tests.simulation.post import Habits
from tests.support.databases import TestServer

_SEEDS = (1, 2, 3, 4)
_BUYS = frozenset({"buys a plan"})
_SMALL = Size(customers=3, days=70, quiet_days=3, only=_BUYS)
_TURNING = Size(
    customers=5,
    days=18,
    quiet_days=1,
    only=_BUYS | {"is cancelled in the Dashboard"},
    compared_every_days=1,
)
_BADLY = Habits(late=50, twice=0, crashes=0, together=0)
_TOGETHER = Habits(late=0, twice=0, crashes=0, together=100)


def lived(
    postgres: TestServer, folder: Path, seed: int, size: Size, habits: Habits, plan: faults.Plan
) -> Outcome:
    """What one seed comes to."""
    place = folder / f"{plan.__name__}{seed}"
    place.mkdir(parents=True)
    with (
        postgres.database() as url,
        places.inside(url, place, seed=seed, plan=plan, habits=habits) as (world, way),
    ):
        return Simulation(world, way, seed=seed, size=size).run()


@pytest.mark.parametrize(
    ("plan", "size", "habits", "told"),
    [
        (faults.granted_by_event, _SMALL, _BADLY, "credits of"),
        (faults.trusting_payloads, _TURNING, _BADLY, "subscription"),
        (faults.without_lock, _SMALL, _TOGETHER, "credits of"),
    ],
)
def test_a_planted_bug_is_found_within_a_few_seeds(
    postgres: TestServer,
    tmp_path: Path,
    plan: faults.Plan,
    size: Size,
    habits: Habits,
    told: str,
) -> None:
    found = (lived(postgres, tmp_path, seed, size, habits, plan).failures for seed in _SEEDS)
    first = next(failures for failures in found if failures)
    assert told in first[0]


def test_with_the_lock_that_was_missing_nothing_is_found(
    postgres: TestServer, tmp_path: Path
) -> None:
    for seed in _SEEDS[:1]:
        outcome = lived(postgres, tmp_path, seed, _SMALL, _TOGETHER, faults.with_lock)
        assert outcome.failures == ()


def test_a_seed_lives_the_same_life_twice(postgres: TestServer, tmp_path: Path) -> None:
    size = Size(customers=3, days=35, quiet_days=4)
    first = lived(postgres, tmp_path / "first", 7, size, Habits(), faults.none)
    again = lived(postgres, tmp_path / "again", 7, size, Habits(), faults.none)
    assert first.digest == again.digest
    assert first.failures == again.failures == ()
