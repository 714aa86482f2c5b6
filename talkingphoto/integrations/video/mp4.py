"""A finished video looked at from outside, whoever made it: its facts and its poster."""

from __future__ import annotations

import hashlib
import io
from itertools import islice
from pathlib import Path

import av
import numpy as np

from talkingphoto.integrations.video.port import EngineFailure, EngineFault, ResultMeta

# A poster is looked for in the first seconds: later ones would have to be decoded up to there.
_LOOKED_AT = 100
_EVERY = 5
_THUMB = 48
_QUALITY = 88


def facts(path: Path) -> ResultMeta:
    """What the file holds, found by opening it; EngineFault when it is no video with sound."""
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            next(container.decode(video))
            sound, seconds = len(container.streams.audio), (container.duration or 0) / av.time_base
    except (av.FFmpegError, IndexError, StopIteration):
        raise _not_a_video() from None
    if not sound or seconds <= 0:
        raise _not_a_video()
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return ResultMeta(
        sha256=checksum,
        size=path.stat().st_size,
        width=video.codec_context.width,
        height=video.codec_context.height,
        seconds=seconds,
    )


def poster(path: Path) -> bytes:
    """A JPEG of the picture most like all others: eyes open, in the middle of no movement.

    Of the first four seconds the one nearest to their median is taken: a blink is shut for a
    twelfth of the time, so the median looks at us.
    """
    with av.open(str(path)) as container:
        frames = list(islice(container.decode(video=0), 0, _LOOKED_AT, _EVERY))
    if not frames:
        raise _not_a_video()
    thumbs = np.stack(
        [frame.to_ndarray(width=_THUMB, height=_THUMB, format="gray8") for frame in frames]
    ).astype(np.float32)
    away = np.abs(thumbs - np.median(thumbs, axis=0)).mean(axis=(1, 2))
    sink = io.BytesIO()
    frames[int(away.argmin())].to_image().save(sink, "JPEG", quality=_QUALITY, progressive=True)
    return sink.getvalue()


def _not_a_video() -> EngineFault:
    message = "The engine handed over a file that is no video."
    return EngineFault(EngineFailure("engine_bad_video", "transient", message))
