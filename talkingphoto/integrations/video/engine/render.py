"""One photo and one text become one video: every step in its order, told as it goes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import (
    animator,
    articulation,
    encode,
    faces,
    framing,
    loudness,
    marks,
    motion,
    photo,
    speech,
)
from talkingphoto.integrations.video.port import (
    SHORT_SIDE,
    EngineFailure,
    EngineFault,
    RenderRequest,
    Stage,
)

# How much of the making lies before each stage, for one bar that never runs back: measured at 720p.
_BEGINS: Mapping[Stage, float] = {"photo": 0.0, "voice": 0.02, "frames": 0.05, "finishing": 0.98}

_TOO_LONG = EngineFailure(
    "video_too_long", "user_input", "The text takes too long to say. Make it shorter."
)

Tell = Callable[[Stage, float], None]


@dataclass(frozen=True)
class RenderReport:
    """The video that was made; `upscale` is output pixels per photo pixel, `timings` are seconds.

    `sha256` is of the file as it was left.
    """

    seconds: float
    frames: int
    width: int
    height: int
    upscale: float
    sha256: str
    timings: Mapping[Stage, float]


class _Progress:
    """Tells each stage as it begins and keeps how long it took."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._stage: Stage = "photo"
        self._since = time.perf_counter()
        self.timings: dict[Stage, float] = {}

    def enter(self, stage: Stage) -> None:
        self.leave()
        self._stage = stage
        self._tell(stage, _BEGINS[stage])

    def leave(self) -> None:
        now = time.perf_counter()
        self.timings[self._stage] = round(now - self._since, 3)
        self._since = now

    def frame(self, number: int, of: int) -> None:
        span = _BEGINS["finishing"] - _BEGINS["frames"]
        self._tell("frames", _BEGINS["frames"] + span * number / of)


def render(
    request: RenderRequest, sink: Path, *, finder: faces.FaceFinder, tell: Tell
) -> RenderReport:
    """The video is in `sink`; EngineFault when photo or text cannot be one, and then no file.

    `tell` hears the stage and the progress from 0 to 1; what it raises ends the making.
    """
    progress = _Progress(tell)
    tell("photo", 0.0)
    framed = _framed(request, finder)
    progress.enter("voice")
    said = speech.voice(request.voice).say(request.text, seed=request.seed)
    frames = articulation.frame_count(said)
    if frames / encode.FPS > request.max_seconds:
        raise EngineFault(_TOO_LONG)
    samples = _samples(said, frames=frames)
    progress.enter("frames")
    height, width = framed.image.shape[:2]
    with encode.Encoder(sink, width=width, height=height) as encoder:
        _draw(request, framed, said, frames, _Drawing(encoder, progress))
        progress.enter("finishing")
        encoder.finish(samples)
    checksum = _sum(sink)
    progress.leave()
    return RenderReport(
        seconds=frames / encode.FPS,
        frames=frames,
        width=width,
        height=height,
        upscale=framed.upscale,
        sha256=checksum,
        timings=progress.timings,
    )


def _framed(request: RenderRequest, finder: faces.FaceFinder) -> framing.Framed:
    decoded = photo.decoded(request.photo.path.read_bytes())
    face = finder.find(decoded)
    return framing.framed(decoded, face.landmarks, short_side=SHORT_SIDE[request.tier])


def _samples(said: speech.Speech, *, frames: int) -> NDArray[np.float32]:
    """The sound of the whole video at 48 kHz: a short silence, the speech, a short silence."""
    level = loudness.normalised(said.samples, said.sample_rate)
    spoken = loudness.resampled(level, said.sample_rate, encode.SAMPLE_RATE)
    lead = round(articulation.LEAD_SECONDS * encode.SAMPLE_RATE)
    whole = np.zeros(frames * encode.SAMPLE_RATE // encode.FPS, np.float32)
    spoken = spoken[: len(whole) - lead]
    whole[lead : lead + len(spoken)] = spoken
    return whole


@dataclass(frozen=True)
class _Drawing:
    """Where the pictures go, and who hears of them."""

    encoder: encode.Encoder
    progress: _Progress


def _draw(
    request: RenderRequest,
    framed: framing.Framed,
    said: speech.Speech,
    frames: int,
    drawing: _Drawing,
) -> None:
    mouth = articulation.articulate(said, frames=frames)
    actor = animator.Animator(framed.image, framed.landmarks.astype(np.float32))
    moves = motion.motion(mouth, eye_distance=actor.eye_distance, seed=request.seed)
    height, width = framed.image.shape[:2]
    stamps = marks.stamps(width=width, height=height, watermark=request.watermark)
    for number in range(frames):
        frame = actor.draw(
            mouth.shapes[number],
            activity=float(moves.speaking[number]),
            blink=float(moves.blink[number]),
            brow=float(moves.brow[number]),
            head=moves.head[number],
        )
        for stamp in stamps:
            stamp.press(frame)
        drawing.encoder.write(frame)
        drawing.progress.frame(number + 1, frames)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
