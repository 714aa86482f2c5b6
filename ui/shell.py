"""What stands round every page: sandbox strip, header, notices, footer; and which page it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from talkingphoto import runtime
from ui import (
    account,
    changing,
    details,
    doors,
    ending,
    invoices,
    kit,
    legal,
    messages,
    pausing,
    pricing,
    returning,
    session,
    standing,
    studio,
    trouble,
    wallet,
    wording,
)
from ui.admin import office

# Where the menu still says "Account".
_BELOW_ACCOUNT = frozenset(
    {
        changing.PATH,
        "/cancel-plan",
        "/pause-plan",
        wallet.PATH,
        invoices.PATH,
        details.PATH,
    }
)
View = Callable[[session.Visit], None]


def run() -> None:
    """The page that the address names is shown to whoever is asking now."""
    kit.stylesheet()
    with trouble.shown():
        visit = session.begin()
        home, mine, making, desk, *others = _pages(visit)
        page = st.navigation([home, mine, making, desk, *others], position="hidden")
        st.set_page_config(
            page_title=f"{page.title} · TalkingPhoto",
            page_icon=kit.FAVICON,
            layout="wide",
            initial_sidebar_state="collapsed",
        )
        menu = {making: "movie", home: "sell", mine: "receipt_long"}
        if visit.works_here:
            menu[desk] = "work"
        _header(visit, menu=menu, here=page)
        _notices()
        if page is not mine:
            standing.everywhere(visit)
        with trouble.shown():
            page.run()
        _footer()
        if visit.user:
            with st.container(key="tp-watch"):
                session.watch(visit.user.id)


def _pages(visit: session.Visit) -> list[StreamlitPage]:
    # No icon: Streamlit would fetch it from Google's servers to make it the tab's picture.
    def at(path: str, title: str, show: View) -> StreamlitPage:
        return st.Page(
            partial(show, visit),
            title=title,
            url_path=path,
            default=not path,
        )

    return [
        at("", "Plans", pricing.page),
        at("account", "Account", account.page),
        at("studio", "Studio", studio.page),
        at("office", "Office", office.page),
        at("change-plan", "Change plan", changing.page),
        at("cancel-plan", "Cancel plan", ending.page),
        at("pause-plan", "Pause plan", pausing.page),
        at("videos-left", "Videos left", wallet.page),
        at("invoices", "Invoices", invoices.page),
        at("billing-details", "Billing details", details.page),
        at("sign-in", "Sign in", doors.sign_in),
        at("sign-up", "Create account", doors.sign_up),
        at("success", "Payment", returning.success),
        at("cancel", "Nothing was charged", returning.cancel),
        at("terms", "Terms of use", legal.terms),
        at("privacy", "Privacy", legal.privacy),
        at("refunds", "Refunds", legal.refunds),
        at("contact", "Contact", legal.contact),
    ]


def _header(visit: session.Visit, *, menu: dict[StreamlitPage, str], here: StreamlitPage) -> None:
    below = f"/{here.url_path}" in _BELOW_ACCOUNT
    if visit.sandbox:
        kit.show(
            f'<div class="tp-sandbox" role="note">{kit.icon("science")}'
            "<span>Sandbox. No real money moves; pay with card 4242 4242 4242 4242.</span></div>"
        )
    with st.container(
        key="tp-header",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        st.html(f'<a class="tp-brand" href="/">{kit.MARK}TalkingPhoto</a>', width="content")
        if visit.user:
            with st.container(key="tp-nav", horizontal=True, width="content"):
                # page_link keeps the connection; a plain link would load the page anew.
                for target, icon in menu.items():
                    # Streamlit marks the current link by a generated class only.
                    current = target is here or (target.url_path == "account" and below)
                    with st.container(key="tp-here", width="content") if current else nullcontext():
                        st.page_link(target, icon=f":material/{icon}:")
        st.html(_me(visit), width="content")


def _me(visit: session.Visit) -> str:
    if visit.account is None:
        return (
            '<div class="tp-me"><a class="tp-btn tp-btn--quiet" href="/">Plans</a>'
            '<a class="tp-btn" href="/sign-in">Sign in</a></div>'
        )
    left = f"{wording.videos(visit.account.credits.available)} left"
    out = kit.post_button(
        "Sign out", f"{visit.web_url}/auth/logout", style="tp-btn--quiet", name="Sign out"
    )
    return f'<div class="tp-me">{kit.badge(left, "info")}{out}</div>'


def _notices() -> None:
    """What the reader has to know before the page: a session that ended, a refused purchase."""
    code = st.query_params.get("error", "")
    if session.ended_elsewhere():
        kit.show(kit.notice("You signed out in another window."))
    elif code.startswith(("billing.", "code.", "portal.", "trial.")):
        kit.show(kit.notice(messages.of(code).text, kind="bad"))


def _footer() -> None:
    links = (("Terms", "/terms"), ("Privacy", "/privacy"), ("Refunds", "/refunds"))
    nav = "".join(
        f'<a href="{path}">{label}</a>' for label, path in (*links, ("Contact", "/contact"))
    )
    year = runtime.current().clock().year
    kit.show(
        f'<footer class="tp-foot"><span>© {year} TalkingPhoto. '
        f'Every video is marked as AI-generated.</span><nav aria-label="Legal">{nav}</nav></footer>'
    )
