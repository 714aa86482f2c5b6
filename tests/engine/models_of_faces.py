"""Faces to animate without looking for one: the portrait's landmarks, and the same lips closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import mesh

Face = Callable[[], tuple[NDArray[np.uint8], NDArray[np.float32]]]

_HERE = Path(__file__).parent
_PORTRAIT = _HERE.parent.parent / "static" / "img" / "portrait.jpg"
# The head with room around it, in the pixels of the portrait.
_CROP = (slice(20, 400), slice(130, 510))


def smiling(scale: float = 1.0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The portrait's head, which shows teeth, and its 468 landmarks in that picture's pixels."""
    photo = cv2.imread(str(_PORTRAIT))
    assert photo is not None
    rows, columns = _CROP
    landmarks = np.loadtxt(_HERE / "portrait_landmarks.csv", delimiter=",", dtype=np.float32)
    landmarks[:, :2] -= (columns.start, rows.start)
    image = cv2.resize(photo[_CROP], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.asarray(image, np.uint8), landmarks * np.float32(scale)


def closed(scale: float = 1.0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The same face, its lips together: painted over the teeth, a dark line between them."""
    image, landmarks = smiling(scale)
    upper, lower = list(mesh.INNER_UPPER_LIP), list(mesh.INNER_LOWER_LIP)
    middle = (landmarks[upper] + landmarks[lower]) / 2
    landmarks[upper] = landmarks[lower] = middle
    lips = np.concatenate(
        [landmarks[list(mesh.OUTER_UPPER_LIP), :2], landmarks[mesh.OUTER_LOWER_LIP[::-1], :2]]
    )
    cv2.fillPoly(image, [lips.astype(np.int32)], (120, 120, 190), cv2.LINE_AA)
    line = middle[:, :2].astype(np.int32)
    cv2.polylines(image, [line], False, (60, 50, 100), max(1, round(2 * scale)), cv2.LINE_AA)
    return image, landmarks
