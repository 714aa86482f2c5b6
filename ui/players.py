"""The frame that will speak and the cards of the gallery: HTML that shows what is true."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from datetime import tzinfo

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


def frame(preview: bytes | None, words: str, *, seconds: float | None) -> str:
    """The picture that will speak, with its words and about how long it will be."""
    if preview is None:
        picture = (
            f'<div class="tp-frame__none">{kit.icon("add_a_photo")}'
            "<span>Your photo appears here.</span></div>"
        )
    else:
        data = base64.b64encode(preview).decode()
        picture = (
            f'<div class="tp-frame__pic"><img src="data:image/jpeg;base64,{data}" '
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


def card(video: generation_service.VideoView, links: Links | None, zone: tzinfo) -> str:
    """One video of the gallery in the state it is in."""
    shown, note = _shown(video, links, zone)
    kind = "busy" if video.state in UNDER_WAY else video.state
    length = f"{wording.clock(video.seconds)}, " if video.seconds else ""
    return (
        f'<article class="tp-video is-{kind}" aria-label="{kit.esc(_shortened(video.text, 60))}">'
        f'<div class="tp-video__pic">{shown}</div>'
        f'<p class="tp-video__words">{kit.esc(video.text)}</p>'
        f'<p class="tp-video__note"><span>{wording.moment(video.created_at, zone)}</span>'
        f"<span>{length}{kit.esc(video.tier)}</span></p>{note}</article>"
    )


def download_link(video: generation_service.VideoView, links: Links) -> str:
    """A link that saves the video as a file."""
    name = f"Download “{_shortened(video.text, 40)}”"
    return (
        f'<a class="tp-act" href="{kit.esc(links.download)}" download aria-label="{kit.esc(name)}">'
        f"{kit.icon('download')}Download</a>"
    )


def report_link(video: generation_service.VideoView, *, web_url: str) -> str:
    """The public page on which anybody may report this video."""
    return (
        f'<a class="tp-act tp-act--quiet" href="{kit.esc(web_url)}/report/{kit.esc(video.id)}" '
        f'aria-label="Report this video">{kit.icon("flag")}Report</a>'
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


def _shown(
    video: generation_service.VideoView, links: Links | None, zone: tzinfo
) -> tuple[str, str]:
    """The picture of a card, and what is said under its words."""
    if video.state == "ready" and links is not None:
        return _player(video, links), _kept(video, zone)
    if video.state in UNDER_WAY:
        return _bar(video, links), _left(video)
    return _not_made(video, links), _reason(video)


def _player(video: generation_service.VideoView, links: Links) -> str:
    size = f' width="{video.width}" height="{video.height}"' if video.width else ""
    length = wording.clock(video.seconds or 0)
    return (
        f'<video controls preload="none" playsinline poster="{kit.esc(links.poster)}"'
        f'{size} aria-label="Video, {length} long" src="{kit.esc(links.video)}"></video>'
    )


def _bar(video: generation_service.VideoView, links: Links | None) -> str:
    percent = round(100 * max(0.0, min(1.0, video.progress)))
    waiting = video.state == "queued"
    label = "Waiting" if waiting else f"Making {percent} %"
    return (
        f"{_poster(links)}{kit.badge(label, 'info')}"
        f'<progress class="tp-bar" aria-label="{STAGES.get(video.stage, "Making the video")}" '
        f'value="{percent}" max="100">{percent} %</progress>'
    )


def _not_made(video: generation_service.VideoView, links: Links | None) -> str:
    if video.state == "ready":
        return f"{_poster(links)}{kit.badge('Deleted', '', 'delete')}"
    if video.state == "canceled":
        return f"{_poster(links)}{kit.badge('Cancelled', '', 'block')}"
    return f"{_poster(links)}{kit.badge('Not made', 'bad', 'error')}"


def _poster(links: Links | None) -> str:
    if links is None:
        return f'<div class="tp-video__blank">{kit.icon("face")}</div>'
    return f'<img src="{kit.esc(links.poster)}" alt="">'


def _kept(video: generation_service.VideoView, zone: tzinfo) -> str:
    if video.kept_until is None:
        return ""
    until = wording.day(video.kept_until, zone)
    return f'<p class="tp-video__note"><span>Kept until {until}</span></p>'


def _left(video: generation_service.VideoView) -> str:
    stage = STAGES.get(video.stage, "Making the video")
    left = left_in_words(video.seconds_left)
    words = f"{stage}, {left}" if left else stage
    return f'<p class="tp-video__note"><span>{words}.</span></p>'


def _reason(video: generation_service.VideoView) -> str:
    if video.state == "canceled":
        return '<p class="tp-video__why">You stopped it. It is back on your account.</p>'
    if video.state == "ready":
        return '<p class="tp-video__why">Its files are deleted.</p>'
    why = video.problem.message if video.problem else "This video could not be made."
    back = "" if "back on your account" in why else " It is back on your account."
    return f'<p class="tp-video__why">{kit.esc(why)}{back}</p>'


def _shortened(words: str, most: int = _WORDS_SHOWN) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"
