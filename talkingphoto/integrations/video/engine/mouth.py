"""From the values of the articulators to where every point of the mouth goes.

All of it happens in the mouth's own axes: u along the mouth, v down, in pixels, from the middle
between its corners. One *mouth* is the width of a relaxed mouth of this face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from talkingphoto.integrations.video.engine import mesh
from talkingphoto.integrations.video.engine.visemes import Shape
from talkingphoto.integrations.video.engine.warp import Floats, smoothstep

# A relaxed mouth is this part of the distance between the outer corners of the eyes.
MOUTH_OF_EYES = 0.56
# The mouth's axis is that of its corners, corrected by that of the eyes.
CORNERS_AXIS, EYES_AXIS = 0.6, 0.4
# A gap between the lips wider than this shows teeth in the photo (mouths).
TEETH_SHOW = 0.075
# The widest opening of the lips, in mouths: a smile is already open, and stretched.
WIDEST, WIDEST_SMILING = 0.42, 0.37

# Widths are parts of the photo's own width of the mouth.
SPREAD = 0.07
ROUNDED = 0.70
# A mouth stretched by a smile has farther to go; 1 would end where a relaxed mouth does.
ROUNDED_FROM_SMILE = 0.8
NARROWED_BY_OPENING = 0.09
# The opening from corner to corner: 0.5 would be an ellipse, 1 a parabola.
FULLNESS = 0.65
# A smile gives up this part of what it is wider than a relaxed mouth while speaking.
SMILE_RELAXES = 0.55
MOST_SMILE = 0.40
# The corners of a smile sink by this part of their lift while speaking.
CORNERS_SINK = 0.45
CORNERS_WITH_JAW = 0.10
# In an "oo" they sink to this part of the way to the middle of the opening: an oval, no crescent.
CORNERS_TO_MIDDLE = 0.75
# Speech is eased in over this range of activity: all of it is there before the first sound.
ACTIVITY_FROM, ACTIVITY_TO = 0.06, 0.50

# Over photographed teeth the upper lip comes down by this part of the gap: on speaking, on
# closing, and on rounding; the lower lip does the rest of the way.
COVER_SPEAKING, COVER_CLOSING, COVER_ROUNDED = 0.36, 0.58, 0.68
# Beyond the photo's own opening the upper lip gives this part of what is wanted.
UPPER_LIP_SHARE = 0.14
UPPER_LIP_RAISE = 0.035
# Rounded, the upper lip comes down over the teeth of any mouth (mouths).
ROUNDED_UPPER_LIP = 0.030
# Closing over teeth, the lips overlap by this much, or a rim of teeth would stay (mouths).
OVERLAP = 0.016
PRESS = 0.012
# The jaw goes with the lower lip: nearly all of its way down, little of its way up.
JAW_DOWN, JAW_UP = 0.82, 0.30

# The red of the lips keeps its area: it grows thicker where the mouth grows narrower.
THICKER_WHEN_NARROW, THICKER_WHEN_ROUND, THINNER_WHEN_PRESSED = 0.55, 0.30, 0.12
OUTER_UPPER_FOLLOWS, OUTER_LOWER_FOLLOWS = 0.80, 0.92
# No lip swells by more (mouths), or it would fold the skin beside it.
MOST_SWELLING = 0.075
# Skin next to a lip's edge goes this part of its way; it is stretched or pushed together.
SKIN_FOLLOWS = 0.5
UNDER_LIP_WIDTH, CHIN_WIDTH, JAW_WIDTH = 0.5, 0.2, 0.25
CHIN_OF_JAW = 0.92

INNER = (*mesh.INNER_UPPER_LIP, *mesh.INNER_LOWER_LIP)


@dataclass(frozen=True)
class MouthAxes:
    """Origin and unit vectors of the mouth's axes in the picture."""

    origin: Floats
    along: Floats
    down: Floats

    def of(self, places: Floats) -> Floats:
        """Places of the picture (..., 2) in the axes of the mouth."""
        off = places - self.origin
        return np.stack([off @ self.along, off @ self.down], -1).astype(np.float32)

    def vectors(self, uv: Floats) -> Floats:
        """Displacements (..., 2) in these axes as displacements in the picture."""
        across = uv[..., :1] * self.along + uv[..., 1:] * self.down
        return np.asarray(across, np.float32)

    def places(self, uv: Floats) -> Floats:
        """Points in these axes as places of the picture."""
        return self.vectors(uv) + self.origin


