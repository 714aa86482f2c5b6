"""Stripe's events as they came, and processing one of them again."""

from __future__ import annotations

import streamlit as st

from services import office_service, reconciliation_service
from ui import kit, session, wording
from ui.admin import deciding, tables


def section(visit: session.Visit, staff_id: str) -> None:
    """The latest events or the dead ones, and a form to process one again."""
    only_dead = st.toggle("Only dead letters", key="tp-office-dead")
    found = office_service.office_service.events(staff_id=staff_id, only_dead=only_dead)
    kit.show(
        tables.table(
            ("Came", "Type", "About", "State", "Why", "Id"),
            [
                (
                    wording.moment(line.received_at, visit.zone),
                    line.type,
                    line.object_id,
                    line.result or "waits",
                    line.error,
                    line.id,
                )
                for line in found
            ],
            none="No event is dead." if only_dead else "No event came yet.",
        )
    )
    event_id = st.text_input("Event to process again", key="tp-office-event", max_chars=255)
    if event_id:

        def again(reason: str) -> None:
            reconciliation_service.reconciliation_service.replay(
                staff_id=staff_id, event_id=event_id.strip(), reason=reason
            )

        deciding.decide("replay", {"Process again": again})
