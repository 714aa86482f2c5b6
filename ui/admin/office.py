"""The office's one page: its sections, and who is let in."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from services import office_service
from talkingphoto.foundation import errors
from ui import kit, session
from ui.admin import customers, deciding, differences, events, letters, prices, recovery, refunds

Section = Callable[[session.Visit, str], None]
_SECTIONS: dict[str, Section] = {
    "Customers": customers.section,
    "Differences": differences.section,
    "Disputes": refunds.section,
    "Events": events.section,
    "Mail": letters.section,
    "Prices": prices.section,
    "Recovery": recovery.section,
}


def page(visit: session.Visit) -> None:
    """The chosen section for staff; for all others there is nothing at this address."""
    try:
        ip = str(st.context.ip_address or "127.0.0.1")
        role = office_service.office_service.enter(visit.user_id, ip=ip)
    except errors.NotFound as refusal:
        kit.show(kit.empty(refusal.message, kit.link_button("Back to TalkingPhoto", "/")))
        return
    assert visit.user_id is not None
    kit.show(
        '<h1 class="tp-h1" style="margin-top:16px">Office</h1>'
        f'<p class="tp-muted">You are here as {kit.esc(role)}. What you decide is on record.</p>'
    )
    with st.container(key="tp-office"):
        deciding.said()
        _section(visit, visit.user_id)


def _section(visit: session.Visit, staff_id: str) -> None:
    # The binding writes the label into the URL, so the labels stay one word.
    chosen = st.radio(
        "Section",
        list(_SECTIONS),
        horizontal=True,
        key="section",
        label_visibility="collapsed",
        bind="query-params",
    )
    _SECTIONS[chosen or "Customers"](visit, staff_id)
