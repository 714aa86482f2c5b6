"""Portraits of nobody: faces with closed lips, drawn so that every face model takes them for one.

Lengths are centimetres of a face: x to the right, y upwards from between the nose tip and the
eyes. The proportions are those of the canonical face of MediaPipe's landmark model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]
Curve = Callable[[Plane], Plane]

# Drawn this much larger, then reduced: edges become as soft as a lens makes them.
_OVERSAMPLING = 2
FACE_SHARE = 0.0255  # centimetres to shares of the picture's side: the face is 39 % of it wide


@dataclass(frozen=True)
class Look:
    """What one drawn person looks like; colours are blue, green, red from 0 to 255."""

    skin: Colour = (138.0, 168.0, 214.0)
    lips: Colour = (104.0, 102.0, 178.0)
    hair: Colour = (30.0, 42.0, 62.0)
    iris: Colour = (52.0, 78.0, 104.0)
    shirt: Colour = (112.0, 78.0, 52.0)
    backdrop: Colour = (172.0, 166.0, 158.0)
    seed: int = 1


ANN = Look()
BEN = Look(
    skin=(104.0, 138.0, 190.0),
    lips=(92.0, 90.0, 150.0),
    hair=(22.0, 24.0, 30.0),
    iris=(40.0, 56.0, 72.0),
    shirt=(70.0, 92.0, 64.0),
    backdrop=(150.0, 160.0, 150.0),
    seed=2,
)


def portrait(side: int = 640, look: Look = ANN) -> Picture:
    """A square BGR picture of one person from the front, lips closed, the same every time."""
    return _Drawing(side, look).picture()


def two_people(height: int = 640) -> Picture:
    """A BGR picture of two people of the same size beside each other."""
    return np.concatenate([portrait(height, ANN), portrait(height, BEN)], axis=1)


def png(picture: Picture) -> bytes:
    """The picture as the bytes of a PNG file."""
    encoded, raw = cv2.imencode(".png", picture)
    assert encoded, "OpenCV could not write a PNG"
    return raw.tobytes()


def _bell(plane: Plane, centre: float, width: float) -> Plane:
    bell: Plane = np.exp(-0.5 * ((plane - np.float32(centre)) / np.float32(width)) ** 2)
    return bell


def _step(plane: Plane) -> Plane:
    soft: Plane = np.clip(plane, 0, 1)
    return np.asarray(soft * soft * (3 - 2 * soft))


def _through(*points: tuple[float, float]) -> Curve:
    """A smooth curve y(x) near those points, level beyond the outermost."""
    xs, ys = np.array(points, np.float32).T
    fine = np.linspace(xs[0], xs[-1], 200, dtype=np.float32)
    line = np.interp(fine, xs, ys)
    kernel = np.hanning(41)
    padded = np.pad(line, 20, mode="reflect", reflect_type="odd")
    smooth = np.convolve(padded, kernel / kernel.sum(), "valid").astype(np.float32)

    def curve(x: Plane) -> Plane:
        return np.interp(x, fine, smooth).astype(np.float32)

    return curve


_UPPER_LID = _through((-1.32, -0.04), (-0.8, 0.34), (0.0, 0.52), (0.75, 0.36), (1.32, -0.1))
_LOWER_LID = _through((-1.32, -0.04), (-0.7, -0.32), (0.1, -0.44), (0.8, -0.34), (1.32, -0.1))
_BROW_TOP = _through((-2.3, -0.25), (-1.2, 0.42), (0.6, 0.42), (2.3, -0.1))
_BROW_LOW = _through((-2.3, -0.38), (-1.2, 0.02), (0.6, -0.12), (2.3, -0.55))
_LIP_LINE = _through((0.0, -4.19), (0.7, -4.13), (1.6, -4.15), (2.6, -4.18))
_LIP_TOP = _through((0.0, -3.74), (0.5, -3.6), (1.4, -3.88), (2.6, -4.12))
_LIP_LOW = _through((0.0, -4.82), (0.8, -4.77), (1.7, -4.54), (2.6, -4.23))
_JAW = _through(
    *((-11.0, 0.3), (-9.6, 1.7), (-9.0, 3.1), (-7.6, 4.8), (-5.0, 6.4), (-1.0, 7.3)),
    *((3.0, 7.5), (6.0, 6.8), (8.0, 5.4), (11.0, 0.5)),
)


class _Drawing:
    """One portrait under the brush, from the backdrop to the grain of the film."""

    def __init__(self, side: int, look: Look) -> None:
        self._side = side
        self._look = look
        size = side * _OVERSAMPLING
        self._scale = size * FACE_SHARE
        rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
        self._x: Plane = (columns - size / 2 + 0.5) / np.float32(self._scale)
        self._y: Plane = (size * 0.5 - rows - 0.5) / np.float32(self._scale)
        self._away: Plane = np.abs(self._x)
        self._image: Plane = np.empty((size, size, 3), np.float32)
        self._random = np.random.default_rng(look.seed)

    def picture(self) -> Picture:
        """Everything painted, reduced to its size, with the grain of a camera."""
        self._paint_backdrop()
        self._paint_back_hair()
        self._paint_shirt_and_neck()
        self._paint_skin()
        self._paint_nose()
        for side in (-1.0, 1.0):
            self._paint_eye(side)
            self._paint_brow(side)
        self._paint_mouth()
        self._paint_front_hair()
        small = cv2.resize(self._image, (self._side, self._side), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), self._side / 1000)
        grain = self._random.normal(0, 2.0, soft.shape)
        return np.asarray(np.clip(soft + grain + 0.5, 0, 255), np.uint8)

    def _blend(self, mask: Plane, colour: Plane | Colour) -> None:
        paint = np.asarray(colour, np.float32)
        self._image += np.clip(mask, 0, 1)[..., None] * (paint - self._image)

    def _darken(self, mask: Plane) -> None:
        self._image *= 1 - np.clip(mask, 0, 1)[..., None]

    def _edge(self, distance: Plane, softness: float = 1.0) -> Plane:
        """1 where the distance (cm) is positive, 0 where negative, soft over some pixels."""
        return np.clip(distance * self._scale / softness + 0.5, 0, 1)

    def _blotches(self, size: float) -> Plane:
        """Smooth noise of about that size (cm), of variance 1."""
        noise = self._random.normal(0, 1, self._x.shape).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), size * self._scale)
        return np.asarray(smooth / smooth.std(), np.float32)

    def _paint_backdrop(self) -> None:
        fall = 1 - 0.018 * np.hypot(self._x + 5, self._y - 6)
        self._image[:] = fall[..., None] * np.array(self._look.backdrop, np.float32)

    def _strands(self, along: Plane) -> Plane:
        """Hair colour: fine streaks that follow the given coordinate (cm)."""
        offsets = np.linspace(-30, 30, 4000, dtype=np.float32)
        streaks = np.convolve(self._random.normal(0, 1, 4000), np.hanning(9) / 4, "same")
        light = 1 + 0.22 * np.interp(along, offsets, streaks).astype(np.float32)
        sheen = 1 + 0.5 * _bell(np.hypot(self._x + 2, self._y), 9.2, 1.2)
        return (light * sheen)[..., None] * np.array(self._look.hair, np.float32)

    def _paint_back_hair(self) -> None:
        width = np.where(self._y > 2, 9.3, 9.3 - 0.05 * (2 - self._y))
        height = np.where(self._y > 2, 9.2, 13.0)
        inside = 1 - np.hypot(self._x / width, (self._y - 2) / height)
        self._blend(self._edge(inside * 8, 8), self._strands(self._x + 0.2 * self._y))

    def _paint_shirt_and_neck(self) -> None:
        y, away = self._y, self._away
        shoulder = -13.2 - 0.14 * np.maximum(away - 3, 0) ** 1.35
        folds = 1 + 0.05 * self._blotches(0.9)
        shirt = folds[..., None] * np.array(self._look.shirt, np.float32)
        self._blend(self._edge(shoulder - y, 4), shirt)
        half = 3.9 + 0.05 * (y + 12) ** 2 * (y < -12)
        neck = self._edge(half - away, 4) * self._edge(y + 15.2 - 0.12 * away**2 * 0.8, 4)
        neck *= self._edge(-4 - y, 4)
        tone = 0.78 - 0.36 * _bell(y, -9.6, 1.6) - 0.2 * (away / 4) ** 2
        self._blend(neck, tone[..., None] * np.array(self._look.skin, np.float32))

    def _relief(self) -> Plane:
        """How far the skin stands out towards the camera, in centimetres."""
        x, y, away = self._x, self._y, self._away
        across = np.clip(1 - (away / (_JAW(y) + 0.35)) ** 2.4, 0, 1)
        z = 6.5 * across**0.6 * np.clip(1 - ((y + 0.5) / 11.5) ** 2, 0, 1) ** 0.5
        bridge = _step((4.2 - y) / 5.4) * _step((y + 2.25) / 0.9)
        z += (0.35 + 1.25 * bridge) * bridge * _bell(x, 0, 0.72)
        z += 0.6 * _bell(x, 0, 0.75) * _bell(y, -1.25, 0.6)
        z += 0.75 * _bell(away, 1.05, 0.42) * _bell(y, -1.55, 0.45)
        z -= 0.85 * _bell(away, 3.0, 1.5) * _bell(y, 2.7, 1.0)
        z += 0.3 * _bell(away, 3.1, 0.95) * _bell(y, 2.65, 0.55)
        z += 0.4 * _bell(away, 3.2, 2.0) * _bell(y, 5.0, 0.8)
        z += 0.5 * _bell(away, 4.3, 1.6) * _bell(y, -0.6, 1.5)
        z -= 0.25 * _bell(away, 2.8, 0.5) * _bell(y, -2.7, 1.2)
        z -= 0.16 * _bell(x, 0, 0.28) * _bell(y, -2.8, 0.5)
        z -= 0.15 * _bell(x, 0, 1.7) * _bell(y, -4.2, 1.0)
        z -= 0.2 * _bell(x, 0, 1.5) * _bell(y, -5.4, 0.4)
        z += 0.55 * _bell(x, 0, 1.5) * _bell(y, -7.6, 1.1)
        return z.astype(np.float32)

    def _paint_skin(self) -> None:
        relief = cv2.GaussianBlur(self._relief(), (0, 0), 0.1 * self._scale)
        down, across = np.gradient(relief * self._scale)
        length = np.sqrt(across**2 + down**2 + 1)
        light = np.array([-0.34, -0.42, 0.84], np.float32)
        facing = np.clip((-across * light[0] - down * light[1] + light[2]) / length, 0, 1)
        tone = 0.38 + 0.74 * facing + 0.02 * self._blotches(0.5) + 0.012 * self._blotches(0.06)
        red = 0.5 * _bell(self._away, 4.2, 1.5) * _bell(self._y, -0.9, 1.4)
        red += 0.4 * _bell(self._x, 0, 0.8) * _bell(self._y, -1.1, 0.8)
        tint = np.stack([1 - 0.16 * red, 1 - 0.12 * red, 1 + 0.02 * red], axis=-1)
        skin = tone[..., None] * tint * np.array(self._look.skin, np.float32)
        shine = 26 * facing**14
        outline = self._edge(_JAW(self._y) - self._away, 5) * self._edge(9.2 - self._y, 5)
        self._blend(outline * self._edge(self._y + 9.5, 5), skin + shine[..., None])

    def _paint_nose(self) -> None:
        y, away = self._y, self._away
        self._darken(0.62 * _bell(away, 0.62, 0.24) * _bell(y, -1.93, 0.13))
        self._darken(0.3 * _bell(self._x, 0, 0.75) * _bell(y, -2.2, 0.16))
        self._darken(0.26 * _bell(np.hypot(away - 0.95, (y + 1.5) * 0.8), 0.62, 0.1) * (away > 1.1))
        self._darken(0.1 * _bell(self._x, 0.95, 0.3) * _bell(y, 0.6, 1.6))

    def _paint_eye(self, side: float) -> None:
        x = (self._x - side * 3.14) * side  # 0 between the lids, positive away from the nose
        y = self._y - 2.62
        upper, lower = _UPPER_LID(-x), _LOWER_LID(-x)
        within = self._edge(1.32 - np.abs(x), 3)
        opening = self._edge(upper - y, 1.5) * self._edge(y - lower, 1.5) * within
        ball = 1 - 0.1 * (x / 1.3) ** 2 - 0.35 * _bell(y - upper, 0, 0.14)
        self._blend(opening, ball[..., None] * np.array((212.0, 216.0, 222.0), np.float32))
        away = np.hypot(x + 0.02, y - 0.06)
        ring = 1 - 0.55 * _bell(away, 0.6, 0.07) + 0.35 * _bell(y, -0.22, 0.16)
        shade = ring * (1 - 0.5 * _bell(y - upper, 0, 0.2))
        iris = shade[..., None] * np.array(self._look.iris, np.float32)
        self._blend(opening * self._edge(0.6 - away, 3), iris)
        self._blend(opening * self._edge(0.26 - away, 3), (14.0, 14.0, 16.0))
        spark = np.hypot(x + 0.16 * side + 0.02, y - 0.24)
        self._blend(self._edge(0.09 - spark, 3), (240.0, 242.0, 244.0))
        pink = within * _bell(np.hypot(x + 1.22, y + 0.02), 0, 0.1)
        self._blend(0.6 * pink, (120.0, 128.0, 190.0))
        self._paint_lids(np.stack([x, y, upper, lower, within]))

    def _paint_lids(self, eye: Plane) -> None:
        x, y, upper, lower, within = eye
        lashes = 0.05 + 0.035 * np.clip((x + 1.3) / 2.6, 0, 1)
        self._darken(0.86 * within * np.exp(-0.5 * ((y - upper - 0.01) / lashes) ** 2))
        self._darken(0.3 * within * _bell(y - lower, -0.02, 0.05))
        self._darken(0.3 * within * _bell(y - upper, 0.36, 0.07))
        self._darken(0.12 * within * _bell(y - lower, -0.55, 0.16))

    def _paint_brow(self, side: float) -> None:
        x = (self._x * side - 3.2).astype(np.float32)
        y = self._y - 4.75
        inside = self._edge(_BROW_TOP(x) - y, 9) * self._edge(y - _BROW_LOW(x), 9)
        inside *= self._edge(2.3 - np.abs(x), 9)
        hairs = 0.72 + 0.18 * self._blotches(0.05)
        self._blend(inside * hairs, np.multiply(self._look.hair, 1.1))

    def _paint_mouth(self) -> None:
        y, away = self._y, self._away
        line, top, low = _LIP_LINE(away), _LIP_TOP(away), _LIP_LOW(away)
        within = self._edge(2.45 - away, 6)
        lips = np.array(self._look.lips, np.float32)
        upper = self._edge(top - y, 4) * self._edge(y - line, 2) * within
        tone = 1.0 + 0.1 * _bell(y - top, -0.1, 0.12) + 0.03 * self._blotches(0.08)
        self._blend(0.78 * upper, tone[..., None] * lips)
        lower = self._edge(line - y, 2) * self._edge(y - low, 5) * within
        middle = (line + low) / 2
        tone = 1.04 + 0.28 * _bell(y - middle, 0.06, 0.2) * _bell(away, 0.5, 0.9)
        tone -= 0.16 * _bell(y - low, 0, 0.14) - 0.03 * self._blotches(0.08)
        self._blend(0.78 * lower, tone[..., None] * lips)
        self._darken(0.36 * within * _bell(y - line, 0, 0.07))
        self._darken(0.2 * _bell(np.hypot(away - 2.45, y + 4.2), 0, 0.14))
        self._darken(0.04 * _bell(self._x, 0, 1.5) * _bell(y - low, -0.28, 0.2))

    def _paint_front_hair(self) -> None:
        x, y, away = self._x, self._y, self._away
        hairline = 8.3 - 0.03 * (x + 1.5) ** 2 - 0.0014 * away**4
        hair = self._edge(y - hairline, 14) * self._edge(9.3 - away, 6)
        crown = self._edge((1 - np.hypot(x / 9.3, (y - 2) / 9.2)) * 8, 8)
        strands = self._strands(x - 0.5 * (y - 8) * np.sign(x + 1.5))
        self._blend(hair * crown, strands)
        self._darken(0.3 * _bell(y - hairline, -0.35, 0.3) * (away < 7) * (y > 3))
