"""The frame that will speak and the cards of the gallery: HTML that shows what is true."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from datetime import datetime, tzinfo

from services import generation_service
from ui import kit, wording

STAGES = {
    "waiting": "Waiting for its turn",
    "photo": "Looking at the photo",
    "voice": "Speaking the words",
    "frames": "Moving the face",
    "finishing": "Finishing the video",
}
UNDER_WAY = frozenset({"queued", "rendering"})
_WORDS_SHOWN = 90


@dataclass(frozen=True)
class Links:
    """Where a video of the gallery plays, where its picture is, and where it is downloaded."""

    video: str
    poster: str
    download: str


@dataclass(frozen=True)
class Said:
    """What a card has to know beside its video: the reader's zone, the time, our address."""

    zone: tzinfo
    now: datetime
    web_url: str
    playable: bool


def frame(preview: bytes | None, words: str, *, seconds: float | None) -> str:
    """The picture that will speak, with its words and about how long it will be."""
    if preview is None:
        picture = (
            f'<div class="tp-frame__none">{kit.icon("add_a_photo")}'
            "<span>Your photo appears here.</span></div>"
        )
    else:
        picture = (
            f'<div class="tp-frame__pic"><img src="{_data(preview)}" '
            f'alt="The part of your photo that will speak">'
            f"{kit.badge('Face found', 'good', 'check')}</div>"
        )
    length = f"about {wording.clock(seconds)}" if seconds else ""
    said = f"“{kit.esc(_shortened(words))}”" if words.strip() else "Your words appear here."
    kind = " tp-frame--empty" if preview is None else ""
    return (
        f'<figure class="tp-frame tp-frame--yours{kind}">{picture}<figcaption>'
        f'{kit.wave(32, said=0)}<span class="tp-frame__note">{length}</span>'
        f'<p class="tp-frame__said">{said}</p></figcaption></figure>'
    )


def picture(video: generation_service.VideoView, links: Links | None, kept: bytes | None) -> str:
    """The player of a ready video; of another its picture, as far as this tab still has it."""
    if video.state == "ready" and links is not None:
        return f'<div class="tp-video__pic">{_player(video, links)}</div>'
    inner = (
        f'<img src="{_data(kept)}" alt="">'
        if kept
        else f'<div class="tp-video__blank">{kit.icon("face")}</div>'
    )
    return f'<div class="tp-video__pic is-still is-{video.state}">{inner}</div>'


def caption(video: generation_service.VideoView, said: Said) -> str:
    """What the video says, when it was asked for, and how it stands with it."""
    length = f"{wording.clock(video.seconds)}, " if video.seconds else ""
    return (
        f'{_over(video, said)}<p class="tp-video__words">{kit.esc(video.text)}</p>'
        f'<p class="tp-video__note"><span>{wording.moment(video.created_at, said.zone)}</span>'
        f"<span>{length}{kit.esc(video.tier)}</span></p>{_state(video, said)}"
    )


def download_link(video: generation_service.VideoView, links: Links) -> str:
    """A link that saves the video as a file."""
    name = f"Download “{_shortened(video.text, 40)}”"
    return (
        f'<a class="tp-act" href="{kit.esc(links.download)}" download '
        f'aria-label="{kit.esc(name)}">Download</a>'
    )


def left_in_words(seconds: int | None) -> str:
    """How long it still takes, as a person would say it; empty when nobody can."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "almost done"
    if seconds < 90:
        return f"about {seconds} second{'' if seconds == 1 else 's'} left"
    return f"about {math.ceil(seconds / 60)} minutes left"


def _over(video: generation_service.VideoView, said: Said) -> str:
    """What lies over the lower edge of the picture: the state in a word, and the bar."""
    if video.state in UNDER_WAY:
        percent = round(100 * max(0.0, min(1.0, video.progress)))
        label = "Waiting" if video.state == "queued" else f"Making {percent} %"
        return (
            f'<div class="tp-video__over">{kit.badge(label, "info")}'
            f'<progress class="tp-bar" aria-label="{_stage(video)}" value="{percent}" max="100">'
            f"{percent} %</progress></div>"
        )
    if video.state == "failed":
        mark = kit.badge("Not made", "bad", "error")
    elif video.state == "canceled":
        mark = kit.badge("Cancelled", "", "block")
    elif not said.playable:
        mark = kit.badge("Gone", "", "delete")
    else:
        return ""
    return f'<div class="tp-video__over">{mark}</div>'


def _state(video: generation_service.VideoView, said: Said) -> str:
    if video.state in UNDER_WAY:
        left = left_in_words(video.seconds_left)
        words = f"{_stage(video)}, {left}." if left else f"{_stage(video)}."
        return f'<p class="tp-video__note"><span>{words}</span></p>'
    if video.state == "canceled":
        return '<p class="tp-video__why">You stopped it. It is back on your account.</p>'
    if video.state == "failed":
        why = video.problem.message if video.problem else "This video could not be made."
        what = "It" if "This video" in why else "Your video"
        back = "" if "back on your account" in why else f" {what} is back on your account."
        return f'<p class="tp-video__why is-bad">{kit.esc(why)}{back}</p>'
    if not said.playable:
        expired = video.kept_until is not None and video.kept_until <= said.now
        why = (
            "Its time here is over, and its file is deleted."
            if expired
            else "It was reported, and we have taken it down."
        )
        return f'<p class="tp-video__why">{why}</p>'
    until = f"Kept until {wording.day(video.kept_until, said.zone)}" if video.kept_until else ""
    report = f"{said.web_url}/report/{video.id}"
    return (
        f'<p class="tp-video__note"><span>{until}</span><a class="tp-quiet" '
        f'href="{kit.esc(report)}" aria-label="Report this video">Report</a></p>'
    )


def _stage(video: generation_service.VideoView) -> str:
    if video.state == "rendering" and video.stage == "waiting":
        return "Getting ready"  # It is its turn; the engine has not said anything yet.
    return STAGES.get(video.stage, "Making the video")


def _player(video: generation_service.VideoView, links: Links) -> str:
    size = f' width="{video.width}" height="{video.height}"' if video.width else ""
    length = wording.clock(video.seconds or 0)
    return (
        f'<video controls preload="none" playsinline poster="{kit.esc(links.poster)}"'
        f'{size} aria-label="Video, {length} long" src="{kit.esc(links.video)}"></video>'
    )


def _data(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _shortened(words: str, most: int = _WORDS_SHOWN) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"
