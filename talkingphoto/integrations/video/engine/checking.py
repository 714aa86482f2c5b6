"""Whether a photo and a text can become a video, found out before anything is paid."""

from __future__ import annotations

from talkingphoto.integrations.video.engine import examine, faces, speech
from talkingphoto.integrations.video.port import Checked, EngineFailure, EngineFault


def check(
    *, content: bytes | None, text: str | None, voice: str, finder: faces.FaceFinder
) -> Checked:
    """Every reason against a video at once, and what was seen in the photo."""
    failures: list[EngineFailure] = []
    finding = None
    if content is not None:
        try:
            finding = examine.examine(content, finder=finder)
        except EngineFault as fault:
            failures.append(fault.failure)
    if text is not None and (failure := _refusal(text, voice)):
        failures.append(failure)
    return Checked(tuple(failures), finding)


def _refusal(text: str, voice: str) -> EngineFailure | None:
    try:
        return speech.speakable(text, voice_id=voice)
    except EngineFault as fault:
        return fault.failure
