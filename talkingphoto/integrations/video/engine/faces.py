"""Finds the one face of a photo that is to speak, or says why there is none to use."""

from __future__ import annotations

import dataclasses
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import models, networks
from talkingphoto.integrations.video.engine.networks import Picture, Points

# Between the outer corners of the eyes, in pixels: with less there is no mouth to move.
LEAST_EYE_DISTANCE = 30.0
# A second face this wide, as a part of the widest, is someone as well and not a passer-by.
_SECOND_FACE = 0.55
# Beyond these the far half of the mouth is hardly in the photo. Measured on the test portrait, its
# mesh turned in space: the landmarks' depth shows 22 degrees for a head turned by 33, and a head
# held straight has a forehead that leans 11 degrees.
_MOST_YAW_DEGREES = 22.0
_STRAIGHT_PITCH_DEGREES = 11.0
_MOST_PITCH_DEGREES = 30.0
_MOST_ROLL_DEGREES = 40.0
# The detectors give an upright face 0.88 to 0.96 and one that is turned by 90 degrees or more 0.54
# to 0.85, where the landmarks invent an upright face: below the first number they are asked again
# with the photo turned, and believed when that is this much surer.
_DOUBTFUL_SCORE = 0.87
_SURER_BY = 0.07

_LEAST_SCORE = 0.75
_MOST_CANDIDATES = 10
_PASSES = 3
# The landmarks' square, as a multiple of the face: what the network was trained with.
_MARGIN = 1.5

# Places on the mesh.
_RIGHT_EYE, _LEFT_EYE = 33, 263
_RIGHT_CHEEK, _LEFT_CHEEK = 234, 454
_FOREHEAD, _CHIN = 10, 152
_RIGHT_CORNER, _LEFT_CORNER = 61, 291
_NEEDED = [_RIGHT_EYE, _LEFT_EYE, _RIGHT_CORNER, _LEFT_CORNER, _CHIN]

# The parts of a photo that are looked at one by one for a small face, as a part of its sides.
_PART = 0.55
_LOOKED_AT_PIXELS = 768
_NOWHERE: Final = np.zeros(2)
_TURNS: Final = (cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE)


@dataclass(frozen=True)
class Face:
    """A face: landmarks (468, 3) in pixels of the photo, and how surely it is one, 0..1."""

    landmarks: Points
    score: float

    @property
    def width(self) -> float:
        """From the leftmost to the rightmost landmark, in pixels."""
        return float(np.ptp(self.landmarks[:, 0]))

    @property
    def eye_distance(self) -> float:
        """Between the outer corners of the eyes, in pixels."""
        between = self.landmarks[_LEFT_EYE, :2] - self.landmarks[_RIGHT_EYE, :2]
        return float(np.linalg.norm(between))


class FaceFinder:
    """The networks, loaded and warm; threads take turns."""

    def __init__(self, *, folder: Path = models.FOLDER) -> None:
        near = networks.Network("face_detection_short_range", folder=folder)
        far = networks.Network("face_detection_full_range_sparse", folder=folder)
        self._detectors = (
            networks.Detector(near, cells=((8, 2), (16, 6)), least_score=0.5),
            networks.Detector(far, cells=((4, 1),), least_score=0.5),
        )
        self._mesh = networks.Mesh(networks.Network("face_landmark", folder=folder))
        self._turn = threading.Lock()

    def find(self, photo: Picture) -> Face:
        """The one face in the photo (BGR, upright), large enough and seen from the front.

        EngineFault no_face, several_faces, face_too_small, face_cut_off or face_not_frontal
        otherwise.
        """
        rgb = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), np.uint8)
        with self._turn:
            faces = self._faces(rgb)
        face = faces[0]
        if any(other.width > _SECOND_FACE * face.width for other in faces[1:]):
            raise _fault("several_faces", _several(faces))
        if face.eye_distance < LEAST_EYE_DISTANCE:
            raise _fault("face_too_small", "The face in this photo is too small. Use a closer one.")
        _require_whole(face.landmarks, photo)
        _require_frontal(face.landmarks)
        return face

    def _faces(self, rgb: Picture) -> list[Face]:
        """One face or more, the widest first."""
        small, scale = _reduced(rgb, _LOOKED_AT_PIXELS)
        seen = self._seen(small)
        if self._is_turned(small, score=_best_score(seen)):
            message = "This photo is not upright. Turn it and try again."
            raise _fault("face_not_frontal", message)
        seen = [_moved(one, _NOWHERE, scale) for one in seen + self._seen_in_parts(small)]
        faces = self._meshed(rgb, seen)
        if not faces:
            message = "We found no face in this photo. Use one that shows a face from the front."
            raise _fault("no_face", message)
        return faces

    def _is_turned(self, small: Picture, *, score: float) -> bool:
        if score >= _DOUBTFUL_SCORE:
            return False
        turned = (np.asarray(cv2.rotate(small, turn), np.uint8) for turn in _TURNS)
        best = max(_best_score(self._seen(picture)) for picture in turned)
        return best >= max(score + _SURER_BY, _DOUBTFUL_SCORE)

    def _seen(self, small: Picture) -> list[networks.Detection]:
        return [seen for detector in self._detectors for seen in detector.detect(small)]

    def _seen_in_parts(self, small: Picture) -> list[networks.Detection]:
        """Faces too small for a look at the whole: the networks see at most 192 pixels a side."""
        height, width = small.shape[:2]
        down, across = math.ceil(height * _PART), math.ceil(width * _PART)
        found = []
        for top in (0, height - down):
            for left in (0, width - across):
                part = small[top : top + down, left : left + across]
                begin = np.array([left, top], np.float64)
                found += [_moved(seen, begin, 1.0) for seen in self._seen(part)]
        return found

    def _meshed(self, rgb: Picture, seen: list[networks.Detection]) -> list[Face]:
        """What the landmarks' network holds to be a face as well, the widest first."""
        placed = [self._placed(rgb, one) for one in _distinct(seen)[:_MOST_CANDIDATES]]
        sure = [face for face in placed if face.score >= _LEAST_SCORE]
        return sorted(sure, key=lambda face: -face.width)

    def _placed(self, rgb: Picture, seen: networks.Detection) -> Face:
        right, left = seen.eyes
        centre, size, roll = seen.centre, seen.width * _MARGIN, _angle(right, left)
        for _ in range(_PASSES):
            points, score = self._mesh.place(rgb, centre=centre, size=size, roll=roll)
            low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
            centre, size = (low + high) / 2, float((high - low).max()) * _MARGIN
            roll = _angle(points[_RIGHT_EYE], points[_LEFT_EYE])
        return Face(landmarks=points, score=score)


