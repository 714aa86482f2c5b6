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
    failed = [row for row in page.rows if row.state == "failed"]
    if failed:
        key = st.selectbox(
            "Message that was given up", [row.key for row in failed], key="tp-office-failed"
        )

        def again(reason: str) -> None:
            service.send_again(staff_id=staff_id, key=key or "", reason=reason)

        deciding.decide("send-again", {"Send again": again})
    template = st.selectbox("Preview", mail_service.TEMPLATES, key="tp-office-template")
    if template:
        parts = service.preview(staff_id=staff_id, template=template)
        kit.show(f'<h2 class="tp-h2">{kit.esc(parts.subject)}</h2>')
        st.code(parts.text, language=None, wrap_lines=True)
