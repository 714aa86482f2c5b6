"""The one thing to know about a plan before anything else, with what can be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services import change_service, payment_service, retry_service, subscription_service
from talkingphoto import runtime
from ui import acting, kit, session, wording

OWING = frozenset({"past_due", "unpaid"})
_SYMBOLS = {"bad": "error", "warn": "schedule", "info": "event_upcoming"}


@dataclass(frozen=True)
class Standing:
    """What is known of the plan beyond the plan itself; empty where nobody answered."""

    plan: payment_service.PlanView | None
    due: retry_service.PastDue | None = None
    pending: change_service.PendingChange | None = None
    waiting_url: str | None = None
    trial: subscription_service.TrialView | None = None


def rests(plan: payment_service.PlanView) -> Literal["", "soon", "now"]:
    """Whether the plan is paused, will be, or neither."""
    if plan.status == "paused":
        return "now"
    if plan.pauses_at is None:
        return ""
    return "now" if plan.pauses_at <= runtime.current().clock() else "soon"


def of(user_id: str, view: payment_service.AccountView) -> Standing:
    """What there is to know about the plan now; only what can matter in its state is asked."""
    plan = view.plan
    if plan is None:
        return Standing(None)
    if plan.status in OWING:
        due = acting.or_none(lambda: retry_service.retry_service.past_due(user_id))
        return Standing(plan, due=due)
    trial = None
    if plan.status == "trialing":
        ask_trial = subscription_service.subscription_service.trial
        trial = acting.or_none(lambda: ask_trial(user_id))
    return Standing(plan, pending=view.change, waiting_url=view.change_pay_url, trial=trial)


def show(visit: session.Visit, known: Standing) -> None:
    """The one notice, or none; what can be done about it is inside."""
    plan = known.plan
    if plan is None or visit.user is None:
        return
    if plan.status in OWING:
        _past_due(visit, plan, known.due)
    elif known.waiting_url:
        _waiting(known.waiting_url)
    elif known.pending is not None:
        pending(visit, plan, known.pending)
    elif plan.cancel_at_period_end:
        _ending(visit, plan)
    elif rests(plan):
        paused(visit, plan)
    elif known.trial is not None:
        _trial(visit, plan, known.trial)


def everywhere(visit: session.Visit) -> None:
    """A payment that failed is said on every page, with the way to what can be done about it."""
    plan = visit.account.plan if visit.account else None
    if plan is None or plan.status not in OWING:
        return
    due = acting.or_none(lambda: retry_service.retry_service.past_due(visit.user_id or ""))
    title, text = _what_failed(visit, plan, due)
    account = kit.link_button("See what to do", "/account")
    action = account if due and due.needs_bank else update_card(visit)
    kit.show(kit.notice(title, text, kind="bad", action=action))


def update_card(visit: session.Visit, *, primary: bool = False, label: str = "Update card") -> str:
    """A form that leads to the page where the card is changed, in this tab."""
    return kit.post_button(
        label,
        f"{visit.web_url}/billing/portal",
        {"flow": "update_card"},
        style="tp-btn--primary" if primary else "",
        name=label,
    )


@contextmanager
def _box(kind: str, title: str, text: str) -> Iterator[None]:
    """A notice whose actions are drawn inside the block."""
    with st.container(
        key=f"tp-standing-{kind}", horizontal=True, vertical_alignment="center", gap="small"
    ):
        role = "alert" if kind == "bad" else "status"
        st.html(
            f'<div class="tp-standing" role="{role}">{kit.icon(_SYMBOLS[kind])}'
            f"<div><strong>{kit.esc(title)}</strong><p>{kit.esc(text)}</p></div></div>"
        )
        with st.container(
            key="tp-standing-acts", horizontal=True, width="content", vertical_alignment="center"
        ):
            yield


def _past_due(
    visit: session.Visit, plan: payment_service.PlanView, due: retry_service.PastDue | None
) -> None:
    assert visit.user is not None
    place = st.container()
    with _box("bad", *_what_failed(visit, plan, due)):
        if due is not None and due.needs_bank:
            st.html(kit.out_button("Confirm with bank", due.pay_url), width="content")
            return
        st.html(update_card(visit, primary=True), width="content")
        if due is not None and st.button(f"Pay {wording.amount(due.amount)} now", key="tp-pay-now"):
            with acting.refused_in(place), st.spinner("Asking your bank"):
                _try_again(visit.user.id, due)


def _what_failed(
    visit: session.Visit, plan: payment_service.PlanView, due: retry_service.PastDue | None
) -> tuple[str, str]:
    """The sum and the reason in words, and when it is tried again."""
    if due is None:
        text = f"Pay it or use another card to keep {plan.name}."
        return f"Your payment of {wording.amount(plan.price)} did not go through.", text
    sum_of_money = wording.amount(due.amount)
    if due.needs_bank:
        return f"Your bank asks you to confirm {sum_of_money}.", due.reason
    again = ""
    if due.next_try_at is not None:
        again = f" We try again on {wording.day(due.next_try_at, visit.zone)}."
    return f"Your payment of {sum_of_money} did not go through.", due.reason + again


def _try_again(user_id: str, due: retry_service.PastDue) -> None:
    amount = wording.amount(due.amount)
    if retry_service.retry_service.retry_now(user_id=user_id):
        acting.say(f"Your payment of {amount} went through.", "Thank you. Everything goes on.")
    else:
        acting.say(f"Your payment of {amount} is on its way.", "This page says when it is there.")
    st.rerun()


def _waiting(url: str) -> None:
    words = "Your plan changes as soon as you have. This takes a minute."
    with _box("warn", "Your bank asks you to confirm a payment.", words):
        st.html(kit.out_button("Confirm with bank", url), width="content")


def pending(
    visit: session.Visit, plan: payment_service.PlanView, change: change_service.PendingChange
) -> None:
    """The change to come is said with its date, and can be taken back."""
    assert visit.user is not None
    day = wording.day(change.at, visit.zone)
    place = st.container()
    same = change.item.partition(":")[0] == plan.item.partition(":")[0]
    title = f"{change.name}, paid by the {change.interval}" if same else change.name
    words = (
        f"Until then nothing changes. After that you pay "
        f"{wording.price(change.price, change.interval)} for {change.monthly_credits:,} videos "
        "a month."
    )
    with _box("info", f"{title} begins on {day}.", words):
        if st.button("Undo", key="tp-undo"):
            with acting.refused_in(place), st.spinner("Undoing the change"):
                change_service.change_service.undo(user_id=visit.user.id)
                acting.say(f"You stay on {plan.name}.", "The change is off.")
                st.rerun()


def _ending(visit: session.Visit, plan: payment_service.PlanView) -> None:
    day = wording.day(plan.current_period_end, visit.zone)
    place = st.container()
    words = "You can use it until then. Videos you bought stay yours."
    with _box("warn", f"{plan.name} ends on {day}.", words):
        resume(visit, plan, place=place)


def resume(
    visit: session.Visit,
    plan: payment_service.PlanView,
    *,
    place: DeltaGenerator,
    primary: bool = False,
) -> None:
    """A button that takes the end of the plan back."""
    assert visit.user is not None
    kind = "primary" if primary else "secondary"
    if st.button(f"Resume {plan.name}", key="tp-resume", type=kind):  # type: ignore[arg-type]
        with acting.refused_in(place), st.spinner("Resuming your plan"):
            subscription_service.subscription_service.resume(user_id=visit.user.id)
            day = wording.day(plan.current_period_end, visit.zone)
            acting.say(f"{plan.name} goes on.", f"It renews on {day}, as before.")
            st.rerun()


def paused(visit: session.Visit, plan: payment_service.PlanView) -> None:
    """From when to when the plan rests, with the way back."""
    assert visit.user is not None
    place = st.container()
    until = wording.day(plan.resumes_at, visit.zone) if plan.resumes_at else ""
    if rests(plan) == "now":
        title = f"{plan.name} is paused{f' until {until}' if until else ''}."
        words, label = "Nothing is charged until then, and no new videos come.", "Resume now"
        ask = subscription_service.subscription_service.unpausing
        meant = acting.or_none(lambda: ask(visit.user_id or ""))
        words += f" If you resume now: {meant[0].lower()}{meant[1:]}" if meant else ""
    else:
        begins = wording.day(plan.pauses_at, visit.zone) if plan.pauses_at else ""
        title = f"{plan.name} pauses on {begins}{f' and resumes on {until}' if until else ''}."
        words, label = "In between nothing is charged, and no new videos come.", "Undo the pause"
    with _box("info", title, words):
        if st.button(label, key="tp-unpause"):
            with acting.refused_in(place), st.spinner("Resuming your plan"):
                subscription_service.subscription_service.unpause(user_id=visit.user.id)
                acting.say(f"{plan.name} goes on.", "It is charged and brings videos as before.")
                st.rerun()


def _trial(
    visit: session.Visit,
    plan: payment_service.PlanView,
    trial: subscription_service.TrialView,
) -> None:
    day = wording.day(trial.ends_at, visit.zone)
    title = f"{wording.days(trial.days_left)} of your {plan.name} trial left."
    price = wording.price(trial.then, plan.interval)
    if trial.has_card:
        words = f"On {day} we charge {wording.amount(trial.then)}; then {price}. "
        words += "Cancel before and you pay nothing."
    else:
        words = f"Add a card by {day} to go on for {price}. Without one the plan ends; "
        words += "nothing is charged."
    with _box("info", title, words):
        if not trial.has_card:
            st.html(update_card(visit, primary=True, label="Add a card"), width="content")
