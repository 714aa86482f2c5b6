"""Whether a finished file plays: it is opened and read as a player would, and a frame is kept."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame
from PIL.Image import Image

_POSTER_QUALITY = 85
_LONGEST_POSTER_SIDE = 960


@dataclass(frozen=True)
class Seen:
    """A file that plays: its pixels, its length in seconds, and a JPEG of its first frame."""

    width: int
    height: int
    seconds: float
    poster: bytes


def look(path: Path) -> Seen | None:
    """What is in the mp4; None when it has no picture, no sound or no length."""
    try:
        with av.open(str(path), format="mp4") as opened:
            if not opened.streams.video or not opened.streams.audio:
                return None
            stream = opened.streams.video[0]
            duration = opened.duration
            if not duration or duration <= 0 or not stream.width or not stream.height:
                return None
            seconds = duration / av.time_base
            # The first one: before it speaks the face is the photo itself, eyes open.
            frame = next(opened.decode(video=0))
            return Seen(stream.width, stream.height, seconds, _poster(frame))
    except (FFmpegError, StopIteration, ValueError, OSError):
        return None


def _poster(frame: VideoFrame) -> bytes:
    image: Image = frame.to_image()  # type: ignore[no-untyped-call]
    image.thumbnail((_LONGEST_POSTER_SIDE, _LONGEST_POSTER_SIDE))
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=_POSTER_QUALITY)
    return sink.getvalue()
