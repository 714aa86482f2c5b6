"""Who is looking at the page: asked of the database on every run, never remembered here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from services import auth_service, payment_service
from talkingphoto import runtime
from ui import repeating

SESSION_COOKIE = "__Host-tp_session"
EMAIL_COOKIE = "__Host-tp_email"
_OWNER = "tp:owner"
_ENDED = "tp:ended"
_INTENTS = "tp:intents"


@dataclass(frozen=True)
class Visit:
    """One run of a page: who asks, what they hold, where forms go, whose clock they read, and
    whether the office is open to them."""

    user: auth_service.User | None
    account: payment_service.AccountView | None
    app_url: str
    web_url: str
    sandbox: bool
    zone: tzinfo
    zone_name: str | None
    works_here: bool = False

    @property
    def user_id(self) -> str | None:
        """The id services are asked with."""
        return self.user.id if self.user else None


def read_session_cookie() -> str | None:
    """The token of this browser, as it was when the page connected."""
    return st.context.cookies.get(SESSION_COOKIE)


def read_email_cookie() -> str:
    """The e-mail typed into a form that was just refused."""
    return st.context.cookies.get(EMAIL_COOKIE) or ""


def begin() -> Visit:
    """The visit as it is now; what an earlier person left in this tab is gone."""
    people = auth_service.auth_service
    user = people.current_user(read_session_cookie())
    _forget_others(user.id if user else None)
    settings = runtime.current().settings
    zone, zone_name = _zone()
    return Visit(
        user=user,
        account=payment_service.payment_service.account(user.id) if user else None,
        app_url=settings.app_url,
        web_url=settings.web_url,
        sandbox=settings.sandbox,
        zone=zone,
        zone_name=zone_name,
        works_here=user is not None and people.role_of(user.id) != "customer",
    )


def ended_elsewhere() -> bool:
    """Whether this tab was signed in and its session has ended since."""
    return bool(st.session_state.get(_ENDED))


def watch(user_id: str) -> None:
    """The whole page runs again within a second or so of the session ending in another window."""
    repeating.keep_running(leave_unless, "1s", user_id)


def leave_unless(user_id: str) -> None:
    """A fragment that asks by itself goes no further once that person is no longer signed in."""
    # Cookies are frozen when the page connects, so only the database knows that a session ended.
    user = auth_service.auth_service.current_user(read_session_cookie(), active=False)
    if user is None or user.id != user_id:
        st.rerun()


def request_id(intent: str) -> str:
    """The id of this intent: the same on every rerun, so a double click is one request."""
    minted: dict[str, str] = st.session_state.setdefault(_INTENTS, {})
    if intent not in minted:
        minted[intent] = runtime.current().new_id()
    return minted[intent]


def retire(intent: str) -> None:
    """The intent has been carried out; the next time it is a new one."""
    st.session_state.get(_INTENTS, {}).pop(intent, None)


def _forget_others(here: str | None) -> None:
    # A reconnecting browser may resume the state of a tab that somebody else was signed in to.
    before = st.session_state.get(_OWNER)
    if before is not None and before != here:
        st.session_state.clear()
        st.session_state[_ENDED] = here is None
    st.session_state[_OWNER] = here


def _zone() -> tuple[tzinfo, str | None]:
    """The reader's time zone and its name, or UTC and None when the browser tells none we know."""
    name = st.context.timezone
    if not name:
        return UTC, None
    try:
        return ZoneInfo(name), name
    except (ZoneInfoNotFoundError, ValueError):
        return UTC, None
