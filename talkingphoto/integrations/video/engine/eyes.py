"""A blink: in every column of an eye the upper lid comes down over it.

The strip with the lashes moves as it is, and the skin between it and the brow is stretched. A
smooth field over the whole eye would fold where the lid slides over the iris, and smear it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talkingphoto.integrations.video.engine import mesh
from talkingphoto.integrations.video.engine.curve import Curve
from talkingphoto.integrations.video.engine.warp import (
    CUBIC,
    Box,
    Floats,
    Pixels,
    resampled,
    smoothstep,
)

# All lengths are parts of the eye's width, corner to corner.
BOX_ACROSS, BOX_UP, BOX_DOWN = 0.85, 0.95, 0.50
LASHES_ABOVE_MARGIN = 0.015
LASH_STRIP = 0.14
LEAST_SKIN = 0.08
# The skin under the brow stays; this much below its points the stretching begins.
UNDER_BROW = 0.02
FADE_FROM, FADE_OVER = 0.49, 0.07
# A shut lid leaves this part of the opening: lids meet, they do not cross.
CLOSED = 0.98
# The skin near the lashes stretches most; more than this would show.
MOST_BEND = 1.7
SHADOW, SHADOW_REACH = 0.22, 0.05
LID_SHEEN, SHEEN_ABOVE, SHEEN_REACH = 0.05, 0.10, 0.07
SAMPLES = 33
EDGE_PIXELS = 1.5


@dataclass(frozen=True)
class _Axes:
    """The eye's own axes: `across` from corner to corner, `down` at a right angle to it."""

    middle: Floats
    across: Floats
    down: Floats
    width: float

    def of(self, points: Floats) -> Floats:
        """Points of the picture in these axes, in pixels from the middle of the eye."""
        off = points - self.middle
        return np.stack([off @ self.across, off @ self.down], -1).astype(np.float32)


class Eyelid:
    """One upper lid, and how it looks at any moment of a blink."""

    def __init__(self, points: Floats, eye: mesh.EyeContours, *, width: int, height: int) -> None:
        self._axes = axes = _axes(points[list(eye.upper_lid)])
        across, up, down = (round(k * axes.width) for k in (BOX_ACROSS, BOX_UP, BOX_DOWN))
        x, y = (round(float(value)) for value in axes.middle)
        self.box = Box(x - across, y - up, x + across, y + down).within(width, height)
        upper = _fitted(axes.of(points[list(eye.upper_lid)]))
        lower = _fitted(axes.of(points[list(eye.lower_lid)]))
        brow = axes.of(points[list(eye.under_brow)])
        margin = upper[:, 1] - LASHES_ABOVE_MARGIN * axes.width
        opening = np.maximum(lower[:, 1] - upper[:, 1], 0) * CLOSED
        opening[0] = opening[-1] = 0
        skin = np.interp(upper[:, 0], *_sorted(brow).T) + UNDER_BROW * axes.width
        skin = np.minimum(skin, margin - (LASH_STRIP + LEAST_SKIN) * axes.width)
        start, end = float(upper[0, 0]), float(upper[-1, 0])
        self._margin, self._opening, self._skin = (
            Curve(start, end, values.astype(np.float32)) for values in (margin, opening, skin)
        )

    def lower(self, frame: Pixels, photo: Pixels, places: Floats, *, blink: float) -> None:
        """The lid is drawn into the box of the frame; `places` are its pixels in the photo."""
        at = self._axes.of(places)
        u, v = at[..., 0], at[..., 1]
        down = self._opening.at(u) * np.float32(blink)
        edge = self._margin.at(u) + down
        slid = self._slid(v, edge, down, self._skin.at(u))
        source = places + slid[..., None] * self._axes.down
        lid = resampled(photo, source.astype(np.float32), kernel=CUBIC).astype(np.float32)
        self._paint(frame, lid, u, v - edge, down)

    def _slid(self, v: Floats, edge: Floats, down: Floats, skin: Floats) -> Floats:
        """How far up its colour is found: by the whole way in the lash strip, less above it."""
        strip = edge - LASH_STRIP * self._axes.width
        length = strip - skin
        # Never steeper than the skin is long, or it would fold.
        bend = np.clip(0.92 * length / np.maximum(down, 0.5), 1, MOST_BEND)
        part = np.clip((v - skin) / length, 0, 1)
        return np.asarray(-down * np.power(part, bend), np.float32)

    def _paint(
        self, frame: Pixels, lid: Floats, u: Floats, below_edge: Floats, down: Floats
    ) -> None:
        width = self._axes.width
        inside = smoothstep((FADE_FROM + FADE_OVER - np.abs(u) / width) / FADE_OVER)
        sheen = np.exp(-0.5 * ((below_edge / width + SHEEN_ABOVE) / SHEEN_REACH) ** 2)
        lid *= (1 + LID_SHEEN * sheen * np.clip(down / (0.18 * width), 0, 1))[..., None]
        cover = smoothstep((0.4 - below_edge) / EDGE_PIXELS + 0.5) * inside
        cover *= np.clip(down / EDGE_PIXELS, 0, 1)
        opening = self._opening.at(u)
        in_eye = inside * (below_edge > 0) * (below_edge + down < opening + 0.03 * width)
        shade = np.exp(-np.maximum(below_edge, 0) / (SHADOW_REACH * width)) * in_eye
        shade *= SHADOW * np.clip(down / (0.1 * width), 0, 1)
        part = frame[self.box.slices]
        light = ((1 - cover) * (1 - shade))[..., None]
        part[:] = np.clip(part * light + lid * cover[..., None] + 0.5, 0, 255)


def _axes(upper_lid: Floats) -> _Axes:
    start, end = upper_lid[0], upper_lid[-1]
    width = float(np.hypot(*(end - start)))
    across = ((end - start) / width).astype(np.float32)
    down = np.array((-across[1], across[0]), np.float32)
    return _Axes(((start + end) / 2).astype(np.float32), across, down, width)


def _sorted(points: Floats) -> Floats:
    return points[np.argsort(points[:, 0])]


def _fitted(points: Floats) -> Floats:
    """A lid margin as a smooth curve, sampled evenly: landmarks alone would leave corners."""
    points = _sorted(points)
    at = np.linspace(points[0, 0], points[-1, 0], SAMPLES)
    curve = np.polyval(np.polyfit(points[:, 0], points[:, 1], 4), at)
    return np.stack([at, curve], -1).astype(np.float32)
