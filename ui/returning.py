"""Back from checkout: the payment is confirmed here by itself, and Cancel keeps the choice."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from services import payment_service
from talkingphoto.foundation import errors
from ui import doors, kit, panel, pricing, repeating, session, trouble, wording

WAIT_SECONDS = 30
_TICKS = "tp:ticks:"
_SEEN = "tp:seen:"
_WAITING = frozenset({"processing", "open"})


@dataclass(frozen=True)
class Told:
    """What the page knows of a checkout: our answer, or why there is none."""

    confirmation: payment_service.Confirmation | None
    unknown: bool = False

    @property
    def waiting(self) -> bool:
        """Whether asking again may change the answer."""
        if self.confirmation is None:
            return not self.unknown
        return self.confirmation.state in _WAITING


def success(visit: session.Visit) -> None:
    """The state of this checkout is on the page, and moves to its end without a reload."""
    session_id = st.query_params.get("session_id", "")
    if visit.user is None:
        back = kit.query("/success", session_id=session_id)
        doors.ask_to_sign_in("Your payment is safe", back_to=back)
        return
    told = _ask(visit.user.id, session_id)
    if told.waiting and _ticks(session_id) < WAIT_SECONDS:
        repeating.keep_running(_wait, "1s", visit.user.id, session_id)
    elif told.waiting:
        _still_waiting(told, session_id)
    else:
        _finished(visit, told, session_id)


def cancel(visit: session.Visit) -> None:
    """Nothing was charged; the choice is still there, one button away."""
    item = st.query_params.get("item", "")
    words = item and pricing.offer_words(
        payment_service.payment_service.pricing(visit.user_id), item
    )
    action = kit.link_button("See plans", "/", primary=True)
    choice = ""
    if words:
        title, price = words
        choice = f'<div class="tp-choice"><b>{kit.esc(title)}, {kit.esc(price)}</b></div>'
        action = panel.checkout_button(
            visit, item, "Try again", style="tp-btn--primary"
        ) + kit.link_button("See plans", "/")
    doors.result(
        kit.icon("undo"),
        "Nothing was charged",
        "You left the checkout before paying." + (" Your choice is still here." if words else ""),
        choice + f'<div class="tp-actions">{action}</div>',
    )


def _ask(user_id: str, session_id: str) -> Told:
    try:
        return Told(
            payment_service.payment_service.confirm_return(user_id=user_id, session_id=session_id)
        )
    except (errors.NotFound, errors.InvalidRequest):
        return Told(None, unknown=True)
    except errors.Unavailable:
        return Told(None)


def _ticks(session_id: str) -> int:
    return int(st.session_state.get(_TICKS + session_id, 0))


def _wait(user_id: str, session_id: str) -> None:
    """One look a second; the whole page runs again once there is an answer or the wait is over."""
    with trouble.shown():
        session.leave_unless(user_id)
        ticks = _ticks(session_id) + 1
        st.session_state[_TICKS + session_id] = ticks
        # The page has asked just before the first tick.
        if ticks > 1 and (ticks > WAIT_SECONDS or not _ask(user_id, session_id).waiting):
            st.rerun()
        doors.result(
            kit.wave(5, said=5),
            "Confirming your payment",
            "You can close this page; we will e-mail you.",
            "",
        )


def _still_waiting(told: Told, session_id: str) -> None:
    paying = told.confirmation is not None and told.confirmation.state == "processing"
    doors.result(
        kit.icon("hourglass_top"),
        "Still confirming your payment",
        "Your bank is taking its time. You can close this page; we will e-mail you."
        if paying
        else "We have no word of a payment so far. If you paid, it will show on your account.",
        '<div class="tp-actions">' + kit.link_button("Open account", "/account") + "</div>",
    )
    if st.button("Check again", key="tp-check-again", type="primary"):
        st.session_state.pop(_TICKS + session_id, None)
        st.rerun()


def _finished(visit: session.Visit, told: Told, session_id: str) -> None:
    confirmation = told.confirmation
    if confirmation is None:
        doors.result(
            kit.icon("help"),
            "We do not know this checkout",
            "It may belong to another account, or the address is not complete. "
            "What you have bought is on your account page.",
            kit.link_button("Open account", "/account", primary=True),
        )
    elif confirmation.state == "paid":
        session.retire(f"buy:{confirmation.item}")
        _refresh_header(visit, confirmation, session_id)
        plan = visit.account.plan if visit.account else None
        if confirmation.is_plan and plan is not None and plan.status == "trialing":
            _trying(visit, confirmation, plan)
        else:
            _paid(confirmation)
    else:
        expired = confirmation.state == "expired"
        doors.result(
            kit.icon("credit_card_off"),
            "This checkout has expired" if expired else "The payment did not go through",
            "Nothing was charged. "
            + ("Start again" if expired else "Try another card")
            + " whenever you like.",
            kit.link_button("See plans", "/", primary=True),
            kind="bad",
        )


def _refresh_header(
    visit: session.Visit, confirmation: payment_service.Confirmation, session_id: str
) -> None:
    """The count in the header is the one after this payment, at the price of one more run."""
    # The header was drawn before our question fulfilled the payment.
    stale = visit.account is not None and visit.account.credits.available != confirmation.balance
    if stale and not st.session_state.get(_SEEN + session_id):
        st.session_state[_SEEN + session_id] = True
        st.rerun()


def _trying(
    visit: session.Visit,
    confirmation: payment_service.Confirmation,
    plan: payment_service.PlanView,
) -> None:
    """A trial has begun: what it brings, and when what is charged unless it is cancelled."""
    ends = wording.day(plan.trial_ends_at or plan.current_period_end, visit.zone)
    rows = [
        ("Charged today", "Nothing"),
        ("Added", wording.videos(confirmation.credits_added)),
        ("First charge", f"{wording.amount(plan.price)} on {ends}"),
    ]
    doors.result(
        kit.icon("hourglass_top"),
        f"Your {confirmation.title} trial has begun.",
        f"We remind you before {ends}. Cancel by then and you pay nothing.",
        kit.facts(rows)
        + '<div class="tp-actions">'
        + kit.link_button("Make a video", "/studio", primary=True)
        + kit.link_button("Open account", "/account")
        + "</div>",
        kind="good",
    )


def _paid(confirmation: payment_service.Confirmation) -> None:
    added, balance = confirmation.credits_added, confirmation.balance
    if confirmation.is_plan:
        heading = f"You are on {confirmation.title}."
        lead = f"{wording.videos(added)} {wording.are(added)} ready."
    else:
        heading = f"{wording.videos(added)} added."
        lead = f"You have {balance:,}."
    rows = [("Added", wording.videos(added)), ("You have", wording.videos(balance))]
    doors.result(
        kit.icon("check"),
        heading,
        lead,
        (kit.facts(rows) if confirmation.is_plan else "")
        + '<div class="tp-actions">'
        + kit.link_button("Make a video", "/studio", primary=True)
        + kit.link_button("Open account", "/account")
        + "</div>",
        kind="good",
    )
