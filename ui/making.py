"""The fields of a new video, and what of them is refused: a sentence beside each field."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from services import generation_service
from talkingphoto.integrations.video import port
from ui import kit, wording

KINDS = ("jpg", "jpeg", "png", "webp")
MOST_MEGABYTES = 12
_LOOK = "tp:look"


@dataclass(frozen=True)
class Photo:
    """A photo that was chosen, and what the look at it has found."""

    data: bytes
    digest: str
    report: generation_service.PhotoReport


@dataclass(frozen=True)
class Draft:
    """What has been filled in so far; `wrong` is what the service says of the text."""

    photo: Photo | None
    text: str
    voice: port.VoiceInfo
    tier: port.Tier | None
    consent: bool
    wrong: str

    @property
    def intent(self) -> str:
        """The same for the same video, so that asking twice is asking once."""
        digest = self.photo.digest if self.photo else ""
        parts = (digest, self.text, self.voice.id, str(self.tier))
        return "video:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def missing(self) -> dict[str, str]:
        """What keeps this from being a video: the field, and what to do about it."""
        found = {}
        if self.photo is None:
            found["photo"] = "Choose a photo first."
        elif self.photo.report.problem is not None:
            found["photo"] = self.photo.report.problem.message
        if self.wrong:
            found["text"] = self.wrong
        if not self.consent:
            found["consent"] = "Tick this box if it is so. Without it we cannot make the video."
        return found


def photo(user_id: str) -> Photo | None:
    """The chosen photo with what was seen in it, looked at once however often the page runs."""
    chosen = st.file_uploader("Photo", type=KINDS, max_upload_size=MOST_MEGABYTES, key="tp-photo")
    if chosen is None:
        return None
    data = chosen.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    kept: Photo | None = st.session_state.get(_LOOK)
    if kept is not None and kept.digest == digest:
        return kept
    with st.spinner("Looking for the face"):
        service = generation_service.generation_service
        found = Photo(data, digest, service.inspect_photo(user_id=user_id, photo=data))
    problem = found.report.problem
    # What is not the photo's fault is asked again: it may be over by then.
    if problem is None or field_of(problem.code) == "photo":
        st.session_state[_LOOK] = found
    return found


def words() -> str:
    """What was typed, as it was when the field was last left."""
    return st.text_area("What should it say?", key="tp-text", height=140) or ""


def voice(voices: tuple[port.VoiceInfo, ...]) -> port.VoiceInfo:
    """The chosen voice, the natural one first; a basic one is called so."""
    by_id = {one.id: one for one in voices}
    names = {one.id: _voice_name(one) for one in voices}
    picked = st.selectbox("Voice", list(by_id), format_func=names.__getitem__, key="tp-voice")
    return by_id[picked or voices[0].id]


def quality(
    choices: tuple[generation_service.TierChoice, ...], chosen: Photo | None
) -> port.Tier | None:
    """The chosen tier among those that plan and photo allow, with what the others need."""
    enough = chosen.report.tiers if chosen is not None else ()
    open_to: list[generation_service.TierChoice] = []
    needs = []
    for choice in choices:
        if not choice.allowed:
            needs.append(f"{choice.tier}: {choice.why}")
        elif enough and choice.tier not in enough:
            needs.append(f"{choice.tier}: needs a photo in which the face is larger.")
        else:
            open_to.append(choice)
    picked = _pick(open_to)
    if needs:
        lines = "".join(f"<li>{kit.icon('lock')}<span>{kit.esc(n)}</span></li>" for n in needs)
        kit.show(f'<ul class="tp-needs">{lines}</ul>')
    return picked


def consent(declaration: str, chosen: Photo | None) -> bool:
    """Whether the declaration was made for this very photo."""
    about = chosen.digest[:16] if chosen else "none"
    return st.checkbox(declaration, key=f"tp-consent-{about}")


def count(text: str, estimate: generation_service.Estimate | None) -> str:
    """How long the text is, and the video it makes."""
    said = len(text.strip())
    length = f"{said:,} of {port.MOST_CHARACTERS} characters"
    kind = " tp-count--over" if said > port.MOST_CHARACTERS else ""
    rest = ""
    if estimate is not None:
        rest = (
            f"<span>{wording.about(estimate.video_seconds)} of video, "
            f"ready in {wording.about(estimate.making_seconds)}</span>"
        )
    return f'<p class="tp-count{kind}"><span>{length}</span>{rest}</p>'


def error(sentence: str) -> None:
    """The sentence stands here, beside its field, and is read out."""
    kit.show(
        f'<p class="tp-error" role="alert">{kit.icon("error")}<span>{kit.esc(sentence)}</span></p>'
    )


def field_of(code: str) -> str:
    """The field that a refusal with this code is about; `form` when it is about none."""
    name = code.removeprefix("video.")
    for field_name, beginnings in _FIELDS.items():
        if name.startswith(beginnings):
            return field_name
    return "form"


_FIELDS = {
    "photo": (
        *("not_an", "unsupported", "truncated", "file", "image", "photo", "animated"),
        *("no_face", "several", "face"),
    ),
    "text": ("text", "voice", "video_too_long", "content", "moderation"),
    "consent": ("consent",),
}


def _voice_name(voice: port.VoiceInfo) -> str:
    return voice.name if voice.basic else f"{voice.language}: {voice.name} (natural voice)"


def _pick(choices: list[generation_service.TierChoice]) -> port.Tier | None:
    if not choices:
        return None
    names = [choice.tier for choice in choices]
    marked = {choice.tier for choice in choices if choice.watermark}
    picked: port.Tier | None = st.radio(
        "Quality",
        names,
        index=len(names) - 1,
        captions=["With our mark" if name in marked else "Without our mark" for name in names],
        key="tp-tier",
        horizontal=True,
    )
    return picked