@dataclass(frozen=True)
class MouthPose:
    """A mouth at one moment.

    The displacements of all mesh points (468, 2) are in the picture's axes, the inner contours
    of both lips (11, 2) in the mouth's; opening, way of the jaw down and half the width are in
    pixels, `tongue` and `round` as in Shape; `away` is 0 when all of it is the photo's own.
    """

    displacement: Floats
    upper: Floats
    lower: Floats
    opening: float
    jaw: float
    half_width: float
    tongue: float
    round: float
    away: float


class Mouth:
    """The mouth of a photo, and every pose it can take."""

    def __init__(self, landmarks: Floats) -> None:
        points = landmarks[:, :2].astype(np.float32)
        eyes = points[mesh.LEFT_EYE_OUTER] - points[mesh.RIGHT_EYE_OUTER]
        self.eye_distance = float(np.hypot(*eyes))
        self.unit = MOUTH_OF_EYES * self.eye_distance
        self.axes = _axes(points)
        corners = points[mesh.LEFT_CORNER] - points[mesh.RIGHT_CORNER]
        self.half_width = float(np.hypot(*corners)) / 2
        self._uv = self.axes.of(points)
        upper = self._uv[list(mesh.INNER_UPPER_LIP)]
        lower = self._uv[list(mesh.INNER_LOWER_LIP)]
        gap = np.maximum(lower[:, 1] - upper[:, 1], 0)
        self.shows_teeth = bool(gap[5] > TEETH_SHOW * self.unit)
        if not self.shows_teeth:
            # Closed: both contours are the line between the lips.
            upper[:, 1] = lower[:, 1] = (upper[:, 1] + lower[:, 1]) / 2
            gap = np.zeros_like(gap)
        self.upper, self.lower, self.gap = upper, lower, gap
        self._uv[list(INNER)] = np.concatenate([upper, lower])
        self.points = points.copy()
        self.points[list(INNER)] = self.axes.places(self._uv[list(INNER)])
        self._width_shares = _width_shares()
        middle = float(np.median((upper[3:8, 1] + lower[3:8, 1]) / 2))
        self._lift = float(np.clip(middle - (upper[0, 1] + upper[-1, 1]) / 2, 0, 0.25 * self.unit))
        self._smile = float(np.clip(2 * self.half_width / self.unit - 1, 0, MOST_SMILE))

    def pose(self, shape: Shape, *, activity: float) -> MouthPose:
        """The mouth in that shape; with no activity it is the photo's own, whatever the shape."""
        ease = _ease((activity - ACTIVITY_FROM) / (ACTIVITY_TO - ACTIVITY_FROM))
        widest = WIDEST_SMILING if self.shows_teeth else WIDEST
        opening = shape.open * widest * self.unit
        scale = self._width_scale(shape, opening)
        upper_down, lower_down = self._inner_lips(shape, opening)
        sink = self._corner_sink(shape, opening, float(upper_down[5] + lower_down[5]) / 2)
        jaw = float(lower_down[5])
        jaw *= JAW_DOWN if jaw > 0 else JAW_UP
        moved = np.zeros((mesh.POINTS, 2), np.float32)
        moved[:, 0] = self._uv[:, 0] * self._width_shares * (scale - 1)
        moved[:, 1] = self._downward(shape, (upper_down, lower_down), scale, (jaw, sink))
        moved *= ease
        lap = np.float32(self._overlap(opening) * ease)
        upper = self.upper + moved[list(mesh.INNER_UPPER_LIP)]
        lower = self.lower + moved[list(mesh.INNER_LOWER_LIP)]
        upper[:, 1] -= lap * self._profile(self.upper)
        lower[:, 1] += lap * self._profile(self.lower)
        farthest = float(np.abs(moved[list(INNER)]).max())
        return MouthPose(
            displacement=self.axes.vectors(moved),
            upper=upper,
            lower=lower,
            opening=max(0.0, float((lower - upper)[3:8, 1].max())),
            jaw=max(0.0, jaw * ease),
            half_width=self.half_width * (1 + (scale - 1) * ease),
            tongue=shape.tongue * ease,
            round=shape.round * ease,
            away=_ease(farthest / (0.06 * self.unit)),
        )

    def _width_scale(self, shape: Shape, opening: float) -> float:
        """The width of the mouth, in parts of the photo's own."""
        speaking = 1 - SMILE_RELAXES * self._smile
        wider = max(0.0, shape.width) * SPREAD
        narrower = NARROWED_BY_OPENING * min(1.0, opening / (0.3 * self.unit))
        rounded = ROUNDED * math.pow(1 + self._smile, -ROUNDED_FROM_SMILE)
        plain = speaking * (1 + wider - narrower)
        return plain + (min(rounded, plain) - plain) * min(1.0, max(0.0, -shape.width))

    def _inner_lips(self, shape: Shape, opening: float) -> tuple[Floats, Floats]:
        """How far down both inner contours go, in pixels."""
        profile = self._profile(self.upper)
        wanted = opening * profile
        open_part = min(1.0, opening / max(float(self.gap[5]), 1e-3)) if self.shows_teeth else 1.0
        closing = 1 - _ease(open_part)
        cover = COVER_SPEAKING + (COVER_CLOSING - COVER_SPEAKING) * closing
        cover += (COVER_ROUNDED - cover) * shape.round if cover < COVER_ROUNDED else 0.0
        upper = self.gap * cover - UPPER_LIP_SHARE * np.maximum(wanted - self.gap, 0)
        raised = ROUNDED_UPPER_LIP * shape.round - UPPER_LIP_RAISE * shape.upper
        upper = upper + raised * self.unit * self._profile(self.upper)
        lower = self.upper[:, 1] + upper + wanted - self.lower[:, 1]
        lap = (self._overlap(opening) + shape.press * PRESS * self.unit) * self._profile(self.upper)
        return np.asarray(upper + lap, np.float32), np.asarray(lower - lap, np.float32)

    def _overlap(self, opening: float) -> float:
        """How far the lips slide over each other to hide photographed teeth, in pixels."""
        if not self.shows_teeth:
            return 0.0
        shut = 1 - _ease(opening / (0.08 * self.unit))
        return OVERLAP * self.unit * shut

    def _corner_sink(self, shape: Shape, opening: float, middle_down: float) -> float:
        """How far the corners go down, in pixels, the middle of the lips going that far."""
        opened = max(0.0, opening - float(self.gap[5]))
        plain = self._lift * CORNERS_SINK + CORNERS_WITH_JAW * opened
        middle = float(self.upper[5, 1] + self.lower[5, 1]) / 2 + middle_down
        return plain + shape.round * max(0.0, CORNERS_TO_MIDDLE * middle - plain)

    def _downward(
        self,
        shape: Shape,
        lips: tuple[Floats, Floats],
        scale: float,
        jaw_and_sink: tuple[float, float],
    ) -> Floats:
        """How far down every mesh point goes, in pixels."""
        jaw, sink = jaw_and_sink
        down = np.zeros(mesh.POINTS, np.float32)
        _set(down, mesh.CHIN, CHIN_OF_JAW * jaw)
        for point, share in mesh.JAW.items():
            down[point] = jaw * share
        for point, share in mesh.CHEEKS.items():
            down[point] = sink * share
        beside = 1 - self._profile(self.upper)
        _set(down, mesh.INNER_UPPER_LIP, lips[0] + sink * beside)
        _set(down, mesh.INNER_LOWER_LIP, lips[1] + sink * beside)
        over, under = self._outer_lips(shape, lips, scale)
        for outer, moved in ((mesh.OUTER_UPPER_LIP, over), (mesh.OUTER_LOWER_LIP, under)):
            uv = self._uv[list(outer[1:-1])]
            _set(down, outer[1:-1], moved + sink * (1 - self._profile(uv)))
        _set(down, mesh.UNDER_LIP, self._beside(mesh.UNDER_LIP, mesh.OUTER_LOWER_LIP, under))
        down[list(mesh.UNDER_LIP)] += (1 - SKIN_FOLLOWS) * CHIN_OF_JAW * jaw
        down[list(mesh.OVER_LIP)] += self._beside(mesh.OVER_LIP, mesh.OUTER_UPPER_LIP, over)
        down[[mesh.RIGHT_CORNER, mesh.LEFT_CORNER]] = sink
        return down

    def _outer_lips(
        self, shape: Shape, lips: tuple[Floats, Floats], scale: float
    ) -> tuple[Floats, Floats]:
        """How far down the outer edges of the lips go: after the inner ones, and as lips swell."""
        grown = (1 / scale) ** THICKER_WHEN_NARROW * (1 + THICKER_WHEN_ROUND * shape.round)
        grown = grown * (1 - THINNER_WHEN_PRESSED * shape.press) - 1
        moves = []
        for outer, inner, moved, follows in (
            (mesh.OUTER_UPPER_LIP[1:-1], self.upper, lips[0], OUTER_UPPER_FOLLOWS),
            (mesh.OUTER_LOWER_LIP[1:-1], self.lower, lips[1], OUTER_LOWER_FOLLOWS),
        ):
            uv = self._uv[list(outer)]
            thickness = uv[:, 1] - np.interp(uv[:, 0], inner[:, 0], inner[:, 1])
            most = MOST_SWELLING * self.unit
            swelling = most * np.tanh(grown * thickness / most)
            follow = follows * np.interp(uv[:, 0], inner[:, 0], moved)
            moves.append(np.asarray(follow + swelling, np.float32))
        return moves[0], moves[1]

    def _beside(self, points: tuple[int, ...], lip: tuple[int, ...], moved: Floats) -> Floats:
        """How far skin beside a lip goes along with the edge of that lip."""
        edge = self._uv[list(lip[1:-1]), 0]
        share = np.interp(self._uv[list(points), 0], edge, moved) * SKIN_FOLLOWS
        return np.asarray(share, np.float32)

    def _profile(self, uv: Floats) -> Floats:
        """How far open the mouth is along it: 1 in its middle, 0 at its corners."""
        start, end = self.upper[0, 0], self.upper[-1, 0]
        part = np.clip(np.abs(2 * uv[:, 0] - start - end) / (end - start), 0, 1)
        shape = (1 - part**2) ** FULLNESS
        return np.asarray(shape, np.float32)


