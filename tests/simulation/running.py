"""Seeds in processes side by side, on one PostgreSQL that is thrown away afterwards."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.engine import Outcome, Size
from tests.support.databases import TestServer

MOST_SHOWN = 20


@dataclass(frozen=True)
class Order:
    """What to simulate: which seeds, how large, in how many processes at once."""

    seeds: tuple[int, ...]
    size: Size
    live: Callable[[int, Size, str, Path], Outcome]
    processes: int


def run(order: Order, folder: Path) -> int:
    """Every seed was simulated and one line was printed; 1 when anything was not as it should be,
    after the seeds and what differed."""
    began = time.monotonic()
    server = TestServer(folder / "data")
    try:
        outcomes = list(_outcomes(order, folder, server))
    finally:
        server.stop()
    for outcome in outcomes:
        _report(outcome)
    summary = {
        "seeds": len(outcomes),
        "customers": order.size.customers * len(outcomes),
        "actions": sum(outcome.actions for outcome in outcomes),
        "events": sum(outcome.events for outcome in outcomes),
        "failures": sum(len(outcome.failures) for outcome in outcomes),
        "seconds": round(time.monotonic() - began, 1),
    }
    sys.stdout.write(json.dumps(summary) + "\n")
    return 1 if summary["failures"] else 0


def _outcomes(order: Order, folder: Path, server: TestServer) -> Iterator[Outcome]:
    # Spawned: a forked child would share the parent's connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(order.processes, mp_context=context) as pool:
        waiting = {
            seed: pool.submit(_lived, order, seed, server.create(), place)
            for seed in order.seeds
            if (place := _made(folder / f"seed{seed}"))
        }
        for future in waiting.values():
            yield future.result()


def _lived(order: Order, seed: int, database_url: str, folder: Path) -> Outcome:
    """What the seed came to; what ended it early is a failure of it, and the others go on."""
    began = time.monotonic()
    try:
        return order.live(seed, order.size, database_url, folder)
    except Exception:  # noqa: BLE001 - whatever it was, it is told with its seed
        ended = traceback.format_exc()
    return Outcome(seed, 0, 0, (f"ended early: {ended}",), "", time.monotonic() - began)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _report(outcome: Outcome) -> None:
    for failure in outcome.failures[:MOST_SHOWN]:
        sys.stderr.write(f"seed {outcome.seed}: {failure}\n")
    if len(outcome.failures) > MOST_SHOWN:
        more = len(outcome.failures) - MOST_SHOWN
        sys.stderr.write(f"seed {outcome.seed}: and {more} more\n")


def seeds_from(first: int, count: int) -> Iterable[int]:
    """So many seeds, the first one first."""
    return range(first, first + count)
