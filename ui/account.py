"""Account: what stands, plan and price, videos left, the latest movements and invoices."""

from __future__ import annotations

from datetime import tzinfo

import streamlit as st

from services import payment_service, wallet_service
from ui import (
    acting,
    doors,
    kit,
    lists,
    repeating,
    session,
    standing,
    trouble,
    usage,
    verifying,
    wording,
)

_ROWS = 5
_SOON, _CALM = "2s", "10s"


def page(visit: session.Visit) -> None:
    """The account is on the page and keeps itself current."""
    if visit.user is None or visit.account is None:
        doors.ask_to_sign_in("Your account", back_to="/account")
        return
    every = _SOON if visit.account.pending else _CALM
    kit.show(
        '<h1 class="tp-h1" style="margin-top:16px">Account</h1><div class="tp-you tp-muted">'
        f"<span>Signed in as {kit.esc(visit.user.email)}</span>"
        + kit.post_button("Sign out", f"{visit.web_url}/auth/logout", name="Sign out")
        + "</div>"
    )
    acting.said()
    if words := verifying.said():
        kit.show(words)
    known = standing.of(visit.user.id, visit.account)
    standing.show(visit, known)
    repeating.keep_running(_body, every, visit.user.id, visit, known)


def _body(user_id: str, visit: session.Visit, known: standing.Standing) -> None:
    """Everything below the notice, fresh; the shell follows when what it says has moved."""
    with trouble.shown():
        session.leave_unless(user_id)
        view = payment_service.payment_service.account(user_id)
        assert visit.account is not None
        if _facts(view) != _facts(visit.account):
            st.rerun()
        wallet = acting.or_none(lambda: wallet_service.wallet_service.wallet(user_id))
        kit.show(
            verifying.notice(visit),
            f'<div class="tp-two">{_plan(view, known, visit.zone)}'
            f"{usage.card(view, wallet, visit.zone)}</div>",
            _statement(view, visit.zone),
            _invoices(view, visit.zone),
            _zone_note(visit),
        )


def _facts(view: payment_service.AccountView) -> tuple[object, ...]:
    """What the rest of the page depends on: the count above, the notice, how often to look."""
    return view.credits.available, view.pending, view.plan, view.change, view.change_pay_url


def _plan(view: payment_service.AccountView, known: standing.Standing, zone: tzinfo) -> str:
    plan = view.plan
    if plan is None:
        return (
            '<section class="tp-card"><h2 class="tp-h2">Free</h2>'
            '<p class="tp-next">3 videos, once. Nothing is charged.</p>'
            '<p class="tp-muted" style="margin:6px 0 0">A plan brings new videos every month; '
            "a pack is bought once.</p>"
            f'<div class="tp-card__foot">{kit.link_button("See plans", "/")}</div></section>'
        )
    rows = [
        ("Price", wording.price(plan.price, plan.interval)),
        ("Discount", plan.discount),
        _next_charge(plan, known, zone),
        ("Card", plan.card),
        ("Videos", f"{plan.monthly_credits:,} a month"),
    ]
    return (
        '<section class="tp-card"><div class="tp-row tp-row--between">'
        f'<h2 class="tp-h2">{kit.esc(plan.name)}</h2>{_plan_badge(plan)}</div>'
        f"{kit.facts((label, value) for label, value in rows if value)}"
        f'<p class="tp-next">{kit.esc(_what_next(plan, known, zone))}</p>'
        f'<div class="tp-card__foot">{_plan_links(plan)}</div></section>'
    )


def _plan_links(plan: payment_service.PlanView) -> str:
    links: list[tuple[str, str]] = []
    if not plan.cancel_at_period_end:
        links.insert(0, ("Cancel plan", "/cancel-plan"))
        if plan.status == "active" and not standing.rests(plan):
            links.insert(0, ("Pause plan", "/pause-plan"))
    quiet = "".join(f'<a class="tp-link" href="{path}">{label}</a>' for label, path in links)
    return f'<div class="tp-acts">{kit.link_button("Change plan", "/change-plan")}{quiet}</div>'


