"""What stands between a new account and its free videos, and the button that helps."""

from __future__ import annotations

from services import auth_service
from ui import kit, session


def notice(visit: session.Visit) -> str:
    """The sentence and its button, while there is anything to do or to know; else nothing."""
    if visit.user is None:
        return ""
    free = auth_service.auth_service.free_videos(visit.user.id)
    if not free.words:
        return ""
    if free.state != "to_confirm":
        return kit.notice("Your free videos.", free.words, kind="warn") + _GAP
    action = kit.post_button(
        "Send the link again", f"{visit.web_url}/auth/verify/resend", name="Send the link again"
    )
    words = f"We sent a link to {visit.user.email}. It works for an hour."
    return kit.notice(free.words, words, kind="warn", action=action) + _GAP


_GAP = '<div style="height:16px"></div>'
