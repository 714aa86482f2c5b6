"""What the product asks of an engine that makes a photo speak, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Tier = Literal["540p", "720p", "1080p"]
FailureKind = Literal["user_input", "content_rejected", "transient", "quota", "fatal"]
Status = Literal["queued", "running", "succeeded", "failed", "canceled"]
Stage = Literal["waiting", "photo", "voice", "frames", "finishing"]

# The shorter side of the picture, in pixels.
SHORT_SIDE: Mapping[Tier, int] = {"540p": 540, "720p": 720, "1080p": 1080}
MOST_CHARACTERS = 600
ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "canceled"})


@dataclass(frozen=True)
class EngineFailure:
    """Why no video came of it: `code` never changes, `message` is for the customer."""

    code: str
    kind: FailureKind
    message: str


def too_long(text: str) -> EngineFailure | None:
    """Why a text of that length is refused, before anybody reads it; None when there is room."""
    length = len(text.strip())
    if length <= MOST_CHARACTERS:
        return None
    return EngineFailure(
        "text_too_long",
        "user_input",
        f"The text has {length:,} characters; a video has room for {MOST_CHARACTERS}. "
        "Shorten it, or make two videos.",
    )


class EngineFault(Exception):
    """An engine could not do what was asked; `failure` says why."""

    def __init__(self, failure: EngineFailure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure


@dataclass(frozen=True)
class BlobRef:
    """A photo in a file of this machine, readable until the engine has answered `submit`."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class VoiceInfo:
    """A voice of an engine; a `basic` one is plainly synthetic, and the customer is told so."""

    id: str
    name: str
    language: str
    basic: bool


@dataclass(frozen=True)
class RenderRequest:
    """One video to make; `job_id` submitted twice is one job of the engine.

    `watermark` is the brand's mark for free videos; the "AI-generated" mark is on all of them.
    """

    job_id: str
    photo: BlobRef
    text: str
    language: str
    voice: str
    tier: Tier
    watermark: str | None
    seed: int
    max_seconds: float


@dataclass(frozen=True)
class EngineRef:
    """The engine's own name for a job, kept with ours and given back unread."""

    engine: str
    id: str


@dataclass(frozen=True)
class JobState:
    """How far a job is: `progress` from 0 to 1 when known, `seconds_left` when it can be said."""

    status: Status
    stage: Stage = "waiting"
    progress: float | None = None
    seconds_left: float | None = None
    error: EngineFailure | None = None


@dataclass(frozen=True)
class ResultMeta:
    """What `fetch` has written: an mp4 of that many bytes, pixels and seconds."""

    sha256: str
    size: int
    width: int
    height: int
    seconds: float


@dataclass(frozen=True)
class PhotoFinding:
    """What a check saw in a photo: who will speak, and the tiers its pixels are enough for.

    `preview` is a JPEG of the crop that will speak, at most 480 pixels on its longer side; `clean`
    is the whole photo as a JPEG of ours, upright and without metadata: what is kept and rendered.
    """

    preview: bytes
    clean: bytes
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Checked:
    """The answer of a check: no failures, or every reason why there can be no video."""

    failures: tuple[EngineFailure, ...]
    photo: PhotoFinding | None


@dataclass(frozen=True)
class EngineInfo:
    """What an engine can do; `data_region` is where a customer's photo goes."""

    id: str
    version: str
    mode: Literal["embedded", "hosted"]
    voices: tuple[VoiceInfo, ...]
    tiers: tuple[Tier, ...]
    max_chars: int
    needs_public_url: bool
    data_region: str


class TalkingPhotoEngine(Protocol):
    """The port. Every method may raise EngineFault; none is called inside a transaction."""

    def info(self) -> EngineInfo:
        """What the engine can do, without a call to anyone."""

    def estimate(self, *, text: str, voice: str, tier: Tier) -> tuple[float, float]:
        """About how long the video will be and how long making it takes, in seconds."""

    def check(self, *, photo: bytes | None, text: str | None, voice: str) -> Checked:
        """Cheap, before any credit is held; what is None is not looked at."""

    def submit(self, request: RenderRequest) -> EngineRef:
        """The job is under way; the same job_id again is the same job."""

    def poll(self, ref: EngineRef) -> JobState:
        """How far it is; safe to repeat."""

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[EngineRef, JobState] | None:
        """What a callback says, its signature proved; None when it is not this engine's."""

    def fetch(self, ref: EngineRef, sink: Path) -> ResultMeta:
        """The finished video is in the file; a vendor's own address for it may end any time."""

    def cancel(self, ref: EngineRef) -> None:
        """Nothing more is made of it; an ended job stays as it is."""

    def purge(self, ref: EngineRef) -> None:
        """The engine keeps neither the photo nor the video."""
