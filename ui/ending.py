"""Cancel plan: when it ends, what stays, one offer that is in nobody's way, and the way back."""

from __future__ import annotations

import streamlit as st

from services import payment_service, subscription_service
from ui import acting, doors, kit, session, standing, wording

_LONGEST_COMMENT = 500
_INTENT = "cancel"
_REASON = "tp-reason"
_TAKEN = "tp:offer-taken"


def page(visit: session.Visit) -> None:
    """The plan can be ended here in one click, or it has been and can be resumed."""
    if visit.user is None or visit.account is None:
        doors.ask_to_sign_in("Cancel plan", back_to="/cancel-plan")
        return
    plan = visit.account.plan
    taken: str | None = st.session_state.get(_TAKEN)
    if plan is None:
        kit.show(kit.heading("Cancel plan"))
        kit.show(kit.empty("You have no plan, so there is nothing to cancel."))
    elif taken is not None:
        _offer_taken(taken)
    elif plan.cancel_at_period_end:
        _done(visit, plan)
    else:
        ask = subscription_service.subscription_service.ending
        # What was ticked decides what is offered, also before the field is drawn again.
        reason = st.session_state.get(_REASON) or ""
        view = acting.or_none(lambda: ask(visit.user_id or "", reason=reason))
        if view is None:
            kit.show(kit.heading(f"Cancel {plan.name}"))
            kit.show(acting.away("Your plan cannot be cancelled just now."))
        else:
            _ask(visit, view)


def _ask(visit: session.Visit, view: subscription_service.EndingView) -> None:
    kit.show(kit.heading(f"Cancel {view.name}"))
    acting.said()
    with st.container(key="tp-narrow"):
        day = wording.day(view.ends_at, visit.zone)
        when = "at once" if view.at_once else f"on <b>{day}</b>"
        kit.show(
            f'<section class="tp-card"><p class="tp-ends">{kit.esc(view.name)} ends {when}. '
            "Nothing more is charged.</p>"
            f'<ul class="tp-keeps">{_points(visit, view, day)}</ul></section>'
        )
        place = st.container()
        reason, comment = _reason(view)
        if view.offer is not None:
            _offer(visit, view, view.offer)
        pressed = st.button("Cancel plan", key="tp-cancel", type="primary", width="stretch")
        kit.show(f'<p class="tp-center">{kit.inner_link("Keep plan", "/account")}</p>')
        if not pressed:
            # Not at once: the second press of a double click would be another wish.
            session.retire(_INTENT)
            return
        with acting.refused_in(place), st.spinner("Cancelling your plan"):
            subscription_service.subscription_service.cancel(
                user_id=visit.user_id or "",
                request_id=session.request_id(_INTENT),
                reason=reason,
                comment=comment,
            )
            st.rerun()


def _points(visit: session.Visit, view: subscription_service.EndingView, day: str) -> str:
    """What stays and what goes, each with its sign."""
    points: list[tuple[str, str]] = []
    if not view.at_once:
        usable = f"You can use {view.name} until {day}, and change your mind until then."
        points.append(("check", usable))
    if view.kept:
        points.append(
            ("check", f"You keep {wording.videos(view.kept)} after that{_until(visit, view)}.")
        )
    points.append(("check", "You keep everything you made."))
    if view.lost:
        verb = "ends" if view.lost == 1 else "end"
        points.append(("event_busy", f"{wording.videos(view.lost)} {verb} by then if not used."))
    return "".join(
        f"<li{'' if sign == 'check' else ' class=is-lost'}>{kit.icon(sign)}"
        f"<span>{kit.esc(words)}</span></li>"
        for sign, words in points
    )


def _until(visit: session.Visit, view: subscription_service.EndingView) -> str:
    """Until when what is kept can be used, where that has an end."""
    if not view.kept_expiring or view.kept_expires_at is None:
        return ""
    until = wording.day(view.kept_expires_at, visit.zone)
    if view.kept_expiring == view.kept:
        return f", until {until}"
    return f"; {view.kept_expiring:,} of them can be used until {until}"


def _offer(
    visit: session.Visit,
    view: subscription_service.EndingView,
    offer: subscription_service.SaveOffer,
) -> None:
    """One offer; whoever does not want it need not touch it."""
    place = st.container()
    with st.container(key="tp-offer", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<div><strong>{kit.esc(offer.title)}</strong><p class="tp-muted">'
            f"{kit.esc(offer.words)}</p></div>"
        )
        if not st.button(offer.action, key="tp-take-offer"):
            return
        with acting.refused_in(place), st.spinner("One moment"):
            st.session_state[_TAKEN] = subscription_service.subscription_service.accept_offer(
                user_id=visit.user_id or "",
                request_id=session.request_id(f"offer:{offer.kind}:{view.ends_at.isoformat()}"),
                kind=offer.kind,
            )
            st.rerun()


def _reason(view: subscription_service.EndingView) -> tuple[str, str]:
    """Why, if the customer likes to say; nothing depends on it."""
    named = dict(view.reasons)
    with st.expander("Tell us why (optional)", key="tp-why"):
        reason = st.radio(
            "What is the main reason?",
            list(named),
            index=None,
            format_func=lambda key: named[key],
            key=_REASON,
        )
        comment = st.text_area(
            "Anything we should know?", key="tp-comment", max_chars=_LONGEST_COMMENT, height=80
        )
    return reason or "", (comment or "").strip()


def _done(visit: session.Visit, plan: payment_service.PlanView) -> None:
    day = wording.day(plan.current_period_end, visit.zone)
    doors.result(
        kit.icon("event_busy"),
        f"{plan.name} ends on {day}.",
        "Nothing more is charged. You can use it until then; videos you bought and everything "
        "you made stay yours.",
        "",
    )
    with st.container(key="tp-under-result"):
        place = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            standing.resume(visit, plan, place=place, primary=True)
            st.html(kit.link_button("Open account", "/account"), width="content")


def _offer_taken(words: str) -> None:
    doors.result(
        kit.icon("check"),
        "Your plan stays.",
        words,
        '<div class="tp-actions">'
        + kit.link_button("Open account", "/account", primary=True)
        + "</div>",
        kind="good",
    )