def _best_score(seen: list[networks.Detection]) -> float:
    return max((one.score for one in seen), default=0.0)


def _moved(seen: networks.Detection, begin: Points, scale: float) -> networks.Detection:
    return dataclasses.replace(
        seen,
        centre=(seen.centre + begin) * scale,
        width=seen.width * scale,
        eyes=(seen.eyes + begin) * scale,
    )


def _reduced(rgb: Picture, longest: int) -> tuple[Picture, float]:
    """The picture with at most so many pixels a side, and the scale back to what it was."""
    scale = max(1.0, max(rgb.shape) / longest)
    size = max(1, round(rgb.shape[1] / scale)), max(1, round(rgb.shape[0] / scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _distinct(found: list[networks.Detection]) -> list[networks.Detection]:
    """Each face once, the surest first."""
    kept: list[networks.Detection] = []
    for seen in sorted(found, key=lambda one: -one.score):
        if all(np.linalg.norm(seen.centre - other.centre) > other.width / 2 for other in kept):
            kept.append(seen)
    return kept


def _require_whole(points: Points, photo: Picture) -> None:
    # The landmarks' network goes on drawing a face beyond the edge of the photo.
    height, width = photo.shape[:2]
    needed = points[_NEEDED, :2]
    if (needed < 0).any() or (needed >= [width, height]).any():
        message = "The face is cut off at the edge of this photo. Use one that shows all of it."
        raise _fault("face_cut_off", message)


def _require_frontal(points: Points) -> None:
    across = points[_LEFT_CHEEK] - points[_RIGHT_CHEEK]
    down = points[_CHIN] - points[_FOREHEAD]
    yaw = _degrees(across[2], math.hypot(across[0], across[1]))
    pitch = _degrees(down[2], math.hypot(down[0], down[1]))
    roll = math.degrees(_angle(points[_RIGHT_EYE], points[_LEFT_EYE]))
    if abs(roll) > _MOST_ROLL_DEGREES:
        message = "The head in this photo is tilted too far. Use one with the head upright."
        raise _fault("face_not_frontal", message)
    tip = abs(pitch - _STRAIGHT_PITCH_DEGREES)
    if abs(yaw) > _MOST_YAW_DEGREES or tip > _MOST_PITCH_DEGREES:
        message = "The face is turned away too far. Use a photo that looks into the camera."
        raise _fault("face_not_frontal", message)


def _angle(right: Points, left: Points) -> float:
    """The roll of the head in radians: 0 upright, growing clockwise in the photo."""
    return math.atan2(left[1] - right[1], left[0] - right[0])


def _degrees(rise: float, run: float) -> float:
    return math.degrees(math.atan2(rise, run))


def _several(faces: list[Face]) -> str:
    count = sum(face.width > _SECOND_FACE * faces[0].width for face in faces)
    if count == 2:
        return "There are two faces here. Crop the photo to one."
    return "There are several faces here. Crop the photo to one."


def _fault(code: str, message: str) -> port.EngineFault:
    return port.EngineFault(port.EngineFailure(code, "user_input", message))
