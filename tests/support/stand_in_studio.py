"""The studio in memory: a gallery for each person, a verdict for each kind of photo.

A photo is what its bytes say: a JPEG shows one face, any other bytes are the code of the refusal,
such as `no_face`. A text may name one too: `[video.most_waiting]` is refused with that code.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from talkingphoto.foundation import errors
from talkingphoto.integrations.video import port
from tests.support.stand_in import HOSTILE, NOW

CONSENT = (
    "This is a photo of me, or of an adult who has agreed to it, and I may use it. I will not"
    " pass the video off as a real recording."
)
REFUSALS = {
    "no_face": "We found no face in this photo. Use one that shows a face from the front.",
    "several_faces": "There are two faces here. Crop the photo to one.",
    "not_an_image": "This is not a picture we can read. Use a JPG, PNG or WebP photo.",
    "image_too_small": "This photo is too small. Use one of at least 256 pixels.",
    "image_too_large": "This photo has too many pixels. Save it smaller and try again.",
    "photo.rate_limited": "You have tried many photos. Wait ten minutes and try again.",
}
TEXTS = {
    "text_empty": "Write what the photo should say.",
    "text_too_long": "This text is too long. Use at most 600 characters.",
    "text_unspeakable": "There is nothing to say here. Write some words.",
    "text_wrong_script": "This voice speaks English. Choose a voice for the language of the text.",
}
VOICES = (
    port.VoiceInfo("en-heart", "Heart", "English", basic=False),
    port.VoiceInfo("espeak:de", "German (basic voice)", "German", basic=True),
    port.VoiceInfo("espeak:fr", "French (basic voice)", "French", basic=True),
)
ALL_TIERS: tuple[port.Tier, ...] = ("540p", "720p", "1080p")
LONG = "Three things to check before you fly a kite near a runway. " * 8


@dataclass(frozen=True)
class Problem:
    code: str
    message: str


@dataclass(frozen=True)
class PhotoReport:
    problem: Problem | None
    preview: bytes | None
    tiers: tuple[port.Tier, ...]


@dataclass(frozen=True)
class TierChoice:
    tier: port.Tier
    allowed: bool
    why: str
    watermark: bool


@dataclass(frozen=True)
class Estimate:
    video_seconds: float
    making_seconds: float


@dataclass(frozen=True)
class Order:
    user_id: str
    request_id: str
    photo: bytes
    text: str
    voice: str
    tier: port.Tier
    consent: bool
    ip: str


@dataclass(frozen=True)
class VideoView:
    id: str
    state: str
    stage: str = "waiting"
    progress: float = 0.0
    seconds_left: int | None = None
    text: str = "Good morning, team. Here is what changed this week."
    voice: str = "en-heart"
    language: str = "English"
    tier: port.Tier = "720p"
    created_at: datetime = NOW
    ready_at: datetime | None = None
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    problem: Problem | None = None
    has_files: bool = False
    can_remake_free: bool = False
    kept_until: datetime | None = None


@dataclass(frozen=True)
class StudioView:
    available: int
    held: int
    voices: tuple[port.VoiceInfo, ...]
    tiers: tuple[TierChoice, ...]
    waiting: int
    most_waiting: int
    videos: tuple[VideoView, ...]
    more: bool


READY = VideoView(
    "ready-1", "ready", "finishing", 1.0, ready_at=NOW, seconds=6.0, width=320, height=400,
    has_files=True, kept_until=NOW + timedelta(days=90),
)  # fmt: skip
EVERY_STATE = (
    VideoView("queued-1", "queued", text="Happy birthday, Tom. From all of us."),
    VideoView(
        "rendering-1",
        "rendering",
        "frames",
        0.62,
        8,
        text="Welcome to the museum. I am your guide.",
    ),
    replace(READY, can_remake_free=True),
    replace(READY, id="ready-2", text=LONG[:590], tier="1080p", seconds=65.0),
    VideoView(
        "failed-1",
        "failed",
        text="Happy birthday, Tom. From all of us on the second floor.",
        problem=Problem("engine.crashed", "This video could not be made."),
    ),
    VideoView("canceled-1", "canceled", text="Not this one."),
    replace(READY, id="gone-1", has_files=False, text="An old one."),
)
GALLERIES: dict[str, tuple[VideoView, ...]] = {
    "starter": EVERY_STATE,
    "hostile": (
        replace(READY, text=HOSTILE),
        VideoView("f", "failed", problem=Problem("x", HOSTILE)),
    ),
    "past-due": tuple(replace(READY, id=f"many-{n}", text=f"Number {n}") for n in range(14)),
}
FREE = (
    TierChoice("540p", True, "", True),
    TierChoice("720p", False, "Comes with any plan or pack.", True),
    TierChoice("1080p", False, "Comes with Pro and Enterprise.", True),
)
PAID = (
    TierChoice("540p", True, "", False),
    TierChoice("720p", True, "", False),
    TierChoice("1080p", False, "Comes with Pro and Enterprise.", False),
)
AVAILABLE = {"starter": 82, "free": 3, "empty": 0, "waiting": 3, "hostile": 3, "past-due": 82}
_LOOKS_TO_BE_READY = 4


@dataclass
class GenerationService:
    """One gallery a person; what is started is ready after a few looks."""

    folder: Path
    started: dict[str, list[VideoView]] = field(default_factory=dict)
    deleted: set[tuple[str, str]] = field(default_factory=set)
    looks: Counter[str] = field(default_factory=Counter)
    asked: dict[str, str] = field(default_factory=dict)

    def studio(self, user_id: str, *, limit: int = 24, before: str | None = None) -> StudioView:
        mine = [self._now(user_id, video) for video in self.started.get(user_id, [])]
        every = [
            video
            for video in (*mine, *GALLERIES.get(user_id, ()))
            if (user_id, video.id) not in self.deleted
        ]
        ids = [video.id for video in every]
        begin = ids.index(before) + 1 if before else 0
        held = sum(video.state in ("queued", "rendering") for video in mine)
        free = user_id in ("free", "empty", "waiting", "hostile")
        used = sum(video.state != "canceled" for video in mine)
        return StudioView(
            AVAILABLE[user_id] - used,
            held,
            VOICES,
            FREE if free else PAID,
            held,
            3,
            tuple(every[begin : begin + limit]),
            len(every) > begin + limit,
        )

    def counts(self, user_id: str) -> tuple[int, int]:
        """What can be spent and what is set aside, as the next look will say."""
        mine = self.started.get(user_id, [])
        paused = (self.folder / "paused").exists()
        held = sum(
            video.state != "canceled" and (paused or self.looks[video.id] < _LOOKS_TO_BE_READY)
            for video in mine
        )
        return AVAILABLE[user_id] - sum(video.state != "canceled" for video in mine), held

    def inspect_photo(self, *, user_id: str, photo: bytes) -> PhotoReport:
        if photo.startswith(b"\xff\xd8"):
            return PhotoReport(None, photo, ALL_TIERS)
        code = photo.decode().strip()
        return PhotoReport(Problem(code, REFUSALS[code]), None, ())

    def check_text(self, *, text: str, voice: str) -> Problem | None:
        code = ""
        if not text.strip():
            code = "text_empty"
        elif len(text) > port.MOST_CHARACTERS:
            code = "text_too_long"
        elif not any(letter.isalnum() for letter in text):
            code = "text_unspeakable"
        elif voice == "en-heart" and any(
            "CYRILLIC" in unicodedata.name(letter, "") for letter in text
        ):
            code = "text_wrong_script"
        return Problem(code, TEXTS[code]) if code else None

    def estimate(self, *, text: str, voice: str, tier: str) -> Estimate:
        return Estimate(1 + len(text) / 15, 1 + len(text) / 20)

    def start(self, order: Order) -> VideoView:
        if order.text.startswith("["):
            code = order.text.strip("[]")
            raise errors.InvalidRequest(code, f"Refused with {code}.")
        if order.request_id not in self.asked:
            number = sum(map(len, self.started.values())) + 1
            made = VideoView(f"new-{number}", "queued", text=order.text, tier=order.tier)
            self.started.setdefault(order.user_id, []).insert(0, made)
            self.asked[order.request_id] = made.id
        return self._find(order.user_id, self.asked[order.request_id])

    def cancel(self, *, user_id: str, generation_id: str) -> None:
        self.started[user_id] = [
            replace(video, state="canceled") if video.id == generation_id else video
            for video in self.started[user_id]
        ]

    def delete(self, *, user_id: str, generation_id: str) -> None:
        self.deleted.add((user_id, generation_id))

    def remake(self, *, user_id: str, generation_id: str, request_id: str) -> VideoView:
        raise errors.Conflict("video.remade", "This video was made again already.")

    def media_token(self, *, user_id: str, generation_id: str, kind: str) -> str:
        return f"{user_id}-{generation_id}"

    def _find(self, user_id: str, generation_id: str) -> VideoView:
        return next(one for one in self.started[user_id] if one.id == generation_id)

    def _now(self, user_id: str, video: VideoView) -> VideoView:
        if video.state == "canceled" or (self.folder / "paused").exists():
            return video
        self.looks[video.id] += 1
        looks = self.looks[video.id]
        if looks > _LOOKS_TO_BE_READY:
            return replace(READY, id=video.id, text=video.text)
        left = _LOOKS_TO_BE_READY - looks
        return replace(
            video, state="rendering", stage="frames", progress=looks / 5, seconds_left=left
        )
