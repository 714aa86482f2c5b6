"""What the studio shows: a video, a photo that was looked at, and what a customer may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Literal

from talkingphoto.generations import records, rules
from talkingphoto.integrations import storage
from talkingphoto.integrations.video import port


@dataclass(frozen=True)
class Problem:
    """Why something is not to be had: `code` never changes, `message` is for the customer."""

    code: str
    message: str


@dataclass(frozen=True)
class PhotoReport:
    """A photo as the engine sees it: the crop that will speak as a JPEG and the tiers its pixels
    are enough for, or what is wrong with it."""

    problem: Problem | None
    preview: bytes | None
    tiers: tuple[port.Tier, ...]


@dataclass(frozen=True)
class Estimate:
    """About how long the video will play and its making take, in seconds, without the wait."""

    video_seconds: float
    making_seconds: float


@dataclass(frozen=True)
class VideoView:
    """A video as its owner sees it; `kept_until` is when its file will be gone."""

    id: str
    state: rules.State
    stage: port.Stage
    progress: float
    seconds_left: int | None
    text: str
    voice: str
    language: str
    tier: port.Tier
    created_at: datetime
    ready_at: datetime | None
    seconds: float | None
    width: int | None
    height: int | None
    problem: Problem | None
    has_files: bool
    can_remake_free: bool
    kept_until: datetime | None


@dataclass(frozen=True)
class StudioView:
    """The studio in one answer; `waiting` of `most_waiting` videos are unfinished."""

    available: int
    held: int
    voices: tuple[port.VoiceInfo, ...]
    tiers: tuple[rules.TierChoice, ...]
    waiting: int
    most_waiting: int
    videos: tuple[VideoView, ...]
    more: bool


@dataclass(frozen=True)
class Media:
    """A file to be sent: where it lies on this machine, its type, a name for it, its bytes."""

    path: Path
    mime: str
    filename: str
    size: int


def video_view(video: records.Generation, *, now: datetime) -> VideoView:
    """The video as its owner sees it at that moment."""
    problem = None
    if video.problem_code is not None:
        problem = Problem(video.problem_code, video.problem_message or "")
    left = video.seconds_left if video.state == "rendering" else None
    can_remake = not video.remade and rules.may_remake(
        state=video.state, is_remake=video.remake_of is not None, ended_at=video.ended_at, now=now
    )
    return VideoView(
        id=video.id,
        state=video.state,
        stage=_stage(video.stage),
        progress=video.progress,
        seconds_left=None if left is None else ceil(left),
        text=video.text,
        voice=video.voice,
        language=video.language,
        tier=video.tier,
        created_at=video.created_at,
        ready_at=video.ended_at if video.state == "ready" else None,
        seconds=video.seconds,
        width=video.width,
        height=video.height,
        problem=problem,
        has_files=video.video_key is not None and video.hidden_at is None,
        can_remake_free=can_remake and video.photo_key is not None and video.hidden_at is None,
        kept_until=video.kept_until,
    )


def _stage(stored: str) -> port.Stage:
    known: dict[str, port.Stage] = {name: name for name in _STAGES}
    return known.get(stored, "waiting")


_STAGES: tuple[port.Stage, ...] = ("waiting", "photo", "voice", "frames", "finishing")


def media(path: Path, *, kind: Literal["video", "poster"], generation_id: str) -> Media:
    """The file as it is sent: nothing of the customer's words is in its name."""
    ending = "mp4" if kind == "video" else "jpg"
    name = f"talkingphoto-{generation_id[:8]}.{ending}"
    return Media(path, storage.MIME[kind], name, path.stat().st_size)
