"""`python -m tests.simulation small|full [SEEDS] [FIRST] [FAULT]`: one JSON line, and exit status 1
when the product's state is not the sandbox's after any of the seeds.

A fault is a bug of `faults.ALL` that is planted first, in the small size: the exit status says 1
when it was found, as of any other bug.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

_USAGE = "usage: python -m tests.simulation small|full [SEEDS] [FIRST] [FAULT]\n"


def main(asked: list[str]) -> int:
    """The simulation has run on settings and data of its own."""
    kind, seeds, first, fault, *more = (*asked, *("", "1", "1", "")[len(asked) :])
    counted = seeds.isdecimal() and first.isdecimal() and int(seeds) > 0
    if kind not in {"small", "full"} or more or not counted or (kind == "full" and fault):
        return _usage("")
    with tempfile.TemporaryDirectory(prefix="talkingphoto-simulation-") as name:
        _set_apart(Path(name))
        # Only now: the services read the settings when they are imported.
        from tests.simulation import faults, places, running
        from tests.simulation.engine import FULL, SMALL

        if fault not in faults.ALL:
            return _usage("faults: " + ", ".join(filter(None, faults.ALL)))
        chosen = tuple(running.seeds_from(int(first), int(seeds)))
        order = (
            running.Order(chosen, SMALL, partial(places.small, plan=faults.ALL[fault]), processes=2)
            if kind == "small"
            else running.Order(chosen, FULL, places.full, processes=1)
        )
        return running.run(order, Path(name))


def _usage(more: str) -> int:
    sys.stderr.write(f"{_USAGE}{more}\n" if more else _USAGE)
    return 2


def _set_apart(folder: Path) -> None:
    os.environ["TALKINGPHOTO_DATA"] = str(folder / "data")
    os.environ["TALKINGPHOTO_LOG_LEVEL"] = "error"
    os.environ["TALKINGPHOTO_ENV_FILE"] = str(folder / "no.env")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
