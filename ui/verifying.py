"""What stands between a new account and its free videos, and the button that helps."""

from __future__ import annotations

import streamlit as st

from services import auth_service
from ui import kit, session

_GAP = '<div style="height:16px"></div>'


def said() -> str:
    """What came of the link that was just used, or of asking for another one; else nothing."""
    if st.query_params.get("confirmed") == "granted":
        words = kit.notice("Your e-mail is confirmed.", "3 free videos are ready.", kind="good")
    elif "confirmed" in st.query_params:
        words = kit.notice("Your e-mail is confirmed.", kind="good")
    elif "sent" in st.query_params:
        words = kit.notice("Another link is on its way.", "It works for an hour.")
    else:
        return ""
    return words + _GAP


def notice(visit: session.Visit) -> str:
    """The sentence and its button, while there is anything to do or to know; else nothing."""
    if visit.user is None:
        return ""
    free = auth_service.auth_service.free_videos(visit.user.id)
    if free.state == "to_confirm":
        return _ask(visit.user.email, free.words, visit.web_url)
    return kit.notice("Your free videos.", free.words, kind="warn") + _GAP if free.words else ""


def ask(visit: session.Visit) -> str:
    """The same for somebody who has only to confirm their address; nothing for all others."""
    if visit.user is None:
        return ""
    free = auth_service.auth_service.free_videos(visit.user.id)
    return _ask(visit.user.email, free.words, visit.web_url) if free.state == "to_confirm" else ""


def _ask(email: str, words: str, web_url: str) -> str:
    again = kit.post_button(
        "Send the link again", f"{web_url}/auth/verify/resend", name="Send the link again"
    )
    sent = f"We sent a link to {email}. It works for an hour."
    return kit.notice(words, sent, kind="warn", action=again) + _GAP
