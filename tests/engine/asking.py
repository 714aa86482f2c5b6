"""Videos to ask an engine for: a drawn person, and a text of a second."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from talkingphoto.integrations.video.port import (
    ENDED,
    BlobRef,
    EngineRef,
    JobState,
    RenderRequest,
    TalkingPhotoEngine,
    Tier,
)
from tests.support import synthetic_face
from tests.support.running import wait_until

SHORT = "Hello there."
# More than half a minute: what happens to it happens before it is done.
LONG = " ".join(["This is a long text and nobody will ever hear the end of it."] * 9)


@cache
def portrait() -> bytes:
    """A PNG of a person who is nobody, large enough for every tier but 1080p."""
    return synthetic_face.png(synthetic_face.portrait(640))


def asked(
    folder: Path,
    *,
    job_id: str = "job",
    text: str = SHORT,
    tier: Tier = "540p",
    watermark: str | None = None,
    photo: bytes | None = None,
) -> RenderRequest:
    """A request whose photo is a file in the folder."""
    path = folder / f"{job_id}.photo"
    path.write_bytes(portrait() if photo is None else photo)
    return RenderRequest(
        job_id=job_id,
        photo=BlobRef(path, ""),
        text=text,
        language="English",
        voice="en-heart",
        tier=tier,
        watermark=watermark,
        seed=7,
        max_seconds=60,
    )


def ended(engine: TalkingPhotoEngine, ref: EngineRef) -> JobState:
    """The state in which the job ends."""
    wait_until(lambda: engine.poll(ref).status in ENDED, why=lambda: str(engine.poll(ref)))
    return engine.poll(ref)


def drawing(engine: TalkingPhotoEngine, ref: EngineRef) -> None:
    """The job's pictures are being drawn."""
    wait_until(lambda: engine.poll(ref).stage == "frames", why=lambda: str(engine.poll(ref)))