def _axes(points: Floats) -> MouthAxes:
    corners = points[mesh.LEFT_CORNER] - points[mesh.RIGHT_CORNER]
    eyes = points[mesh.LEFT_EYE_OUTER] - points[mesh.RIGHT_EYE_OUTER]
    along = CORNERS_AXIS * corners / np.hypot(*corners) + EYES_AXIS * eyes / np.hypot(*eyes)
    along = (along / np.hypot(*along)).astype(np.float32)
    middle = (points[mesh.LEFT_CORNER] + points[mesh.RIGHT_CORNER]) / 2
    return MouthAxes(middle, along, np.array((-along[1], along[0]), np.float32))


def _width_shares() -> Floats:
    """How much of the mouth's change of width every mesh point goes along with."""
    shares = np.zeros(mesh.POINTS, np.float32)
    _set(shares, mesh.CHIN, CHIN_WIDTH)
    for point, share in mesh.JAW.items():
        shares[point] = share * JAW_WIDTH
    for point, share in mesh.CHEEKS.items():
        shares[point] = share
    _set(shares, mesh.UNDER_LIP, UNDER_LIP_WIDTH)
    _set(shares, mesh.OUTER_UPPER_LIP + mesh.OUTER_LOWER_LIP + INNER, 1.0)
    return shares


def _set(values: Floats, points: tuple[int, ...], value: Floats | float) -> None:
    values[list(points)] = value


def _ease(part: float) -> float:
    return float(smoothstep(np.array(part, np.float32)))
