"""What a click has done: a refusal stands beside its button, a success is said on the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st
import structlog
from streamlit.delta_generator import DeltaGenerator

from talkingphoto.foundation import errors
from ui import kit, messages

_SAID = "tp:done"
_AWAY = "We cannot reach our payment partner."
Answer = TypeVar("Answer")
log = structlog.get_logger()


@contextmanager
def refused_in(place: DeltaGenerator) -> Iterator[None]:
    """A refusal of what is done inside is said at that place; nothing else has happened then."""
    try:
        yield
    except errors.AppError as refusal:
        log.info("page.refused", code=refusal.code)
        # What only the bank can lift leads there.
        url = refusal.url if isinstance(refusal, errors.ActionRequired) else None
        with place:
            action = kit.out_button("Confirm with bank", url)
            kit.show(kit.notice(words_of(refusal), kind="bad", action=action))


def words_of(refusal: errors.AppError) -> str:
    """The sentence for that refusal: ours if we have one, or else the one it brings."""
    known = refusal.code in messages.codes()
    return messages.of(refusal.code).text if known else refusal.message


def or_none(ask: Callable[[], Answer]) -> Answer | None:
    """The answer, or None while somebody we depend on is away: the rest of the page still shows."""
    try:
        return ask()
    except errors.Unavailable as refusal:
        log.warning("page.part_missing", code=refusal.code)
        return None


def away(what: str) -> str:
    """In place of what cannot be shown while our payment partner does not answer."""
    return kit.notice(
        _AWAY, f"{what} Nothing was charged. Try again in a few minutes.", kind="warn"
    )


def say(title: str, text: str = "") -> None:
    """The next whole run of the page tells that this was done."""
    st.session_state[_SAID] = (title, text)


def said() -> None:
    """What was done last is told, once."""
    done: tuple[str, str] | None = st.session_state.pop(_SAID, None)
    if done is not None:
        kit.show(kit.notice(*done, kind="good"))