def _next_charge(
    plan: payment_service.PlanView, known: standing.Standing, zone: tzinfo
) -> tuple[str, str]:
    until = wording.day(plan.current_period_end, zone)
    if plan.status in standing.OWING:
        return "Due", wording.amount(known.due.amount if known.due else plan.price)
    if standing.rests(plan) == "now":
        return "Resumes", wording.day(plan.resumes_at, zone) if plan.resumes_at else ""
    if plan.cancel_at_period_end:
        return "Ends", until
    if plan.status == "trialing":
        if known.trial is not None and not known.trial.has_card:
            return "Ends", until
        return "First charge", f"{wording.amount(plan.price)} on {until}"
    if known.pending is not None:
        on = wording.day(known.pending.at, zone)
        return "Next charge", f"{wording.amount(known.pending.price)} on {on}"
    if plan.pauses_at and plan.resumes_at:
        on = wording.day(plan.resumes_at, zone)
        return "Next charge", f"{wording.amount(plan.price)} on {on}"
    return "Next charge", f"{wording.amount(plan.price)} on {until}"


def _plan_badge(plan: payment_service.PlanView) -> str:
    if plan.status in standing.OWING:
        return kit.badge("Payment failed", "bad", "error")
    if standing.rests(plan) == "now":
        return kit.badge("Paused", "warn", "pause")
    if plan.cancel_at_period_end:
        return kit.badge("Ends soon", "warn", "event_busy")
    if plan.status == "trialing":
        return kit.badge("Trial", "info", "hourglass_top")
    return kit.badge("Active", "good", "check")


def _what_next(plan: payment_service.PlanView, known: standing.Standing, zone: tzinfo) -> str:
    until = wording.day(plan.current_period_end, zone)
    if standing.rests(plan) == "now":
        return f"{plan.name} is paused. Nothing is charged until it goes on."
    if plan.status in standing.OWING:
        return f"{plan.name} goes on once the payment has gone through."
    if plan.cancel_at_period_end:
        return f"{plan.name} ends on {until}. Videos you bought stay yours."
    if plan.status == "trialing":
        return "Nothing has been charged so far."
    if known.pending is not None:
        return f"{plan.name} stays as it is until {wording.day(known.pending.at, zone)}."
    if plan.pauses_at:
        return f"{plan.name} stays as it is until {wording.day(plan.pauses_at, zone)}."
    return f"{plan.name} renews by itself on {until}."


def _statement(view: payment_service.AccountView, zone: tzinfo) -> str:
    link = kit.inner_link("All movements", "/videos-left#history") if view.statement else ""
    head = lists.head("Statement", link)
    if not view.statement:
        return (
            head + kit.empty("Nothing yet. Every video added or used appears here.") + "</section>"
        )
    return f"{head}{lists.movements(view.statement[:_ROWS], zone)}</section>"


def _invoices(view: payment_service.AccountView, zone: tzinfo) -> str:
    links = kit.inner_link("Billing details", "/billing-details")
    if view.invoices:
        links += kit.inner_link("All invoices", "/invoices")
    head = lists.head("Invoices", f'<div class="tp-acts">{links}</div>')
    if not view.invoices:
        sentence = "No invoices yet. They appear here after your first payment."
        return head + kit.empty(sentence) + "</section>"
    rows = [lists.Paper.of(row) for row in view.invoices[:_ROWS]]
    return f"{head}{lists.papers(rows, zone)}</section>"


def _zone_note(visit: session.Visit) -> str:
    words = (
        f"Dates are in your time zone, {visit.zone_name.replace('_', ' ')}."
        if visit.zone_name
        else "Dates are in UTC, because your browser tells no time zone."
    )
    return f'<p class="tp-muted tp-small" style="margin:0">{kit.esc(words)}</p>'
