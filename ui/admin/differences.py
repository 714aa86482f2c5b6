"""Where Stripe and we disagree, with one click to put it right."""

from __future__ import annotations

from functools import partial

import streamlit as st

from services import reconciliation_service
from ui import kit, session, wording
from ui.admin import deciding

_MOST_SHOWN = 25


def section(visit: session.Visit, staff_id: str) -> None:
    """Each open difference with its age, and what can be decided about it."""
    service = reconciliation_service.reconciliation_service
    found = service.differences(staff_id=staff_id)
    if not found:
        kit.show(kit.empty("Our books and Stripe's agree."))
        return
    if len(found) > _MOST_SHOWN:
        kit.show(kit.notice(f"{len(found)} are open; these are the latest {_MOST_SHOWN}."))
    for one in found[:_MOST_SHOWN]:
        with st.container(key=f"tp-difference-{one.id}"):
            kit.show(_card(visit, one))
            acts: dict[str, deciding.Act] = {"Ignore": partial(_ignore, staff_id, one.id)}
            if one.class_ == "dead":
                acts = {"Process again": partial(_replay, staff_id, one.object_id)}
            elif one.heals:
                acts = {"Put right": partial(_heal, staff_id, one.id), **acts}
            deciding.decide(f"difference:{one.id}", acts)


def _card(visit: session.Visit, one: reconciliation_service.Difference) -> str:
    rows = [
        ("Object", one.object_id),
        ("Here", one.ours),
        ("At Stripe", one.theirs),
        ("Customer", one.user_id or "unknown"),
        ("Since", wording.moment(one.since, visit.zone)),
        ("Safe to put right", "yes" if one.heals else "no, look first"),
    ]
    kind = "bad" if one.state == "alerted" else "warn"
    title = f"{one.kind}: {one.class_.replace('_', ' ')}"
    return (
        '<section class="tp-card"><div class="tp-row tp-row--between">'
        f'<h2 class="tp-h2">{kit.esc(title)}</h2>{kit.badge(one.state, kind)}</div>'
        f"{kit.facts(rows)}</section>"
    )


def _heal(staff_id: str, difference_id: str, reason: str) -> None:
    reconciliation_service.reconciliation_service.heal(
        staff_id=staff_id, difference_id=difference_id, reason=reason
    )


def _ignore(staff_id: str, difference_id: str, reason: str) -> None:
    reconciliation_service.reconciliation_service.ignore(
        staff_id=staff_id, difference_id=difference_id, reason=reason
    )


def _replay(staff_id: str, event_id: str, reason: str) -> None:
    reconciliation_service.reconciliation_service.replay(
        staff_id=staff_id, event_id=event_id, reason=reason
    )
