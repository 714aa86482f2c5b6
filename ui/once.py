"""What this tab remembers of the videos it asked for, so that each is asked for once."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from services import generation_service
from ui import session

_MADE = "tp:made"
_PICTURES = "tp:pictures"
_MOST_PICTURES = 12
_GONE_WRONG = frozenset({"failed", "canceled"})


def made(intent: str) -> str | None:
    """The id of the video that this intent has become, unless it came to nothing."""
    return _all().get(intent)


def remember(intent: str, generation_id: str) -> None:
    """The intent is that video from now on; asking again is asking for the same."""
    # Not retired at once: the second press of a double click would be a second video.
    _all()[intent] = generation_id


def settle(videos: Iterable[generation_service.VideoView]) -> None:
    """An intent whose video was not made, or is gone, may be asked for anew."""
    alive = {video.id for video in videos if video.state not in _GONE_WRONG}
    for intent, generation_id in list(_all().items()):
        if generation_id not in alive:
            session.retire(intent)
            del _all()[intent]


def keep_picture(generation_id: str, preview: bytes | None) -> None:
    """This tab shows what is being made of the photo; no address of ours leads to it."""
    if preview is not None:
        kept = _pictures()
        kept[generation_id] = preview
        for oldest in list(kept)[:-_MOST_PICTURES]:
            del kept[oldest]


def picture(generation_id: str) -> bytes | None:
    """The preview that was kept for that video, in the tab that asked for it."""
    return _pictures().get(generation_id)


def _pictures() -> dict[str, bytes]:
    kept: dict[str, bytes] = st.session_state.setdefault(_PICTURES, {})
    return kept


def _all() -> dict[str, str]:
    kept: dict[str, str] = st.session_state.setdefault(_MADE, {})
    return kept
