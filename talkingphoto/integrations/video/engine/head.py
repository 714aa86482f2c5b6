"""The head turns a little in front of a background that stays put.

Every place is moved by the parallax of its depth, which the face mesh gives; hair and neck go
along less and less, and the border of the picture not at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from talkingphoto.integrations.video.engine import mesh
from talkingphoto.integrations.video.engine.warp import Floats, Grid, smoothstep

# How far a mesh point's depth reaches, in face widths.
DEPTH_REACH = 0.10
# How far the face as a whole lies in front of the axis it turns about, in face widths.
AXIS_DEPTH = 0.25
# The axis of nods and tilts lies in the neck, this many face heights under the chin.
PIVOT_UNDER_CHIN = 0.35
# The ellipse that moves, in face widths and heights: half as wide, as high above, as deep below.
REACH_ACROSS, REACH_UP, REACH_DOWN = 0.78, 0.98, 0.80
# Inside this part of the ellipse all moves as one; outside the second nothing moves.
WHOLE, NOTHING = 0.72, 1.77
# Along the border of the picture nothing moves; over this part of its shorter side it begins to.
STILL_BORDER = 0.12
# A face wider than this part of the picture has no room to turn, and moves less.
ROOMY_FACE, LEAST_ROOM = 0.55, 0.4


class HeadPose(NamedTuple):
    """Radians of turn (yaw), nod (pitch) and tilt (roll), and pixels of shift."""

    yaw: float
    pitch: float
    roll: float
    right: float
    down: float


class Head:
    """The backward field of a head pose over the grid of the whole picture."""

    def __init__(self, landmarks: Floats, grid: Grid, *, width: int, height: int) -> None:
        points = landmarks[:, :2]
        low, high = points.min(0), points.max(0)
        face_width, face_height = (float(side) for side in high - low)
        nodes = grid.nodes
        pivot = np.array(
            (points[list(mesh.FACE_OVAL)].mean(0)[0], high[1] + PIVOT_UNDER_CHIN * face_height)
        )
        from_pivot = nodes - pivot.astype(np.float32)
        weight = _weight(nodes, points, (face_width, face_height))
        weight *= _off_the_border(nodes, width, height)
        weight *= np.clip(ROOMY_FACE * min(width, height) / face_width, LEAST_ROOM, 1)
        depth = _depth(landmarks, nodes, DEPTH_REACH * face_width) + AXIS_DEPTH * face_width
        self._depth = np.asarray(depth * weight, np.float32)
        self._across = np.asarray(from_pivot[..., 0] * weight, np.float32)
        self._down = np.asarray(from_pivot[..., 1] * weight, np.float32)
        self._weight = weight

    def backward(self, pose: HeadPose) -> Floats:
        """Where every node's colour is found before the head moved, in pixels from the node."""
        x = self._depth * pose.yaw - self._down * pose.roll + self._weight * pose.right
        y = self._across * pose.roll - self._depth * pose.pitch + self._weight * pose.down
        return np.asarray(-np.stack([x, y], -1), np.float32)


def _weight(nodes: Floats, points: Floats, face: tuple[float, float]) -> Floats:
    """How much a node goes along with the head, 0 to 1."""
    off = nodes - points[list(mesh.FACE_OVAL)].mean(0).astype(np.float32)
    across = off[..., 0] / (REACH_ACROSS * face[0])
    reach = np.where(off[..., 1] < 0, REACH_UP, REACH_DOWN) * face[1]
    radius = np.hypot(across, off[..., 1] / reach)
    return 1 - smoothstep((radius - WHOLE) / (NOTHING - WHOLE))


def _off_the_border(nodes: Floats, width: int, height: int) -> Floats:
    x, y = nodes[..., 0], nodes[..., 1]
    distance = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    step = float(nodes[0, 1, 0] - nodes[0, 0, 0])
    # One block at the very border is still, so that its pixels are exactly those of the photo.
    return smoothstep((distance - step) / (STILL_BORDER * min(width, height)))


def _depth(landmarks: Floats, nodes: Floats, reach: float) -> Floats:
    """How far a node is in front of the outline of the face, in pixels; 0 far from the face."""
    points, outline = landmarks[::2, :2], landmarks[list(mesh.FACE_OVAL), 2].mean()
    # The mesh counts depth away from the viewer.
    towards = outline - landmarks[::2, 2]
    flat = nodes.reshape(-1, 2).astype(np.float32)
    apart = (flat**2).sum(1)[:, None] + (points**2).sum(1)[None] - 2 * flat @ points.T
    weight = np.exp(-np.maximum(apart, 0) / (2 * reach * reach))
    total = weight.sum(1)
    depth = (weight @ towards) / (total + 1e-3) * np.clip(total, 0, 1)
    return np.asarray(depth.reshape(nodes.shape[:2]), np.float32)
