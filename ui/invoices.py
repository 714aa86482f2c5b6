"""Invoices: every payment with its state and its papers, and the way to get money back in time."""

from __future__ import annotations

from datetime import tzinfo

import streamlit as st

from services import invoice_service, refund_service
from ui import acting, doors, kit, lists, session, withdrawing, wording

PATH = "/invoices"
_REFUNDS = {
    "asked": ("On its way", "info"),
    "pending": ("On its way", "info"),
    "succeeded": ("Refunded", "good"),
    "failed": ("Came back", "bad"),
}


# Won and lost are ours; the customer reads what became of the money.
_DISPUTES = {
    "won": ("Payment stands", ""),
    "lost": ("Paid back", ""),
    "warning_closed": ("Closed", ""),
}


def page(visit: session.Visit) -> None:
    """The list of payments, or one of them whole."""
    payment_id = st.query_params.get("payment", "")
    if visit.user is None:
        doors.ask_to_sign_in("Invoices", back_to=kit.query(PATH, payment=payment_id))
        return
    if payment_id:
        withdrawing.show(visit, visit.user.id, payment_id)
        return
    user_id = visit.user.id
    kit.show(kit.heading("Invoices"))
    acting.said()
    before = st.query_params.get("before") or None
    ask = invoice_service.invoice_service.page
    found = acting.or_none(lambda: ask(user_id=user_id, before=before))
    if found is None:
        kit.show(acting.away("Your invoices cannot be shown just now."))
        return
    if not found.rows:
        sentence = "No invoices yet. They appear here after your first payment."
        kit.show(kit.empty(sentence, kit.link_button("See plans", "/")))
        return
    rows = [lists.Paper.of(row) for row in found.rows]
    kit.show(
        lists.head("Payments", kit.inner_link("Billing details", "/billing-details")),
        lists.papers(rows, visit.zone, open_at=PATH),
        lists.pager(PATH, before, found.next),
        "</section>",
        _money_back(user_id, visit.zone),
    )
    _csv(user_id)


def _money_back(user_id: str, zone: tzinfo) -> str:
    """Refunds and disputes with their state in words; nothing while there are none."""
    history = acting.or_none(lambda: refund_service.refund_service.history(user_id))
    if not history:
        return ""
    table = kit.table(
        (("What", False), ("Amount", True), ("What it means", False), ("Status", False)),
        (_back(view, zone) for view in history),
    )
    return f"{lists.head('Refunds and disputes')}{table}</section>"


def _back(view: refund_service.RefundView | refund_service.DisputeView, zone: tzinfo) -> str:
    if isinstance(view, refund_service.RefundView):
        what = f"Refund, {wording.day(view.at, zone)}"
        state = kit.badge(*_REFUNDS[view.state])
    else:
        what = "Dispute"
        if view.due_by is not None:
            what += f", answer due {wording.day(view.due_by, zone)}"
        state = kit.badge(*_DISPUTES.get(view.state, ("Open", "warn", "gavel")))
    return (
        f'<tr><td>{kit.esc(what)}</td><td class="tp-right">{wording.amount(view.amount)}</td>'
        f'<td class="tp-muted">{kit.esc(view.words)}</td><td>{state}</td></tr>'
    )


def _csv(user_id: str) -> None:
    def table() -> str:
        return invoice_service.invoice_service.csv(user_id)

    st.download_button(
        "Download all as CSV",
        data=table,
        file_name="talkingphoto-payments.csv",
        mime="text/csv",
        on_click="ignore",
        key="tp-csv",
    )
