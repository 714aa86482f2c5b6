"""The simulation finds what it is for: each planted bug within a few seeds, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation import faults, places
from tests.simulation.engine import SMALL, Outcome, Simulation, Size
from tests.simulation.post import Habits
from tests.support.databases import TestServer

_SEEDS = (1, 2, 3, 4)
_USUAL = Habits()


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
    ("plan", "told"),
    [
        (faults.granted_by_event, "credits of"),
        (faults.trusting_payloads, "subscription sub_"),
        (faults.without_lock, "credits of"),
    ],
)
def test_a_planted_bug_is_found_within_a_few_seeds_of_the_small_size(
    postgres: TestServer, tmp_path: Path, plan: faults.Plan, told: str
) -> None:
    found = (lived(postgres, tmp_path, seed, SMALL, _USUAL, plan).failures for seed in _SEEDS)
    first = next(failures for failures in found if failures)
    assert told in first[0]


@pytest.mark.parametrize(
    ("plan", "is_found"), [(faults.without_lock, True), (faults.with_lock, False)]
)
def test_it_is_the_missing_lock_that_is_found(
    postgres: TestServer, tmp_path: Path, plan: faults.Plan, is_found: bool
) -> None:
    together = Habits(late=0, twice=0, crashes=0, together=100)
    size = Size(customers=3, days=70, quiet_days=3, only=frozenset({"buys a plan"}))
    found = [lived(postgres, tmp_path, seed, size, together, plan).failures for seed in (1, 2)]
    assert any(found) is is_found, found


def test_a_seed_lives_the_same_life_twice(postgres: TestServer, tmp_path: Path) -> None:
    size = Size(customers=3, days=35, quiet_days=4)
    first = lived(postgres, tmp_path / "first", 7, size, Habits(), faults.none)
    again = lived(postgres, tmp_path / "again", 7, size, Habits(), faults.none)
    assert first.digest == again.digest
    assert first.failures == again.failures == ()
