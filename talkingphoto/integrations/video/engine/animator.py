"""One photo of a face, drawn in any pose of mouth, lids, brows and head.

The fields of the face and of the head are joined on a coarse grid, so that the photo is resampled
once; only between the lips and over the eyes are layers put together pixel by pixel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import mesh
from talkingphoto.integrations.video.engine.curve import Curve
from talkingphoto.integrations.video.engine.eyes import Eyelid
from talkingphoto.integrations.video.engine.head import Head, HeadPose
from talkingphoto.integrations.video.engine.mouth import Mouth, MouthPose
from talkingphoto.integrations.video.engine.teeth import MouthInterior
from talkingphoto.integrations.video.engine.visemes import Shape
from talkingphoto.integrations.video.engine.warp import (
    CUBIC,
    Box,
    Canvas,
    Floats,
    Grid,
    Pixels,
    SmoothField,
    inverted,
    resampled,
    smoothstep,
)

# Lengths are parts of the distance between the outer corners of the eyes.
GRID_STEP = 0.034
SOFTNESS = 0.07
BROW_RAISE = 0.045
# The field of the face reaches this part of the mesh's width and height beyond it.
FACE_MARGIN_ACROSS, FACE_MARGIN_UP, FACE_MARGIN_DOWN = 0.28, 0.25, 0.32
BORDER_POINTS = 6

# Lengths are in mouths: how far the mouth's own box reaches beyond its contours.
BOX_BESIDE, BOX_ABOVE, BOX_BELOW = 0.30, 0.12, 0.12
# Beyond the corners the border between the upper and the lower face runs down a little.
SEAM_SLOPE = 0.18
SEAM_PIXELS, SEAM_WIDENS, SEAM_WIDEST = 1.1, 1.3, 0.45
LINE_SHADE, LINE_WIDTH = 0.28, 0.009
CLOSED_UNDER = 0.06
EDGE_SHADE, CORNER_SHADE, EDGE_WIDTH, EDGES_APART = 0.12, 0.25, 0.012, 0.02
LEAST_BLINK = 0.01

LOWER_FACE = (*mesh.JAW, *mesh.CHIN, *mesh.UNDER_LIP)
UPPER_CONTROLS = tuple(
    dict.fromkeys(
        mesh.INNER_UPPER_LIP
        + mesh.OUTER_UPPER_LIP
        + (*mesh.CHEEKS, *mesh.JAW, 152, 148, 377, 176, 400)
        + mesh.NOSE_BASE
        + mesh.STILL
        + mesh.BROWS
    )
)
LOWER_CONTROLS = tuple(
    dict.fromkeys(
        mesh.INNER_LOWER_LIP
        + mesh.OUTER_LOWER_LIP
        + (*mesh.CHEEKS, *LOWER_FACE)
        + mesh.STILL
        + mesh.BROWS
    )
)


class FaceFields(NamedTuple):
    """Backward fields over the whole picture, in pixels, on nodes `grid_step` apart."""

    head: Floats
    upper_face: Floats
    lower_face: Floats


class Animator:
    """Draws frames of one framed photo; the same arguments always give the same frame."""

    def __init__(self, image: Pixels, landmarks: NDArray[np.floating[Any]]) -> None:
        marks = landmarks.astype(np.float32)
        self._photo = np.ascontiguousarray(image)
        height, width = image.shape[:2]
        self._mouth = mouth = Mouth(marks)
        self.eye_distance = mouth.eye_distance
        self.opened = mouth.shows_teeth
        self.grid_step = step = max(3, round(GRID_STEP * mouth.eye_distance))
        self._whole = Box(0, 0, width, height)
        self._grid = Grid.over(self._whole, step)
        self._nodes = self._grid.nodes
        self._canvas = Canvas(width, height, self._grid)
        self._head = Head(marks, self._grid, width=width, height=height)
        box = _face_box(marks, width, height)
        self._face_grid = Grid.over(box, step)
        self._pins = _border_points(box)
        softness = SOFTNESS * mouth.eye_distance
        self._upper_face, self._lower_face = (
            SmoothField(
                np.concatenate([mouth.points[list(controls)], self._pins]),
                self._face_grid,
                softness=softness,
            )
            for controls in (UPPER_CONTROLS, LOWER_CONTROLS)
        )
        points = marks[:, :2]
        self._lids = [Eyelid(points, eye, width=width, height=height) for eye in mesh.EYES]
        self._interior = MouthInterior(self._photo, mouth, marks)

    def draw(
        self,
        shapes: NDArray[np.floating[Any]],
        *,
        activity: float,
        blink: float,
        brow: float,
        head: NDArray[np.floating[Any]],
    ) -> Pixels:
        """A new BGR frame: `shapes` as in Shape, `head` as in HeadPose, the others 0 to 1.

        With no activity, blink, brow and head it is the photo itself.
        """
        pose = self._mouth.pose(Shape(*(float(value) for value in shapes)), activity=activity)
        turn = HeadPose(*(float(value) for value in head))
        fields = self.fields(pose, brow=brow, turn=turn)
        line = Curve.through((pose.upper + pose.lower) / 2)
        below = self._below_seam(self._mouth.axes.of(self._nodes + fields.head), line)
        upper, lower = fields.upper_face, fields.lower_face
        whole = upper + (lower - upper) * below[..., None]
        frame = resampled(self._photo, self._canvas.places(whole, self._whole), kernel=CUBIC)
        if pose.away > 0:
            self._draw_mouth(frame, pose, fields)
        if blink > LEAST_BLINK:
            for lid in self._lids:
                places = self._canvas.places(upper, lid.box)
                lid.lower(frame, self._photo, places, blink=blink)
        return frame

    def fields(self, pose: MouthPose, *, brow: float, turn: HeadPose) -> FaceFields:
        """Where every node's colour is found in that pose of mouth, brows and head."""
        head = self._head.backward(turn)
        moved = pose.displacement.copy()
        raise_by = np.float32(-brow * BROW_RAISE * self.eye_distance)
        moved[list(mesh.BROWS)] = raise_by * self._mouth.axes.down
        upper = self._joined(self._upper_face, moved[list(UPPER_CONTROLS)], head)
        lower = self._joined(self._lower_face, moved[list(LOWER_CONTROLS)], head)
        return FaceFields(head, upper, lower)

    def _joined(self, face: SmoothField, moved: Floats, head: Floats) -> Floats:
        """The backward field of a face that moved, and then the head with it."""
        controls = np.concatenate([moved, np.zeros_like(self._pins)])
        backward = inverted(face.displacement(controls), self.grid_step)
        return head + self._face_grid.sample(backward, self._nodes + head)

    def _below_seam(self, uv: Floats, line: Curve) -> Floats:
        """0 in the upper face, 1 in the lower; sharp between the lips, soft beyond the corners."""
        unit = self._mouth.unit
        middle, half = (line.start + line.end) / 2, (line.end - line.start) / 2
        from_middle = np.abs(uv[..., 0] - np.float32(middle))
        beyond = np.maximum(from_middle - np.float32(half), 0)
        seam = line.at(uv[..., 0]) + np.float32(SEAM_SLOPE) * beyond
        width = SEAM_PIXELS + np.minimum(beyond * SEAM_WIDENS, SEAM_WIDEST * unit)
        width += 1.2 * smoothstep((from_middle / half - 0.82) / 0.18)
        return smoothstep((uv[..., 1] - seam) / width + 0.5)

    def _draw_mouth(self, frame: Pixels, pose: MouthPose, fields: FaceFields) -> None:
        """The two lips, and what is between them, drawn pixel by pixel into the frame."""
        box = self._mouth_box(pose, fields.head)
        uv = self._mouth.axes.of(self._canvas.places(fields.head, box))
        over = resampled(self._photo, self._canvas.places(fields.upper_face, box), kernel=CUBIC)
        under = resampled(self._photo, self._canvas.places(fields.lower_face, box), kernel=CUBIC)
        top, bottom = Curve.through(pose.upper), Curve.through(pose.lower)
        contours = top.at(uv[..., 0]), bottom.at(uv[..., 0])
        inside = self._between(uv, contours, pose)
        picture = over.astype(np.float32)
        if float(inside.max()) > 0:
            interior = self._interior.draw(uv, contours, pose)
            picture += (interior - picture) * inside[..., None]
        # The lower lip lies over all that is behind it.
        below = self._below_seam(uv, bottom)[..., None]
        picture += (under - picture) * below
        light = self._line_between(uv, contours, pose) * self._light_on_edges(uv, contours, pose)
        picture *= light[..., None]
        frame[box.slices] = np.clip(picture + 0.5, 0, 255)

    def _mouth_box(self, pose: MouthPose, head: Floats) -> Box:
        """The pixels of the mouth and a little around it, where the head has carried it."""
        unit = self._mouth.unit
        uv = np.concatenate([pose.upper, pose.lower])
        margin = np.array((BOX_BESIDE, BOX_ABOVE), np.float32) * unit
        low = uv.min(0) - margin
        high = uv.max(0) + np.array((BOX_BESIDE, BOX_BELOW), np.float32) * unit
        corners = self._mouth.axes.places(
            np.array([low, (high[0], low[1]), (low[0], high[1]), high], np.float32)
        )
        corners = corners - self._grid.sample(head, corners[None])[0]
        left, top = np.floor(corners.min(0)).astype(int)
        right, bottom = np.ceil(corners.max(0)).astype(int)
        box = Box(int(left), int(top), int(right), int(bottom))
        return box.within(self._whole.right, self._whole.bottom)

    def _between(self, uv: Floats, contours: tuple[Floats, Floats], pose: MouthPose) -> Floats:
        """1 under the upper lip's edge where the lips are apart, 0 elsewhere."""
        start, end = float(pose.upper[0, 0]), float(pose.upper[-1, 0])
        u, v = uv[..., 0], uv[..., 1]
        inside = np.clip(v - contours[0] + 0.35, 0, 1) * ((u > start) & (u < end))
        # Where the lips touch there is nothing between them.
        inside *= np.clip(contours[1] - contours[0], 0, 1) * np.float32(pose.away)
        return np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7), np.float32)

    def _line_between(self, uv: Floats, contours: tuple[Floats, Floats], pose: MouthPose) -> Floats:
        """The dark line of lips that a photo with open lips does not have: light left, 0 to 1."""
        if not self.opened:
            return np.ones(uv.shape[:2], np.float32)
        unit = self._mouth.unit
        apart = np.array(pose.opening / (CLOSED_UNDER * unit))
        closed = (1 - float(smoothstep(apart))) * pose.away
        off = (uv[..., 1] - (contours[0] + contours[1]) / 2) / (LINE_WIDTH * unit + 0.5)
        middle = (pose.upper[0, 0] + pose.upper[-1, 0]) / 2
        beside = np.abs(uv[..., 0] - middle) / pose.half_width
        along = 1 - smoothstep((beside - 0.85) / 0.2)
        return np.asarray(1 - LINE_SHADE * closed * along * np.exp(-0.5 * off * off), np.float32)

    def _light_on_edges(
        self, uv: Floats, contours: tuple[Floats, Floats], pose: MouthPose
    ) -> Floats:
        """The light left where a lip turns inwards, which is little at the corners: 0 to 1."""
        unit = self._mouth.unit
        start, end = float(pose.upper[0, 0]), float(pose.upper[-1, 0])
        beside = np.clip(np.abs(2 * uv[..., 0] - start - end) / (end - start), 0, 1)
        apart = np.clip((contours[1] - contours[0]) / (EDGES_APART * unit), 0, 1) * pose.away
        off = np.minimum(np.abs(uv[..., 1] - contours[0]), np.abs(uv[..., 1] - contours[1]))
        near = np.exp(-0.5 * (off / (EDGE_WIDTH * unit + 0.5)) ** 2)
        return np.asarray(1 - (EDGE_SHADE + CORNER_SHADE * beside**4) * apart * near, np.float32)


def _face_box(landmarks: Floats, width: int, height: int) -> Box:
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    across, down = (float(side) for side in high - low)
    return Box(
        int(low[0] - FACE_MARGIN_ACROSS * across),
        int(low[1] - FACE_MARGIN_UP * down),
        int(high[0] + FACE_MARGIN_ACROSS * across),
        int(high[1] + FACE_MARGIN_DOWN * down),
    ).within(width, height)


def _border_points(box: Box) -> Floats:
    """Points around a box that stay where they are."""
    across = np.linspace(box.left, box.right, BORDER_POINTS)
    down = np.linspace(box.top, box.bottom, BORDER_POINTS)[1:-1]
    sides = [(x, y) for x in across for y in (box.top, box.bottom)]
    sides += [(x, y) for y in down for x in (box.left, box.right)]
    return np.array(sides, np.float32)
