"""The engine that comes with the product: two processes beside ours, one to check, one to make."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.integrations.video import checks, children, mp4, renders, scratch, speeds
from talkingphoto.integrations.video.engine import articulation, speech
from talkingphoto.integrations.video.port import (
    MOST_CHARACTERS,
    SHORT_SIDE,
    BlobRef,
    Checked,
    EngineFailure,
    EngineFault,
    EngineInfo,
    EngineRef,
    JobState,
    RenderRequest,
    ResultMeta,
    Tier,
)

ENGINE = "embedded"
VERSION = "1"
# Reading the photo, saying the text and writing the file, on two cores.
_AROUND_SECONDS = 1.0

_UNKNOWN = EngineFailure("job_unknown", "transient", "The engine was started anew. Try again.")
_NO_ROOM = EngineFailure(
    "engine_storage", "transient", "There is no room for the photo just now. Try again later."
)
_UNFINISHED = EngineFailure("job_unfinished", "fatal", "There is no video of this job.")


@dataclass(frozen=True)
class _Parts:
    """What is there once it was needed; threads of it wait, processes start when asked."""

    scratch: scratch.Scratch
    renders: renders.Renders
    checks: checks.Checks


class EmbeddedEngine:
    """The port over processes of this machine; files on their way lie below `folder`.

    Nothing starts before it is needed: who only checks has no render process, and the other way
    round. What a predecessor that was killed left in `folder` is removed.
    """

    def __init__(self, *, folder: Path, limits: renders.Limits | None = None) -> None:
        self._folder = folder
        self._limits = limits or renders.Limits()
        self._speeds = speeds.Speeds(folder / "speeds.json")
        self._starting = threading.Lock()
        self._parts: _Parts | None = None

    def info(self) -> EngineInfo:
        """What it can do; photos stay on this machine."""
        return EngineInfo(
            id=ENGINE,
            version=VERSION,
            mode="embedded",
            voices=speech.VOICES,
            tiers=tuple(SHORT_SIDE),
            max_chars=MOST_CHARACTERS,
            needs_public_url=False,
            data_region="this machine",
        )

    def estimate(self, *, text: str, voice: str, tier: Tier) -> tuple[float, float]:
        """From what the voice needs for the text, and the last videos of the tier needed."""
        silence = articulation.LEAD_SECONDS + articulation.TAIL_SECONDS
        video = silence + speech.estimated_seconds(text, voice_id=voice)
        return video, _AROUND_SECONDS + video * self._speeds.of(tier)

    def check(self, *, photo: bytes | None, text: str | None, voice: str) -> Checked:
        """Found by a process that does nothing else, so it never waits for a video."""
        try:
            return self._started().checks.checked(photo=photo, text=text, voice=voice)
        except OSError as fault:
            raise EngineFault(_NO_ROOM) from fault

    def submit(self, request: RenderRequest) -> EngineRef:
        """The photo has been copied and the job waits for its turn.

        One that was canceled or failed for a passing reason is made anew.
        """
        parts = self._started()
        # A folder for each try: what still runs of an earlier one must not touch this one's files.
        room = Path(tempfile.mkdtemp(dir=parts.scratch.room(request.job_id)))
        copied = room / "photo"
        try:
            shutil.copyfile(request.photo.path, copied)
            kept = dataclasses.replace(request, photo=BlobRef(copied, request.photo.sha256))
            taken = parts.renders.add(kept, room / "video.mp4")
        except (EngineFault, OSError):
            shutil.rmtree(room)
            raise
        if not taken:
            shutil.rmtree(room)
        return EngineRef(ENGINE, request.job_id)

    def poll(self, ref: EngineRef) -> JobState:
        """How far it is; a job of a process that is gone has failed and may be tried again."""
        return self._started().renders.state(ref.id) or JobState("failed", error=_UNKNOWN)

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[EngineRef, JobState] | None:
        """Always None: this engine calls nobody."""
        return None

    def fetch(self, ref: EngineRef, sink: Path) -> ResultMeta:
        """A copy of the video is in `sink` and was opened there."""
        video = self._started().renders.video(ref.id)
        if video is None:
            raise EngineFault(_UNFINISHED)
        shutil.copyfile(video, sink)
        return mp4.facts(sink)

    def cancel(self, ref: EngineRef) -> None:
        """It is canceled, and the process stops at the next picture."""
        self._started().renders.cancel(ref.id)

    def purge(self, ref: EngineRef) -> None:
        """Neither photo nor video are left, and the job is not known any more."""
        self._started().renders.forget(ref.id)
        self._started().scratch.empty(ref.id)

    def close(self) -> None:
        """No process and no file of this engine is left."""
        with self._starting:
            parts, self._parts = self._parts, None
        if parts is not None:
            parts.renders.close()
            parts.checks.close()
            parts.scratch.close()

    @property
    def process_ids(self) -> Mapping[children.Role, int]:
        """The processes at work for it at this moment."""
        parts = self._started()
        found: dict[children.Role, int | None] = {
            "check": parts.checks.process_id,
            "render": parts.renders.process_id,
        }
        return {role: number for role, number in found.items() if number is not None}

    def _started(self) -> _Parts:
        with self._starting:
            if self._parts is None:
                self._parts = _parts(self._folder, self._limits, self._speeds)
            return self._parts


def _parts(folder: Path, limits: renders.Limits, known: speeds.Speeds) -> _Parts:
    room = scratch.Scratch(folder)
    return _Parts(
        scratch=room,
        renders=renders.Renders(log_file=room.folder / "render.log", limits=limits, known=known),
        checks=checks.Checks(folder=room.folder, limits=limits),
    )
