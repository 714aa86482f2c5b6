"""What a check says of a photo, before anything is paid for."""

from __future__ import annotations

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import framing
from talkingphoto.integrations.video.engine import photo as photos
from talkingphoto.integrations.video.engine.faces import FaceFinder


def examine(data: bytes, *, finder: FaceFinder) -> port.PhotoFinding:
    """The crop that would speak and the tiers it is enough for; EngineFault says why not."""
    photo = photos.decoded(data)
    landmarks = finder.find(photo).landmarks
    return port.PhotoFinding(
        clean=photos.normalised_jpeg(photo),
        preview=framing.preview_jpeg(photo, landmarks),
        tiers=framing.allowed_tiers(photo, landmarks),
    )
