"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class TestClock:
    """The product's time in a test; begins on a 31st, where month arithmetic goes wrong."""

    __test__ = False

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Time moves forward by that much."""
        self.now += timedelta(days=days, hours=hours, seconds=seconds)

    def move_to(self, moment: datetime) -> None:
        """It is that moment."""
        self.now = moment
