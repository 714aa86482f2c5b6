"""Money back in the office: what a refund would do, what went back, disputes and their evidence."""

from __future__ import annotations

import streamlit as st

from services import office_service, payment_service, refund_service
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from ui import kit, session, wording
from ui.admin import deciding, tables

_BACK = frozenset({"paid", "partly_refunded"})


def of_customer(
    staff_id: str,
    entry: office_service.Entry,
    account: payment_service.AccountView,
) -> None:
    """What went back to that customer, and a form for each payment of which something is left."""
    history = refund_service.refund_service.history(entry.id)
    if history:
        kit.show(
            '<h2 class="tp-h2">Refunds and disputes</h2>',
            tables.table(
                ("What", "Of", "Sum", "State"),
                [
                    (
                        "Refund" if isinstance(one, refund_service.RefundView) else "Dispute",
                        one.payment_id,
                        wording.amount(one.amount),
                        one.state,
                    )
                    for one in history
                ],
                none="",
                numbers=("Sum",),
            ),
        )
    for row in account.invoices:
        if row.status in _BACK and row.total.minor > 0:
            with st.expander(f"Refund {row.description}, {wording.amount(row.total)}"):
                _form(staff_id, entry.id, row)


def section(visit: session.Visit, staff_id: str) -> None:
    """Everybody's disputes, the open ones first, each with its evidence to take out."""
    found = refund_service.refund_service.disputes(staff_id)
    kit.show(
        tables.table(
            ("Dispute", "Payment", "Sum", "State", "Answer until"),
            [
                (
                    one.id,
                    one.payment_id,
                    wording.amount(one.amount),
                    one.state,
                    wording.moment(one.due_by, visit.zone) if one.due_by else "",
                )
                for one in found
            ],
            none="No payment is disputed.",
            numbers=("Sum",),
        )
    )
    if not found:
        return
    chosen = st.selectbox("Evidence for", [one.id for one in found], key="tp-office-dispute")
    if chosen and st.button("Put the evidence together", key="tp-office-evidence"):
        packed = refund_service.refund_service.evidence(staff_id=staff_id, dispute_id=chosen)
        st.download_button(
            "Download the zip", packed, file_name=f"{chosen}.zip", mime="application/zip"
        )


def _form(staff_id: str, user_id: str, row: payment_service.InvoiceRow) -> None:
    """What is unused and what that is worth, an amount or all of it, and the button."""
    service, intent = refund_service.refund_service, f"refund:{row.id}"
    offer = service.offer(user_id=user_id, payment_id=row.id)
    kit.show(
        kit.facts(
            [
                ("Paid", wording.amount(offer.paid)),
                ("Unused", f"{offer.unused:,} of {offer.credits:,} videos"),
                ("Worth", wording.amount(offer.refundable)),
            ]
        ),
        '<p class="tp-muted">All of a payment takes its unused videos; what was used is owed, '
        "unless you forgive it.</p>",
    )
    currency = offer.paid.currency.upper()
    part = st.text_input(f"Sum in {currency}, empty for all that is left", key=f"{intent}:part")
    forgive = st.checkbox("Forgive what was used", key=f"{intent}:forgive")

    def give_back(reason: str) -> None:
        order = refund_service.RefundOrder(
            payment_id=row.id,
            amount=Money.from_decimal(part.strip(), currency) if part.strip() else None,
            reason=reason,
            request_id=session.request_id(intent),
            forgive=forgive,
        )
        try:
            service.refund(staff_id=staff_id, order=order)
        except errors.Conflict as refusal:
            if refusal.code == "refund.refused":
                # It is over, with no money moved: the next press is another request.
                session.retire(intent)
            raise
        session.retire(intent)

    deciding.decide(intent, {"Refund": give_back})
