"""How long making takes, learned from what was made and shared by all processes of a machine."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from talkingphoto.integrations.video.port import Tier

# Seconds of making per second of video on two cores with a warm process, until some were made.
_AT_FIRST: Mapping[Tier, float] = {"540p": 0.6, "720p": 1.0, "1080p": 2.2}
# How much the newest counts: about the last five are remembered.
_WEIGHT = 0.3
_SLOWEST = 60.0


class Speeds:
    """Seconds of making per second of video, by tier; a lost or damaged file is only a guess."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, tier: Tier) -> float:
        """What the next video of the tier is likely to need."""
        return self._read().get(tier, _AT_FIRST[tier])

    def learn(self, tier: Tier, *, making_seconds: float, video_seconds: float) -> None:
        """The running average has heard of one more video."""
        newest = min(making_seconds / max(video_seconds, 0.1), _SLOWEST)
        average = self.of(tier) * (1 - _WEIGHT) + newest * _WEIGHT
        known = self._read() | {tier: round(average, 3)}
        # What cannot be kept is learned again: it is only a guess.
        with contextlib.suppress(OSError):
            handle, draft = tempfile.mkstemp(dir=self._path.parent)
            with os.fdopen(handle, "w") as file:
                json.dump(known, file)
            Path(draft).replace(self._path)

    def _read(self) -> dict[str, float]:
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            found = json.loads(self._path.read_text())
            return {
                tier: min(max(float(found[tier]), 0.01), _SLOWEST)
                for tier in _AT_FIRST
                if tier in found
            }
        return {}
