"""A decision of staff: a reason, a button, and a word on what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from talkingphoto.foundation import errors
from ui import kit

Act = Callable[[str], object]
_SAID = "tp:office:said"


def decide(key: str, acts: Mapping[str, Act]) -> None:
    """A field for the reason and a button for each thing that can be decided."""
    with st.form(key, border=False, clear_on_submit=False):
        reason = st.text_input("Reason", key=f"{key}:reason", max_chars=500)
        with st.container(horizontal=True):
            pressed = [name for name in acts if st.form_submit_button(name, key=f"{key}:{name}")]
    for name in pressed:
        act(name, lambda name=name: acts[name](reason))  # type: ignore[misc]


def act(name: str, verb: Callable[[], object]) -> None:
    """It was done, or the refusal is said; the page is drawn anew with either."""
    try:
        verb()
    except errors.AppError as refusal:
        st.session_state[_SAID] = ("bad", refusal.message)
    else:
        st.session_state[_SAID] = ("good", f"{name}: done.")
    st.rerun()


def said() -> None:
    """What came of the last decision, once."""
    kind, words = st.session_state.pop(_SAID, ("", ""))
    if words:
        kit.show(kit.notice(words, kind=kind))
