"""The three face networks, run on the CPU: a picture in, plain arrays out."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import models

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

LANDMARKS = 468
_THREADS = 2
_STDERR = 2
# For the runtime's one line to stderr: nobody else may be silenced twice over.
_LOADING = threading.Lock()


class Network:
    """One model, loaded and warm; not for two threads at once."""

    def __init__(self, name: str, *, folder: Path = models.FOLDER) -> None:
        self._interpreter = _loaded(models.path(name, folder))
        [wanted] = self._interpreter.get_input_details()
        self._input = wanted["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        # Its picture is a square of this many pixels a side.
        self.side = int(wanted["shape"][1])

    def run(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for a picture (side, side, 3), each without its first axis of one."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


@dataclass(frozen=True)
class Detection:
    """A place that looks like a face: centre and width in pixels, and where its eyes are."""

    score: float
    centre: Points
    width: float
    eyes: Points


class Detector:
    """Finds faces with one of the BlazeFace models; `cells` are its (stride, anchors a cell)."""

    def __init__(
        self, network: Network, *, cells: tuple[tuple[int, int], ...], least_score: float
    ) -> None:
        self._network = network
        self._anchors = _anchors(network.side, cells)
        self._least_score = least_score

    def detect(self, rgb: Picture) -> list[Detection]:
        """What looks like a face in the picture, overlapping finds merged into the best."""
        side = self._network.side
        square, scale, offset = _letterboxed(rgb, side)
        first, second = self._network.run(square)
        boxes, logits = (first, second) if first.shape[-1] > 1 else (second, first)
        scores = _sigmoid(logits[:, 0])
        kept = scores > self._least_score
        # A row is centre x, y, width, height, then six points: right eye, left eye, nose, mouth,
        # ears; all in pixels of the square, the points as steps from the cell's anchor.
        rows = boxes[kept].astype(np.float64)
        anchors = self._anchors[kept]
        centres = rows[:, 0:2] + anchors
        eyes = rows[:, 4:8].reshape(-1, 2, 2) + anchors[:, None]
        best = _best(centres, rows[:, 2:4], scores[kept], self._least_score)
        return [
            Detection(
                score=float(scores[kept][i]),
                centre=(centres[i] - offset) / scale,
                width=float(rows[i, 2] / scale),
                eyes=(eyes[i] - offset) / scale,
            )
            for i in best
        ]


class Mesh:
    """Places 468 points on a face whose whereabouts are known."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def place(
        self, rgb: Picture, *, centre: Points, size: float, roll: float
    ) -> tuple[Points, float]:
        """The points (468, 3) in pixels, z towards the back, and how surely it is a face, 0..1.

        They are looked for in a square of `size` pixels turned by `roll` radians.
        """
        side = self._network.side
        scale = side / size
        turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]]) * scale
        shift = side / 2 - turn @ centre
        shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        patch = cv2.warpAffine(rgb, np.column_stack([turn, shift]), (side, side), flags=shrinking)
        first, second = self._network.run(np.asarray(patch / 255, np.float32))
        placed, logit = (first, second) if first.size > 1 else (second, first)
        points = placed.reshape(LANDMARKS, 3).astype(np.float64)
        flat = (points[:, :2] - shift) @ np.linalg.inv(turn).T
        score = float(_sigmoid(logit.reshape(-1))[0])
        return np.column_stack([flat, points[:, 2] / scale]), score


def _loaded(file: Path) -> Interpreter:
    with _LOADING, _silenced():
        interpreter = Interpreter(str(file), num_threads=_THREADS)
        interpreter.allocate_tensors()
        # The runtime plans its memory at the first run: not the first customer's to wait for.
        interpreter.invoke()
    return interpreter


@contextmanager
def _silenced() -> Iterator[None]:
    """What C++ code writes to stderr meanwhile is dropped: the runtime greets there."""
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)


def _anchors(side: int, cells: tuple[tuple[int, int], ...]) -> Points:
    """The middles of all cells, in pixels of the square, in the order of the model's rows."""
    layers = []
    for stride, count in cells:
        y, x = np.mgrid[0 : side // stride, 0 : side // stride]
        middles = np.stack([x + 0.5, y + 0.5], axis=-1).reshape(-1, 2) * stride
        layers.append(np.repeat(middles, count, axis=0))
    return np.concatenate(layers)


def _letterboxed(rgb: Picture, side: int) -> tuple[NDArray[np.float32], float, Points]:
    """The picture in the middle of a grey square, -1..1; its scale and where it begins."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square = np.zeros((side, side, 3), np.float32)
    square[top : top + size[1], left : left + size[0]] = small.astype(np.float32) / 127.5 - 1
    return square, scale, np.array([left, top], np.float64)


def _best(
    centres: Points, sizes: Points, scores: NDArray[np.float64], least_score: float
) -> list[int]:
    if not len(scores):
        return []
    boxes = np.column_stack([centres - sizes / 2, sizes])
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), least_score, 0.3)
    return [int(i) for i in np.asarray(kept).ravel()]


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -80, 80)))
