"""The simulated time: both clocks stand still, and are moved together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# Later than any day on which this runs, for the sandbox's clock never runs back; on a 31st, where
# the arithmetic of months goes wrong.
START = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Moment:
    """The product's clock in a simulation: it shows what it was last set to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now
