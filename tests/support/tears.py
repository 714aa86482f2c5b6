"""Whether a frame shows something no warp of the photo can show: a hole, a tear, a seam.

A warp moves what is there by a little. So every pixel of a frame must have a brightness and
colour that the photo has nearby, and no edge may be harder than the photo's edges nearby. The
inside of the mouth is new, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support import film
from tests.support.film import Picture
from tests.support.landmarks import Landmarker, Points

# Both pictures are compared at this distance between the eyes, in pixels, in a frame this large.
_EYES = 100.0
_WIDE, _HIGH = 260, 280
_MIDDLE = (130.0, 110.0)  # where the point between the eyes lies
# Points that neither speech nor a blink moves: the corners of the eyes, the bridge of the nose.
_STILL = [33, 133, 362, 263, 168, 6, 197, 195, 127, 356]
_OVAL = [
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
]
_MOUTH = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
# How far anything moves, in pixels of the compared size: lids and brows; lips and jaw.
_REACH_ABOVE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 27))
_REACH_BELOW = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 47))
_NOSE = 2  # the base of the nose: what is above does not move with the jaw
# Levels of 255: what the encoder and the engine's own shading change.
_COLOUR_MARGIN = 12.0
_EDGE_TIMES, _EDGE_MARGIN = 1.15, 3.0
# The smallest patch that is a fault, as a share of the squared eye distance.
SMALLEST = 0.001


@dataclass(frozen=True)
class Tear:
    """The largest patch that cannot come from the photo: where, and its share of eyes squared."""

    second: float
    share: float


class TearCheck:
    """Holds frames against the photo they were made from."""

    def __init__(self, photo: Picture, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self._photo = photo
        self._points = landmarker.look(photo, landmarker.only_face(photo)).points
        flat = self._flat(photo, self._points)
        nose = round(float((_placing(self._points) @ [*self._points[_NOSE], 1.0])[1]))
        self._least = _nearby(cv2.erode, flat, nose) - _COLOUR_MARGIN
        self._most = _nearby(cv2.dilate, flat, nose) + _COLOUR_MARGIN
        self._hardest = _nearby(cv2.dilate, _edges(flat), nose) * _EDGE_TIMES + _EDGE_MARGIN

    def share(self, frame: Picture, points: Points) -> float:
        """The largest impossible patch of the face in that frame, 0 when there is none."""
        return float(_largest(self.impossible(frame, points)) / _EYES**2)

    def impossible(self, frame: Picture, points: Points) -> Picture:
        """255 where the flattened frame shows what no small warp of the photo can."""
        flat = self._flat(frame, points)
        soft = cv2.GaussianBlur(flat, (0, 0), 1.0).astype(np.float32)
        strange = ((soft < self._least) | (soft > self._most)).any(axis=2)
        torn = _edges(flat) > self._hardest
        return np.asarray((strange | torn) * self._looked_at(points), np.uint8)

    def worst(self, path: Path) -> Tear:
        """The worst frame of the film."""
        box = None
        found = Tear(0.0, 0.0)
        for second, frame in film.pictures(path):
            box = box or self._landmarker.only_face(frame)
            share = self.share(frame, self._landmarker.look(frame, box).points)
            if share > found.share:
                found = Tear(second, share)
        return found

    def _flat(self, picture: Picture, points: Points) -> Picture:
        """The face at the compared size and place."""
        flat = cv2.warpAffine(
            cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.4 * _eye_distance(points) / _EYES)),
            _placing(points),
            (_WIDE, _HIGH),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(flat, np.uint8)

    def _looked_at(self, points: Points) -> Picture:
        """255 on the face, 0 around it and in the mouth."""
        matrix = _placing(points)
        placed = points @ matrix[:, :2].T + matrix[:, 2]
        mask = np.zeros((_HIGH, _WIDE), np.uint8)
        cv2.fillPoly(mask, [np.round(placed[_OVAL]).astype(np.int32)], 255)
        mask = np.asarray(cv2.erode(mask, np.ones((9, 9), np.uint8)), np.uint8)
        mouth = np.round(placed[_MOUTH]).astype(np.int32)
        cv2.fillPoly(mask, [mouth], 0)
        cv2.polylines(mask, [mouth], True, 0, 13)
        return mask


def _eye_distance(points: Points) -> float:
    return float(np.hypot(*(points[263] - points[33])))


def _placing(points: Points) -> NDArray[Any]:
    """The similarity that takes the still points to their compared place."""
    scale = _EYES / _eye_distance(points)
    across = points[263] - points[33]
    cosine, sine = across / np.hypot(*across) * scale
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0]])
    middle = points[[33, 133, 362, 263]].mean(axis=0)
    matrix[:, 2] = np.array(_MIDDLE) - matrix[:, :2] @ middle
    return matrix


def _nearby(extreme: Callable[..., Any], plane: NDArray[Any], nose: int) -> NDArray[Any]:
    """The least or the most of the neighbourhood that a warp may bring to each pixel."""
    above = np.asarray(extreme(plane, _REACH_ABOVE), np.float32)
    below = np.asarray(extreme(plane, _REACH_BELOW), np.float32)
    return np.concatenate([above[:nose], below[nose:]])


def _edges(flat: Picture) -> NDArray[Any]:
    """How much the brightness changes a pixel, in levels, at the scale of a pixel or two."""
    grey = cv2.GaussianBlur(cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 0.8)
    return cv2.magnitude(
        cv2.Sobel(grey, -1, 1, 0, scale=0.25), cv2.Sobel(grey, -1, 0, 1, scale=0.25)
    )


def _largest(mask: Picture) -> int:
    count, _, facts, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    return int(facts[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0
