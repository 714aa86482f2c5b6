"""Account: the plan in words, the videos left and where they come from, statement, invoices."""

from __future__ import annotations

from datetime import tzinfo

import streamlit as st

from services import payment_service
from talkingphoto.billing import ledger
from ui import doors, kit, repeating, session, trouble, verifying, wording

_ROWS = 50
_SOON, _CALM = "2s", "10s"
_OWING = frozenset({"past_due", "unpaid"})
_SOURCES = {
    "free": "free",
    "plan": "from your plan",
    "pack": "bought",
    "promo": "from an offer",
    "goodwill": "from us",
    "gift": "a gift",
}
_INVOICE_STATES = {
    "paid": ("Paid", "good"),
    "open": ("Unpaid", "bad"),
    "refunded": ("Refunded", ""),
    "partly_refunded": ("Partly refunded", ""),
    "void": ("Cancelled", ""),
    "failed": ("Failed", "bad"),
}


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
    repeating.keep_running(_body, every, visit.user.id, visit)


def _body(user_id: str, visit: session.Visit) -> None:
    """Everything below the heading, fresh; the shell follows when the number of videos moved."""
    with trouble.shown():
        session.leave_unless(user_id)
        view = payment_service.payment_service.account(user_id)
        assert visit.account is not None
        if _facts(view) != _facts(visit.account):
            st.rerun()
        kit.show(
            _failed(view),
            verifying.notice(visit),
            f'<div class="tp-two">{_plan(view, visit.zone)}{_credits(view, visit.zone)}</div>',
            _statement(view, visit.zone),
            _invoices(view, visit.zone),
            _zone_note(visit),
        )


def _facts(view: payment_service.AccountView) -> tuple[int, bool]:
    """What the rest of the page depends on: the count in the header and how often to look."""
    return view.credits.available, view.pending


def _failed(view: payment_service.AccountView) -> str:
    """What to do about a payment that did not go through, before anything else on the page."""
    if view.plan is None or view.plan.status not in _OWING:
        return ""
    due = next((row for row in view.invoices if row.status in ("open", "failed")), None)
    price = wording.amount(due.total if due else view.plan.price)
    action = kit.web_link("Pay invoice", due.hosted_url, name="Pay invoice") if due else ""
    return (
        kit.notice(
            f"Your payment of {price} did not go through.",
            f"Your bank declined it. Pay the open invoice to keep {view.plan.name}.",
            kind="bad",
            action=action.replace("tp-link", "tp-btn tp-btn--primary"),
        )
        + '<div style="height:16px"></div>'
    )


def _plan(view: payment_service.AccountView, zone: tzinfo) -> str:
    plan = view.plan
    if plan is None:
        return (
            '<section class="tp-card"><h2 class="tp-h2">Free</h2>'
            '<p class="tp-next">3 videos, once. Nothing is charged.</p>'
            '<p class="tp-muted" style="margin:6px 0 0">A plan brings new videos every month; '
            "a pack is bought once.</p>"
            f'<div class="tp-card__foot">{kit.link_button("See plans", "/")}</div></section>'
        )
    until = wording.day(plan.current_period_end, zone)
    rows = [
        ("Price", wording.price(plan.price, plan.interval)),
        ("Videos", f"{plan.monthly_credits:,} a month"),
        _next_charge(plan, until),
    ]
    return (
        '<section class="tp-card"><div class="tp-row tp-row--between">'
        f'<h2 class="tp-h2">{kit.esc(plan.name)}</h2>{_plan_badge(plan)}</div>{kit.facts(rows)}'
        f'<p class="tp-next">{kit.esc(_what_next(plan, until))}</p><div class="tp-card__foot">'
        f"{kit.link_button('Change or cancel', '/contact')}</div></section>"
    )


def _next_charge(plan: payment_service.PlanView, until: str) -> tuple[str, str]:
    if plan.status in _OWING:
        return "Due", wording.amount(plan.price)
    if plan.cancel_at_period_end:
        return "Ends", until
    return "Next charge", f"{wording.amount(plan.price)} on {until}"


def _plan_badge(plan: payment_service.PlanView) -> str:
    if plan.status in _OWING:
        return kit.badge("Payment failed", "bad", "error")
    if plan.status == "paused":
        return kit.badge("Paused", "warn", "pause")
    if plan.cancel_at_period_end:
        return kit.badge("Ends soon", "warn", "event_busy")
    return kit.badge("Active", "good", "check")


def _what_next(plan: payment_service.PlanView, until: str) -> str:
    if plan.status == "paused":
        return f"{plan.name} is paused. Nothing is charged until it goes on."
    if plan.status in _OWING:
        return f"{plan.name} goes on once the invoice below is paid."
    if plan.cancel_at_period_end:
        return f"{plan.name} ends on {until}. Videos you bought stay yours."
    return f"{plan.name} renews by itself on {until}."


