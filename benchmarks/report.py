"""The one line a benchmark ends in, and the numbers of many tries in a few."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Report:
    """A measured value beside a yardstick that was taken in the same run on the same machine."""

    bench: str
    value: float
    unit: str
    yardstick: float
    yardstick_is: str
    ratio: float
    rounds: int
    p50_ms: float
    p99_ms: float
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    more: dict[str, float | int | str] = field(default_factory=dict)

    def line(self) -> str:
        """One JSON object on one line."""
        facts = asdict(self)
        return json.dumps(facts | facts.pop("more"))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    assert values, "nothing was measured"
    ranked = sorted(values)
    # Rounded up: the 95th of 100, not the 94th, is what 95 of them stay within.
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]
