"""Parts of a page that run again by themselves, so that none of their runs can undo another."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from talkingphoto import runtime

Given = ParamSpec("Given")


def keep_running(
    job: Callable[Given, None], every: str, *args: Given.args, **kwargs: Given.kwargs
) -> None:
    """The job has drawn its part of the page, and does so again at every interval ("1s")."""

    @wraps(job)
    def run() -> None:
        job(*args, **kwargs)

    # Streamlit names a fragment by its function. A tick that arrives just as a run of the whole
    # page has ended makes it throw away what that run drew (app_session.py: events "from
    # non-current ScriptRunner"), and the reader would keep the old page for ever. With a name for
    # each run, such a tick asks for a fragment that is no more, and is refused before it harms.
    run.__qualname__ = f"{job.__qualname__}:{runtime.current().new_id()}"
    st.fragment(run, run_every=every)()
