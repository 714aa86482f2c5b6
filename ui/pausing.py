"""Pause plan: from when to when it rests, chosen with its dates."""

from __future__ import annotations

import streamlit as st

from services import payment_service, subscription_service
from ui import acting, doors, kit, session, standing, wording


def page(visit: session.Visit) -> None:
    """The plan can be paused here until a date, or it is and can go on."""
    if visit.user is None or visit.account is None:
        doors.ask_to_sign_in("Pause plan", back_to="/pause-plan")
        return
    plan = visit.account.plan
    if plan is None:
        kit.show(kit.heading("Pause plan"))
        kit.show(kit.empty("You have no plan, so there is nothing to pause."))
        return
    kit.show(kit.heading(f"Pause {plan.name}"))
    acting.said()
    if standing.rests(plan):
        standing.paused(visit, plan)
        return
    ask = subscription_service.subscription_service.pause_choices
    choices = acting.or_none(lambda: ask(visit.user_id or ""))
    if choices is None:
        kit.show(acting.away("Your plan cannot be paused just now."))
    elif not choices:
        kit.show(
            kit.empty(
                f"{plan.name} cannot be paused as it stands.",
                kit.link_button("Open account", "/account"),
            )
        )
    else:
        _choose(visit, plan, choices)


def _choose(
    visit: session.Visit,
    plan: payment_service.PlanView,
    choices: tuple[subscription_service.PauseChoice, ...],
) -> None:
    begins = wording.day(plan.current_period_end, visit.zone)
    with st.container(key="tp-narrow"):
        points = (
            f"You have {plan.name} until {begins}, which is paid for.",
            "After that nothing is charged and no new videos come.",
            "It goes on by itself on the date you choose, or earlier if you say so.",
            "Videos you bought and everything you made stay usable.",
        )
        kit.show(f'<section class="tp-card tp-keeps">{kit.ticks(points)}</section>')
        named = {
            choice.until: f"Until {wording.day(choice.until, visit.zone)}" for choice in choices
        }
        until = st.radio(
            "How long?",
            list(named),
            format_func=lambda date: named[date],
            # The service says the date in UTC; here it is the reader's, and the length is enough.
            captions=[choice.words.partition(",")[0] for choice in choices],
            key="tp-until",
        )
        place = st.container()
        label = f"Pause until {wording.day(until, visit.zone)}"
        pressed = st.button(label, key="tp-pause", type="primary", width="stretch")
        kit.show(f'<p class="tp-center">{kit.inner_link("Keep plan", "/account")}</p>')
        if pressed:
            with acting.refused_in(place), st.spinner("Pausing your plan"):
                subscription_service.subscription_service.pause(
                    user_id=visit.user_id or "", until=until
                )
                st.rerun()
