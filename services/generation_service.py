"""Videos: what a customer may ask for, asking for one, and carrying it to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from talkingphoto import runtime as runtimes
from talkingphoto.generations import rules
from talkingphoto.integrations.video import port
from talkingphoto.rendering import views

CONSENT = rules.CONSENT
TierChoice = rules.TierChoice
Problem = views.Problem
PhotoReport = views.PhotoReport
Estimate = views.Estimate
VideoView = views.VideoView
StudioView = views.StudioView
Media = views.Media


@dataclass(frozen=True)
class Order:
    """A video asked for; the request's id becomes the video's, `photo` is the file as uploaded."""

    user_id: str
    request_id: str
    photo: bytes
    text: str
    voice: str
    tier: port.Tier
    consent: bool
    ip: str


class GenerationService:
    """The verbs of making videos."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def studio(self, user_id: str, *, limit: int = 24, before: str | None = None) -> StudioView: ...

    def video(self, *, user_id: str, generation_id: str) -> VideoView: ...

    def inspect_photo(self, *, user_id: str, photo: bytes) -> PhotoReport: ...

    def check_text(self, *, text: str, voice: str) -> Problem | None: ...

    def estimate(self, *, text: str, voice: str, tier: port.Tier) -> Estimate: ...

    def start(self, order: Order) -> VideoView: ...

    def cancel(self, *, user_id: str, generation_id: str) -> None: ...

    def delete(self, *, user_id: str, generation_id: str) -> None: ...

    def remake(self, *, user_id: str, generation_id: str, request_id: str) -> VideoView: ...

    def media(
        self, *, user_id: str, generation_id: str, kind: Literal["video", "poster"]
    ) -> Media: ...

    def media_token(
        self, *, user_id: str, generation_id: str, kind: Literal["video", "poster"]
    ) -> str: ...

    def media_by_token(self, token: str) -> Media: ...

    def report(self, *, generation_id: str, reason: str, contact: str, ip: str) -> None: ...

    def run(self) -> None: ...

    def hear(self, headers: Mapping[str, str], body: bytes) -> None: ...

    def sweep(self) -> None: ...


generation_service = GenerationService(runtimes.current())
