"""A finished video looked at from outside, whoever made it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av

from talkingphoto.integrations.video.port import EngineFailure, EngineFault, ResultMeta


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


def _not_a_video() -> EngineFault:
    message = "The engine handed over a file that is no video."
    return EngineFault(EngineFailure("engine_bad_video", "transient", message))
