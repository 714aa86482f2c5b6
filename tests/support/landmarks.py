"""Faces found a second way: OpenCV's own runtime and one loose, upright crop for a whole film.

The engine lands its landmarks by LiteRT in a turned crop refined three times. What is measured
here shares with it the weights alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import models
from tests.support.film import Picture

Points = NDArray[np.float64]

_DETECTOR_SIDE, _MESH_SIDE = 128, 192
# The short-range detector: 2 anchors a cell of 8 pixels, 6 a cell of 16 (MediaPipe's graph).
_ANCHORS = ((8, 2), (16, 6))
_CROP = 1.62  # sides of the detected box; the engine's own crop fits the landmarks instead


@dataclass(frozen=True)
class Box:
    """A square crop in pixels: its middle and its side."""

    x: float
    y: float
    side: float


@dataclass(frozen=True)
class Seen:
    """468 landmarks in pixels, and from 0 to 1 how sure the model is that this is a face."""

    points: Points
    score: float


class Landmarker:
    """MediaPipe's detector and face mesh, run by `cv2.dnn`."""

    def __init__(self, folder: Path = models.FOLDER) -> None:
        # The classic engine alone gives both outputs of these files (OpenCV 5.0).
        self._detector = _network(folder / "face_detection_short_range.tflite")
        self._mesh = _network(folder / "face_landmark.tflite")

    def faces(self, picture: Picture, least: float = 0.5) -> list[tuple[float, Box]]:
        """The crops of the faces that are found, the surest first, each with its score."""
        height, width = picture.shape[:2]
        scale = _DETECTOR_SIDE / max(height, width)
        square = np.zeros((max(height, width), max(height, width), 3), np.uint8)
        square[:height, :width] = picture
        small = cv2.resize(square, (_DETECTOR_SIDE, _DETECTOR_SIDE), interpolation=cv2.INTER_AREA)
        outputs = _run(self._detector, np.asarray(small, np.uint8), scale=1 / 127.5, mean=127.5)
        boxes = next(each for each in outputs if each.shape[-1] == 16)[0]
        logits = next(each for each in outputs if each.shape[-1] == 1)[0, :, 0]
        scores = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        centres = (boxes[:, :2] / _DETECTOR_SIDE + _anchors()) * _DETECTOR_SIDE / scale
        sides = boxes[:, 2:4].max(axis=1) / scale * _CROP
        found: list[tuple[float, Box]] = []
        for index in np.argsort(-scores):
            box = Box(float(centres[index, 0]), float(centres[index, 1]), float(sides[index]))
            if scores[index] >= least and all(_apart(box, other) for _, other in found):
                found.append((float(scores[index]), box))
        return found

    def look(self, picture: Picture, box: Box) -> Seen:
        """The landmarks of the face in that crop."""
        scale = _MESH_SIDE / box.side
        matrix = np.array(
            [
                [scale, 0, _MESH_SIDE / 2 - box.x * scale],
                [0, scale, _MESH_SIDE / 2 - box.y * scale],
            ]
        )
        # Reduced by warpAffine alone, pixels would be left out, and lines would flicker.
        soft = cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.4 / scale))
        crop = cv2.warpAffine(soft, matrix, (_MESH_SIDE, _MESH_SIDE), flags=cv2.INTER_LINEAR)
        outputs = _run(self._mesh, np.asarray(crop, np.uint8), scale=1 / 255, mean=0)
        mesh = next(each for each in outputs if each.size == 1404).reshape(468, 3)[:, :2]
        logit = float(next(each for each in outputs if each.size == 1).ravel()[0])
        return Seen((mesh - matrix[:, 2]) / scale, 1 / (1 + float(np.exp(-logit))))

    def only_face(self, picture: Picture) -> Box:
        """The crop of the one face that is there."""
        found = self.faces(picture)
        assert len(found) == 1, f"{len(found)} faces found"
        return found[0][1]


def _network(path: Path) -> Any:
    return cv2.dnn.readNetFromTFLite(str(path), cv2.dnn.ENGINE_CLASSIC)


def _run(network: Any, picture: Picture, *, scale: float, mean: float) -> list[NDArray[Any]]:
    blob = cv2.dnn.blobFromImage(picture, scale, mean=(mean, mean, mean), swapRB=True)
    network.setInput(blob)
    return list(network.forward(network.getUnconnectedOutLayersNames()))


def _anchors() -> Points:
    """The centres of the detector's anchors, as shares of its side."""
    parts = []
    for stride, many in _ANCHORS:
        cells = _DETECTOR_SIDE // stride
        rows, columns = np.mgrid[0:cells, 0:cells]
        centres = np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5
        parts.append(np.repeat(centres / cells, many, axis=0))
    return np.concatenate(parts)


def _apart(one: Box, other: Box) -> bool:
    return float(np.hypot(one.x - other.x, one.y - other.y)) > 0.4 * max(one.side, other.side)
