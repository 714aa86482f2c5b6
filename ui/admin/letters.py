"""What was sent, what was not, and how each message looks."""

from __future__ import annotations

import streamlit as st

from services import mail_service
from ui import kit, session, wording
from ui.admin import deciding, tables


def section(visit: session.Visit, staff_id: str) -> None:
    """The outbox, and a preview of any template."""
    service = mail_service.mail_service
    page = service.outbox(staff_id=staff_id)
    kit.show(
        tables.table(
            ("Owed", "To", "Subject", "State", "Tries"),
            [
                (
                    wording.moment(row.at, visit.zone),
                    row.to,
                    row.subject,
                    row.state,
                    str(row.tries),
                )
                for row in page.rows
            ],
            none="No message was owed yet.",
        )
    )
    _read(staff_id, page)
    _send_again(staff_id, page)
    template = st.selectbox("Preview", mail_service.TEMPLATES, key="tp-office-template")
    if template:
        _whole(service.preview(staff_id=staff_id, template=template), name=template)


def _read(staff_id: str, page: mail_service.OutboxPage) -> None:
    """One message of the list as its reader sees it."""
    subjects = {row.key: f"{row.subject}, to {row.to}" for row in page.rows}
    chosen = st.selectbox(
        "Read",
        list(subjects),
        index=None,
        format_func=lambda key: subjects[key],
        placeholder="A message of the list",
        key="tp-office-message",
    )
    if chosen:
        _whole(mail_service.mail_service.body(staff_id=staff_id, key=chosen), name="message")


def _send_again(staff_id: str, page: mail_service.OutboxPage) -> None:
    """A message that was given up can be sent once more; nothing while there is none."""
    failed = [row for row in page.rows if row.state == "failed"]
    if failed:
        key = st.selectbox(
            "Message that was given up", [row.key for row in failed], key="tp-office-failed"
        )

        def again(reason: str) -> None:
            mail_service.mail_service.send_again(staff_id=staff_id, key=key or "", reason=reason)

        deciding.decide("send-again", {"Send again": again})


def _whole(parts: mail_service.Parts, *, name: str) -> None:
    """The message as text; its other part is a page of its own, which our pages may not frame."""
    kit.show(f'<h2 class="tp-h2">{kit.esc(parts.subject)}</h2>')
    st.code(parts.text, language=None, wrap_lines=True)
    st.download_button(
        "Download as HTML",
        data=parts.html,
        file_name=f"{name}.html",
        mime="text/html",
        on_click="ignore",
        key=f"tp-office-html:{name}",
    )
