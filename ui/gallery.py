"""The videos of a customer: playing, under way, or not made; what is under way moves by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import streamlit as st

from services import generation_service
from talkingphoto import runtime
from talkingphoto.foundation import errors
from ui import kit, once, players, repeating, session, trouble

PAGE = 12
# What is under way is looked at every second; otherwise only another window changes anything.
_BUSY, _CALM = "1s", "20s"
_ASKED = "tp:asked"
_OLDER = "tp:older"
_SAID = "tp:said"
_LINKS = "tp:links"
_CAUGHT_UP = "tp:caught-up"
# Half of what a link is good for: one that is on a page works for as long again.
_RENEW = timedelta(minutes=30)


def show(visit: session.Visit, user_id: str) -> None:
    """The gallery is on the page and keeps itself current, also when another window changes it."""
    view = _look(user_id)
    _catch_up(visit, view)
    every = _BUSY if _busy(view) else _CALM
    repeating.keep_running(_gallery, every, visit, user_id, _facts(view))


def _catch_up(visit: session.Visit, view: generation_service.StudioView) -> None:
    """The counts above are those of the gallery, at the price of one more run.

    A video may end between the two looks of one run, and no later look would find a change."""
    assert visit.account is not None, "the gallery is of somebody signed in"
    above = visit.account.credits.available, visit.account.credits.held
    again = st.session_state.pop(_CAUGHT_UP, False)
    if above != (view.available, view.held) and not again:
        st.session_state[_CAUGHT_UP] = True
        st.rerun()


def quiet() -> None:
    """What was said above the gallery is over."""
    st.session_state.pop(_SAID, None)


def _gallery(visit: session.Visit, user_id: str, before: tuple[int, int, int]) -> None:
    """One look; the whole page follows when what stands above the gallery has changed."""
    with trouble.shown():
        session.leave_unless(user_id)
        view = _look(user_id)
        if _facts(view) != before:
            st.rerun()
        _head(view)
        with st.container(key="tp-gallery"):
            for video in view.videos:
                with st.container(key=f"tp-video-{video.id}"):
                    _video(visit, user_id, video)
        _pages(view)


def _look(user_id: str) -> generation_service.StudioView:
    older = _older()
    return generation_service.generation_service.studio(
        user_id, limit=PAGE, before=older[-1] if older else None
    )


def _facts(view: generation_service.StudioView) -> tuple[int, int, int]:
    """What the rest of the page depends on: the counts above, and how often to look."""
    return view.available, view.held, _busy(view)


def _busy(view: generation_service.StudioView) -> int:
    return sum(video.state in players.UNDER_WAY for video in view.videos)


def _head(view: generation_service.StudioView) -> None:
    busy = _busy(view)
    note = f"{busy} under way. You can close this page." if busy else ""
    kit.show(
        '<div class="tp-row tp-row--between tp-videos-head"><h2 class="tp-h2" id="videos">'
        f'Your videos</h2><span class="tp-muted">{note}</span></div>'
    )
    said = st.session_state.get(_SAID)
    if said:
        kit.show(kit.notice(said[0], kind=said[1]))
    if not view.videos and not _older():
        kit.show(kit.empty("No videos yet. Your first takes about a minute."))


def _video(visit: session.Visit, user_id: str, video: generation_service.VideoView) -> None:
    """The card of a video and what can be done with it."""
    links = _links(visit, user_id, video)
    now = runtime.current().clock()
    said = players.Said(visit.zone, now, visit.web_url, playable=links is not None)
    # Two blocks: the picture, and the player in it, stay as they are while the rest moves.
    kit.show(players.picture(video, links, once.picture(video.id)))
    kit.show(players.caption(video, said))
    if st.session_state.get(_ASKED) == video.id:
        _confirm_delete(user_id, video)
        return
    with st.container(key=f"tp-acts-{video.id}", horizontal=True, gap="small"):
        if video.state in players.UNDER_WAY:
            if _pressed("Cancel", video):
                _do(lambda: _service().cancel(user_id=user_id, generation_id=video.id))
            return
        if links is not None:
            st.html(players.download_link(video, links), width="content")
        _again(user_id, video)
        if _pressed("Delete", video):
            st.session_state[_ASKED] = video.id
            st.rerun(scope="fragment")


def _again(user_id: str, video: generation_service.VideoView) -> None:
    """Made once more for nothing where that is so; otherwise its words go back into the form."""
    if video.can_remake_free:
        if _pressed("Again for free", video):
            _remake(user_id, video)
    else:
        label = "Use again" if video.state == "ready" else "Try again"
        pressed = st.button(
            label,
            key=f"tp-{label}-{video.id}",
            type="tertiary",
            on_click=_fill_in,
            args=(video.text, video.voice),
        )
        if pressed:
            st.rerun()  # the form is outside of this fragment


def _remake(user_id: str, video: generation_service.VideoView) -> None:
    intent = f"again:{video.id}"

    def ask() -> None:
        made = _service().remake(
            user_id=user_id, generation_id=video.id, request_id=session.request_id(intent)
        )
        once.remember(intent, made.id)

    _do(ask)


def _confirm_delete(user_id: str, video: generation_service.VideoView) -> None:
    kit.show('<p class="tp-video__why">Delete it for good? It cannot be brought back.</p>')
    with st.container(key=f"tp-acts-{video.id}", horizontal=True, gap="small"):
        if _pressed("Delete for good", video):
            st.session_state.pop(_ASKED, None)
            _do(lambda: _service().delete(user_id=user_id, generation_id=video.id))
        if _pressed("Keep it", video):
            st.session_state.pop(_ASKED, None)
            st.rerun(scope="fragment")


def _pressed(label: str, video: generation_service.VideoView) -> bool:
    return st.button(label, key=f"tp-{label}-{video.id}", type="tertiary")


def _do(verb: Callable[[], object]) -> None:
    """The whole page as it is after that; a refusal stands above the gallery until the next."""
    quiet()
    try:
        verb()
    except errors.AppError as refusal:
        st.session_state[_SAID] = (refusal.message, "bad")
    st.rerun()


def _fill_in(text: str, voice: str) -> None:
    """The form holds these words and this voice, and the gallery says so."""
    st.session_state["tp-text"] = text
    st.session_state["tp-voice"] = voice
    st.session_state[_SAID] = ("Its words are in the form above.", "info")


def _links(
    visit: session.Visit, user_id: str, video: generation_service.VideoView
) -> players.Links | None:
    """Where its files are, the same for a while: a new address would stop a video that plays."""
    if video.state != "ready" or not video.has_files:
        return None
    kept: dict[str, tuple[datetime, players.Links]] = st.session_state.setdefault(_LINKS, {})
    now = runtime.current().clock()
    made_at, links = kept.get(video.id, (None, None))
    if links is None or made_at is None or now - made_at > _RENEW:
        links = _new_links(visit, user_id, video.id)
        kept[video.id] = (now, links)
    return links


def _new_links(visit: session.Visit, user_id: str, generation_id: str) -> players.Links:
    def address(kind: Literal["video", "poster"], **more: str) -> str:
        token = _service().media_token(user_id=user_id, generation_id=generation_id, kind=kind)
        return kit.query(f"{visit.web_url}/media/{generation_id}/{kind}", token=token, **more)

    return players.Links(
        video=address("video"), poster=address("poster"), download=address("video", download="1")
    )


def _pages(view: generation_service.StudioView) -> None:
    """The way to older videos and back."""
    older = _older()
    if not older and not view.more:
        return
    with st.container(key="tp-pages", horizontal=True):
        if older and st.button("Newer videos", key="tp-newer"):
            older.pop()
            st.rerun(scope="fragment")
        if view.more and st.button("Older videos", key="tp-older"):
            older.append(view.videos[-1].id)
            st.rerun(scope="fragment")


def _older() -> list[str]:
    """The last video of each page that was turned, so that the way back is known."""
    turned: list[str] = st.session_state.setdefault(_OLDER, [])
    return turned


def _service() -> generation_service.GenerationService:
    return generation_service.generation_service
