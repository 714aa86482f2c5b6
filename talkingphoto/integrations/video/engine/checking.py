"""Whether a photo and a text can become a video, found out before anything is paid."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import faces, framing, photo, speech
from talkingphoto.integrations.video.port import (
    Checked,
    EngineFailure,
    EngineFault,
    PhotoFinding,
)

_PREVIEW_SIDE = 480
_PREVIEW_QUALITY = 85


def check(
    *, content: bytes | None, text: str | None, voice: str, finder: faces.FaceFinder
) -> Checked:
    """Every reason against a video at once, and what was seen in the photo."""
    failures: list[EngineFailure] = []
    finding = None
    if content is not None:
        try:
            finding = _finding(content, finder)
        except EngineFault as fault:
            failures.append(fault.failure)
    if text is not None and (failure := _spoken(text, voice)):
        failures.append(failure)
    return Checked(tuple(failures), finding)


def _finding(content: bytes, finder: faces.FaceFinder) -> PhotoFinding:
    decoded = photo.decoded(content)
    face = finder.find(decoded)
    framed = framing.framed(decoded, face.landmarks, short_side=_PREVIEW_SIDE)
    tiers = framing.allowed_tiers(decoded, face.landmarks)
    return PhotoFinding(_preview(framed.image), tiers)


def _spoken(text: str, voice: str) -> EngineFailure | None:
    try:
        return speech.speakable(text, voice_id=voice)
    except EngineFault as fault:
        return fault.failure


def _preview(image: NDArray[np.uint8]) -> bytes:
    height, width = image.shape[:2]
    smaller = _PREVIEW_SIDE / max(height, width)
    fitting = (round(width * smaller), round(height * smaller))
    resized = cv2.resize(image, fitting, interpolation=cv2.INTER_AREA)
    written, jpeg = cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY])
    assert written, "a decoded picture can always be written as JPEG"
    return jpeg.tobytes()
