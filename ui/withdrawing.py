"""One payment: what it was for, its papers, and what of it can be had back, to the cent."""

from __future__ import annotations

import streamlit as st

from services import invoice_service, refund_service
from talkingphoto.foundation import errors
from ui import acting, kit, lists, session, wording

PATH = "/invoices"
_ASKED = "tp:withdraw"


def show(visit: session.Visit, user_id: str, payment_id: str) -> None:
    """The payment is on the page; what is unused of it can be returned in two steps."""
    try:
        offer = refund_service.refund_service.offer(user_id=user_id, payment_id=payment_id)
    except errors.NotFound:
        kit.show(kit.heading("Payment", back=PATH, to="Invoices"))
        kit.show(kit.empty("There is no such payment on your account."))
        return
    except errors.Unavailable:
        kit.show(kit.heading("Payment", back=PATH, to="Invoices"))
        kit.show(acting.away("This payment cannot be shown just now."))
        return
    kit.show(kit.heading(offer.description, back=PATH, to="Invoices"))
    acting.said()
    with st.container(key="tp-narrow"):
        if _facts(visit, user_id, offer):
            _receipt(user_id, payment_id)
        _return(visit, user_id, offer)


def _facts(visit: session.Visit, user_id: str, offer: refund_service.RefundOffer) -> bool:
    """What is known of the payment; whether its receipt is one of ours."""
    page = acting.or_none(lambda: invoice_service.invoice_service.page(user_id=user_id))
    rows = page.rows if page else ()
    found = next((lists.Paper.of(row) for row in rows if row.id == offer.payment_id), None)
    facts = [("Paid", wording.amount(offer.paid))]
    badge = invoice = ""
    if found is not None:
        facts.insert(0, ("Date", wording.day(found.at, visit.zone)))
        if found.number:
            facts.insert(0, ("Number", found.number))
        if found.refunded is not None and found.refunded.minor:
            facts.append(("Refunded", wording.amount(found.refunded)))
        badge = lists.state_of(found)
        invoice = kit.web_link("Invoice (PDF)", found.pdf_url, name="Invoice as PDF")
    if offer.credits:
        # Those that went back are not used: what is left is true of all of them.
        facts.append(("Videos", f"{offer.unused:,} of {offer.credits:,} left"))
    kit.show(
        f'<section class="tp-card"><div class="tp-row tp-row--between">{badge}{invoice}</div>'
        f"{kit.facts(facts)}</section>"
    )
    return found is not None and found.has_receipt


def _receipt(user_id: str, payment_id: str) -> None:
    def pdf() -> bytes:
        return invoice_service.invoice_service.receipt_pdf(user_id=user_id, payment_id=payment_id)

    st.download_button(
        "Download receipt (PDF)",
        data=pdf,
        file_name=f"receipt-{payment_id}.pdf",
        mime="application/pdf",
        on_click="ignore",
        key="tp-receipt",
    )


def _return(visit: session.Visit, user_id: str, offer: refund_service.RefundOffer) -> None:
    """Why it cannot be returned, or the two steps that return it."""
    kit.show('<h2 class="tp-h3" style="margin-top:24px">Return it</h2>')
    if not offer.allowed:
        kit.show(f'<p class="tp-muted" style="margin:0">{kit.esc(offer.why)}</p>')
        return
    until = f" until {wording.day(offer.until, visit.zone)}" if offer.until else ""
    sum_of_money = wording.amount(offer.refundable)
    kit.show(
        f'<p style="margin:0">{kit.esc(offer.words)}</p>'
        f'<p class="tp-muted" style="margin:6px 0 0">You can return it{until}. '
        "The money goes back to the card it came from in 5 to 10 days.</p>"
    )
    if st.session_state.get(_ASKED) != offer.payment_id:
        if st.button(f"Return it for {sum_of_money}", key="tp-return"):
            st.session_state[_ASKED] = offer.payment_id
            st.rerun()
        return
    _sure(user_id, offer)


def _sure(user_id: str, offer: refund_service.RefundOffer) -> None:
    """The second step names what goes and what comes."""
    sum_of_money = wording.amount(offer.refundable)
    place = st.container()
    kit.show(
        kit.notice(
            f"You get back {sum_of_money}, and {wording.videos(offer.unused)} go.",
            f"{'Your plan ends today with this. ' if offer.ends_plan else ''}"
            "What you have made stays yours.",
            kind="warn",
        )
    )
    with st.container(horizontal=True):
        pressed = st.button(
            f"Return {wording.videos(offer.unused)} for {sum_of_money}",
            key="tp-return-now",
            type="primary",
        )
        if st.button("Keep it", key="tp-return-not"):
            st.session_state.pop(_ASKED, None)
            st.rerun()
    if not pressed:
        return
    intent = f"withdraw:{offer.payment_id}"
    with acting.refused_in(place), st.spinner("Returning your payment"):
        done = refund_service.refund_service.withdraw(
            user_id=user_id,
            payment_id=offer.payment_id,
            request_id=session.request_id(intent),
        )
        st.session_state.pop(_ASKED, None)
        acting.say(f"{wording.amount(done.amount)} is on its way back.", done.words)
        st.rerun()
