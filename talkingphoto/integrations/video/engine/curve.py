"""A curve given by values at even steps, read at every pixel of a picture at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine.warp import Floats

SAMPLES = 65
# Rounds off the corners that straight pieces between landmarks leave, 1 in all.
ROUNDING = np.hanning(11)[1:-1] / np.hanning(11)[1:-1].sum()


@dataclass(frozen=True)
class Curve:
    """Values at even steps from `start` to `end`, level outside them."""

    start: float
    end: float
    values: Floats

    @classmethod
    def through(cls, points: NDArray[np.floating[Any]]) -> Curve:
        """A smooth curve close to the points (n, 2), whatever their order, ending at the outer."""
        points = points[np.argsort(points[:, 0])]
        start, end = float(points[0, 0]), float(points[-1, 0])
        at = np.linspace(start, end, SAMPLES)
        straight = np.interp(at, points[:, 0], points[:, 1])
        padded = np.pad(straight, len(ROUNDING) // 2, "reflect", reflect_type="odd")
        return cls(start, end, np.convolve(padded, ROUNDING, "valid").astype(np.float32))

    def at(self, places: Floats) -> Floats:
        """The values at these places, straight between the samples."""
        last = len(self.values) - 1
        scale = np.float32(last / max(self.end - self.start, 1e-3))
        column = np.clip((places - np.float32(self.start)) * scale, 0, last)
        row = np.zeros_like(column)
        return np.asarray(cv2.remap(self.values[None], column, row, cv2.INTER_LINEAR), np.float32)
