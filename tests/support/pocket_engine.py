"""A second engine behind the port: it makes a small, real mp4 in the time it is told to take.

It is for what happens around an engine. What the engines themselves do is told elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, UnidentifiedImageError

from talkingphoto.integrations.video import port

FPS = 25
RATE = 48000
SIDE = 64
VOICES = (
    port.VoiceInfo("pocket-one", "One", "en", basic=False),
    port.VoiceInfo("pocket-two", "Two", "de", basic=True),
)
TRANSIENT = port.EngineFailure("engine_busy", "transient", "The engine is busy.")
FATAL = port.EngineFailure("engine_broken", "fatal", "The engine is broken.")
CALLBACK = {"x-pocket": "signed"}


def portrait(*, side: int = 96, colour: str = "teal") -> bytes:
    """A picture that this engine takes for a portrait."""
    sink = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(sink, "PNG")
    return sink.getvalue()


@dataclass
class _Job:
    request: port.RenderRequest
    began: float = field(default_factory=time.monotonic)
    canceled: bool = False
    failure: port.EngineFailure | None = None


class PocketEngine:
    """A render takes `seconds`, and what comes of it is no video when the engine is `damaged`."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.damaged = False
        self.hosted = False
        # What every poll says instead of an answer.
        self.silent: port.EngineFailure | None = None
        self.photo_tiers: tuple[port.Tier, ...] = ("540p", "720p", "1080p")
        self.submits: list[port.RenderRequest] = []
        self.photos: list[bytes] = []
        self.forgets = True
        self.purges = 0
        self.purged: list[str] = []
        self.canceled: list[str] = []
        self._failures: list[port.EngineFailure | None] = []
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def will_fail(self, *failures: port.EngineFailure | None) -> None:
        """The next renders end like that, in the order of their submission; None is well."""
        self._failures += failures

    def info(self) -> port.EngineInfo:
        return port.EngineInfo(
            id="pocket",
            version="1",
            mode="hosted" if self.hosted else "embedded",
            voices=VOICES,
            tiers=("540p", "720p", "1080p"),
            max_chars=port.MOST_CHARACTERS,
            needs_public_url=False,
            data_region="here",
        )

    def estimate(self, *, text: str, voice: str, tier: port.Tier) -> tuple[float, float]:
        return len(text) / 15, self.seconds

    def check(self, *, photo: bytes | None, text: str | None, voice: str) -> port.Checked:
        failures = []
        if voice not in {known.id for known in VOICES}:
            failures.append(_user("voice_unknown"))
        if text is not None and not text.strip():
            failures.append(_user("text_empty"))
        if text is not None and len(text) > port.MOST_CHARACTERS:
            failures.append(_user("text_too_long"))
        if photo is None:
            return port.Checked(tuple(failures), None)
        try:
            picture = Image.open(io.BytesIO(photo)).convert("RGB")
        except UnidentifiedImageError:
            return port.Checked((*failures, _user("not_an_image")), None)
        sink = io.BytesIO()
        picture.save(sink, "JPEG")
        clean = sink.getvalue()
        return port.Checked(tuple(failures), port.PhotoFinding(clean, clean, self.photo_tiers))

    def submit(self, request: port.RenderRequest) -> port.EngineRef:
        with self._lock:
            self.submits.append(request)
            self.photos.append(request.photo.path.read_bytes())
            failure = self._failures.pop(0) if self._failures else None
            known = self._jobs.get(request.job_id)
            if known is None or known.failure or known.canceled:
                self._jobs[request.job_id] = _Job(request, failure=failure)
        return port.EngineRef("pocket", request.job_id)

    def poll(self, ref: port.EngineRef) -> port.JobState:
        if self.silent is not None:
            raise port.EngineFault(self.silent)
        job = self._jobs[ref.id]
        if job.canceled:
            return port.JobState("canceled")
        if job.failure is not None:
            return port.JobState("failed", error=job.failure)
        spent = time.monotonic() - job.began
        if spent < self.seconds:
            share = spent / self.seconds
            return port.JobState("running", "frames", share, self.seconds - spent)
        return port.JobState("succeeded", "finishing", 1.0)

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[port.EngineRef, port.JobState] | None:
        if headers != CALLBACK:
            return None
        return port.EngineRef("pocket", body.decode()), port.JobState("succeeded")

    def fetch(self, ref: port.EngineRef, sink: Path) -> port.ResultMeta:
        request = self._jobs[ref.id].request
        if self.damaged:
            sink.write_bytes(b"no video at all")
        else:
            write_video(sink, seed=request.seed)
        raw = sink.read_bytes()
        return port.ResultMeta(hashlib.sha256(raw).hexdigest(), len(raw), SIDE, SIDE, 0.4)

    def cancel(self, ref: port.EngineRef) -> None:
        self.canceled.append(ref.id)
        self._jobs[ref.id].canceled = True

    def purge(self, ref: port.EngineRef) -> None:
        self.purges += 1
        if not self.forgets:
            raise port.EngineFault(TRANSIENT)
        self.purged.append(ref.id)


def _user(code: str) -> port.EngineFailure:
    return port.EngineFailure(code, "user_input", f"Refused: {code}.")


def write_video(sink: Path, *, seed: int, sound: bool = True) -> None:
    """Ten frames of one colour and their silence, or no sound at all, are in the file."""
    with av.open(str(sink), "w", format="mp4") as made:
        picture = made.add_stream("libx264", rate=FPS)
        picture.width = picture.height = SIDE
        picture.pix_fmt = "yuv420p"
        heard = made.add_stream("aac", rate=RATE, layout="mono") if sound else None
        frame = np.full((SIDE, SIDE, 3), seed % 256, np.uint8)
        for number in range(10):
            shown = av.VideoFrame.from_ndarray(frame, format="rgb24")
            shown.pts, shown.time_base = number, Fraction(1, FPS)
            made.mux(picture.encode(shown))
        made.mux(picture.encode())
        if heard is None:
            return
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, RATE * 10 // FPS), np.float32), format="fltp", layout="mono"
        )
        silence.sample_rate, silence.pts = RATE, 0
        made.mux(heard.encode(silence))
        made.mux(heard.encode())