def _credits(view: payment_service.AccountView, zone: tzinfo) -> str:
    credits = view.credits
    parts = [
        (kind, count, words)
        for kind, count, words in (
            ("plan", credits.from_plan, "in your plan"),
            ("free", credits.free, "free"),
            ("pack", credits.bought, "bought"),
        )
        if count
    ]
    bar = "".join(f'<i class="is-{kind}" style="flex:{count}"></i>' for kind, count, _ in parts)
    legend = "".join(
        f'<li><span class="tp-swatch is-{kind}" aria-hidden="true"></span>{count:,} {words}</li>'
        for kind, count, words in parts
    )
    return (
        '<section class="tp-card"><h2 class="tp-h2">Videos left</h2>'
        '<div class="tp-row" style="align-items:baseline;margin-top:14px;gap:8px">'
        f'<span class="tp-big">{credits.available:,}</span></div>'
        f'<div class="tp-stack" aria-hidden="true">{bar}</div><ul class="tp-parts">{legend}</ul>'
        f'<p class="tp-next">{" ".join(_credit_dates(view, zone))}</p>'
        f'<div class="tp-card__foot">{kit.link_button("Buy more videos", "/")}</div></section>'
    )


def _credit_dates(view: payment_service.AccountView, zone: tzinfo) -> list[str]:
    """A date on every promise: what is set aside, what arrives, what expires."""
    credits = view.credits
    paid_up = view.plan is not None and view.plan.status not in _OWING
    sentences = []
    if credits.held:
        verb = wording.are(credits.held)
        sentences.append(f"{wording.videos(credits.held)} {verb} set aside for work under way.")
    if credits.next_credits_at and credits.next_credits and paid_up:
        date = wording.day(credits.next_credits_at, zone)
        sentences.append(f"{credits.next_credits:,} more on {date}.")
    if credits.next_expiry and credits.next_expiring:
        date = wording.day(credits.next_expiry, zone)
        verb = "expires" if credits.next_expiring == 1 else "expire"
        sentences.append(f"{credits.next_expiring:,} {verb} on {date}.")
    elif credits.available:
        sentences.append("None of them expires.")
    return sentences


def _statement(view: payment_service.AccountView, zone: tzinfo) -> str:
    head = '<section class="tp-card tp-sheet"><h2 class="tp-h2">Statement</h2>'
    if not view.statement:
        return (
            head + kit.empty("Nothing yet. Every video added or used appears here.") + "</section>"
        )
    rows = "".join(_statement_row(row, zone) for row in view.statement[:_ROWS])
    hidden = len(view.statement) - _ROWS
    more = (
        f'<p class="tp-muted tp-small" style="margin:12px 0 0">{hidden:,} older not shown.</p>'
        if hidden > 0
        else ""
    )
    return (
        f'{head}<table class="tp-table"><thead><tr><th scope="col">What happened</th>'
        '<th scope="col" class="tp-right">Videos</th><th scope="col">When and from where</th>'
        f'<th scope="col" class="tp-right">Left</th></tr></thead><tbody>{rows}</tbody></table>'
        f"{more}</section>"
    )


def _statement_row(row: ledger.StatementRow, zone: tzinfo) -> str:
    # The number comes second in the markup, so a phone shows "what … number" on one line.
    quiet = [wording.day(row.at, zone), _SOURCES.get(row.source, "")]
    if row.kind == "grant":
        quiet.append(
            f"expires {wording.day(row.expires_at, zone)}" if row.expires_at else "never expires"
        )
    plus = " tp-plus" if row.credits > 0 else ""
    return (
        f'<tr><td>{kit.esc(row.description)}</td><td class="tp-right{plus}">'
        f'{wording.change(row.credits)}</td><td class="tp-muted">'
        f"{', '.join(part for part in quiet if part)}</td>"
        f'<td class="tp-right" data-label="Left">{row.balance_after:,}</td></tr>'
    )


def _invoices(view: payment_service.AccountView, zone: tzinfo) -> str:
    head = '<section class="tp-card tp-sheet"><h2 class="tp-h2">Invoices</h2>'
    if not view.invoices:
        sentence = "No invoices yet. They appear here after your first payment."
        return head + kit.empty(sentence) + "</section>"
    rows = "".join(_invoice_row(row, zone) for row in view.invoices[:_ROWS])
    return (
        f'{head}<table class="tp-table"><thead><tr><th scope="col">For</th>'
        '<th scope="col" class="tp-right">Amount</th><th scope="col">Number and date</th>'
        '<th scope="col">Status</th><th scope="col" class="tp-right">File</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _invoice_row(row: payment_service.InvoiceRow, zone: tzinfo) -> str:
    named = f"Invoice {row.number}" if row.number else "Receipt"
    file = kit.web_link("PDF", row.pdf_url, name=f"{named} as PDF") or kit.web_link(
        "View", row.hosted_url, name=f"View {named}"
    )
    label, kind = _INVOICE_STATES.get(row.status, (row.status, ""))
    quiet = ", ".join(part for part in (row.number, wording.day(row.at, zone)) if part)
    return (
        f'<tr><td>{kit.esc(row.description)}</td><td class="tp-right">'
        f'{wording.amount(row.total)}</td><td class="tp-muted">{kit.esc(quiet)}</td>'
        f'<td>{kit.badge(label, kind)}</td><td class="tp-right">{file}</td></tr>'
    )


def _zone_note(visit: session.Visit) -> str:
    words = (
        f"Dates are in your time zone, {visit.zone_name.replace('_', ' ')}."
        if visit.zone_name
        else "Dates are in UTC, because your browser tells no time zone."
    )
    return f'<p class="tp-muted tp-small" style="margin:0">{kit.esc(words)}</p>'
