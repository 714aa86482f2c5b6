"""The part of the photo that becomes the video, in the size of a tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import photo as photos
from talkingphoto.integrations.video.engine.networks import Picture, Points

# The longer side of a preview, in pixels.
PREVIEW_SIDE = 480

# The head with hair and shoulders, as a multiple of the face's width.
_FACE_WIDTHS = 2.6
# A crop that would take more of the photo's shorter side than this keeps the photo's own framing.
_OWN_FRAMING = 0.92
_WIDEST, _TALLEST = 16 / 9, 9 / 16
# Where the middle of the face is put, from the top of the crop.
_FACE_AT = 0.46
# How far each tier may enlarge the photo: beyond two, 1080p shows nothing that 720p does not;
# beyond three, a person pays for blur. 540p is there for every photo with a face that can speak.
_MOST_UPSCALE: Mapping[port.Tier, float] = {"540p": float("inf"), "720p": 3.0, "1080p": 2.0}
# An enlarged crop is soft: from here on its edges are brought back a little.
_SHARPENED_FROM = 1.25


@dataclass(frozen=True)
class Framed:
    """A crop in its final size, sides even; landmarks in its pixels, `upscale` from the photo."""

    image: Picture
    landmarks: Points
    upscale: float


@dataclass(frozen=True)
class _Box:
    left: int
    top: int
    width: int
    height: int

    @property
    def short_side(self) -> int:
        return min(self.width, self.height)


def framed(photo: Picture, landmarks: Points, *, short_side: int) -> Framed:
    """The crop around the head, `short_side` pixels on its shorter side, from 9:16 to 16:9."""
    box = _box(photo, landmarks)
    upscale = short_side / box.short_side
    image = _scaled(photo, box, (_even(box.width * upscale), _even(box.height * upscale)))
    if upscale > _SHARPENED_FROM:
        soft = cv2.GaussianBlur(image, (0, 0), 0.65 * upscale)
        image = np.asarray(cv2.addWeighted(image, 1.35, soft, -0.35, 0), np.uint8)
    stretch = np.array([image.shape[1] / box.width, image.shape[0] / box.height])
    moved = landmarks.astype(np.float64, copy=True)
    # The middle of a pixel is at a half: where the pixels go, the landmarks go.
    moved[:, :2] = (moved[:, :2] - (box.left, box.top) + 0.5) * stretch - 0.5
    moved[:, 2] *= upscale
    return Framed(image=image, landmarks=moved, upscale=upscale)


def allowed_tiers(photo: Picture, landmarks: Points) -> tuple[port.Tier, ...]:
    """The tiers that the pixels around this face are enough for; 540p is always one."""
    short_side = _box(photo, landmarks).short_side
    return tuple(
        tier for tier, most in _MOST_UPSCALE.items() if port.SHORT_SIDE[tier] / short_side <= most
    )


def preview_jpeg(photo: Picture, landmarks: Points) -> bytes:
    """The crop as a JPEG of at most PREVIEW_SIDE pixels on its longer side, never enlarged."""
    box = _box(photo, landmarks)
    scale = min(1.0, PREVIEW_SIDE / max(box.width, box.height))
    size = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    return photos.normalised_jpeg(_scaled(photo, box, size))


def _box(photo: Picture, landmarks: Points) -> _Box:
    height, width = photo.shape[:2]
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    side = float(high[0] - low[0]) * _FACE_WIDTHS
    if side < min(width, height) * _OWN_FRAMING:
        size = round(side), round(side)
    else:
        size = (
            min(width, round(height * _WIDEST)),
            min(height, round(width / _TALLEST)),
        )
    middle = (low + high) / 2
    left = np.clip(round(middle[0] - size[0] / 2), 0, width - size[0])
    top = np.clip(round(middle[1] - size[1] * _FACE_AT), 0, height - size[1])
    return _Box(left=int(left), top=int(top), width=size[0], height=size[1])


def _scaled(photo: Picture, box: _Box, size: tuple[int, int]) -> Picture:
    crop = photo[box.top : box.top + box.height, box.left : box.left + box.width]
    how = cv2.INTER_AREA if size[0] < box.width else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(crop, size, interpolation=how), np.uint8)


def _even(length: float) -> int:
    """The nearest even number: the video's colour has half its pixels on each side."""
    return 2 * round(length / 2)
