"""Change plan: what can be had instead, what it costs to the cent, and the change itself."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services import change_service, payment_service
from talkingphoto import runtime
from talkingphoto.foundation import errors
from ui import acting, codes, doors, kit, session, standing, wording

PATH = "/change-plan"
_PREVIEW = "tp:preview"
_OUTCOME = "tp:changed"
_STALE = "tp:stale"
_MOVED_ON = "The price has changed since you looked. This is the new one; nothing was charged."


def page(visit: session.Visit) -> None:
    """The plans to choose from, the preview of the chosen one, or how the change ended."""
    item = st.query_params.get("item", "")
    if visit.user is None or visit.account is None:
        doors.ask_to_sign_in("Change plan", back_to=kit.query(PATH, item=item))
        return
    outcome: change_service.ChangeOutcome | None = st.session_state.get(_OUTCOME)
    if outcome is not None and outcome.item == item:
        _ended(visit, outcome)
        return
    plan = visit.account.plan
    if plan is None:
        kit.show(kit.heading("Change plan"))
        action = kit.link_button("See plans", "/", primary=True)
        kit.show(kit.empty("You have no plan yet. A plan brings new videos every month.", action))
        return
    view = acting.or_none(lambda: change_service.change_service.options(visit.user_id or ""))
    if view is None:
        kit.show(kit.heading("Change plan"))
        kit.show(acting.away("Plans cannot be changed just now."))
    elif item:
        _preview(visit, plan, item)
    else:
        _choose(visit, plan, view)


def _choose(
    visit: session.Visit, plan: payment_service.PlanView, view: change_service.ChangeView
) -> None:
    """The plans, one line each, for the period in view."""
    price = wording.price(plan.price, plan.interval)
    kit.show(kit.heading("Change plan", f"You are on {plan.name} for {price}."))
    acting.said()
    if view.waiting_url or view.pending:
        known = standing.Standing(plan, pending=view.pending, waiting_url=view.waiting_url)
        standing.show(visit, known)
    yearly = _cycle(plan) == "Yearly"
    interval = "year" if yearly else "month"
    rows = [_option(option, visit, plan) for option in view.options if option.interval == interval]
    if not rows:
        kit.show(kit.empty("There is nothing to change to just now."))
        return
    kit.show('<div class="tp-card tp-options">', *rows, "</div>")
    codes.on_plan(visit.user_id or "", plan.item)
    kit.show(
        '<p class="tp-muted">Prices in US dollars, before tax. You see the exact sum before '
        f"anything is charged. Or {kit.inner_link('cancel the plan', '/cancel-plan')}.</p>"
    )


def _cycle(plan: payment_service.PlanView) -> str:
    """The period in view: the one that is paid now, until another is chosen."""
    chosen = st.segmented_control(
        "Billing period",
        ["Monthly", "Yearly"],
        default="Yearly" if plan.interval == "year" else "Monthly",
        required=True,
        key="cycle",
        bind="query-params",
        label_visibility="collapsed",
    )
    return str(chosen)


def _option(
    option: change_service.ChangeOption, visit: session.Visit, plan: payment_service.PlanView
) -> str:
    if option.item == plan.item:
        action = kit.badge("Your plan", "info", "check")
    elif option.allowed:
        path = kit.esc(kit.query(PATH, item=option.item))
        label = f"Change to {option.name}"
        action = f'<a class="tp-btn" href="{path}">{label}</a>'
    else:
        action = ""
    when = option.why if not option.allowed else _when(option, plan, visit)
    if option.item == plan.item:
        when = ""
    return (
        f'<div class="tp-option"><div><h2 class="tp-h3">{kit.esc(option.name)}</h2>'
        f'<span class="tp-muted">{option.monthly_credits:,} videos a month</span></div>'
        f'<div class="tp-option__price">{wording.price(option.price, option.interval)}'
        f'<span class="tp-muted tp-small">{kit.esc(when)}</span></div>'
        f'<div class="tp-option__act">{action}</div></div>'
    )


def _when(
    option: change_service.ChangeOption, plan: payment_service.PlanView, visit: session.Visit
) -> str:
    if option.when == "now":
        return "Now; you pay the difference"
    return f"From {wording.day(plan.current_period_end, visit.zone)}"


def _preview(visit: session.Visit, plan: payment_service.PlanView, item: str) -> None:
    """What the change costs, and the button that says the same sum."""
    try:
        preview = _kept(visit, item)
    except errors.Unavailable:
        kit.show(kit.heading("Change plan", back=PATH, to="All plans"))
        kit.show(acting.away("We cannot say what this costs just now."))
        return
    except errors.AppError as refusal:
        kit.show(kit.heading("Change plan", back=PATH, to="All plans"))
        kit.show(kit.notice(acting.words_of(refusal), kind="bad"))
        return
    kit.show(kit.heading(f"Change to {preview.name}", back=PATH, to="All plans"))
    if st.session_state.pop(_STALE, False):
        kit.show(kit.notice(_MOVED_ON, kind="warn"))
    with st.container(key="tp-narrow"):
        kit.show(_bill(visit, preview))
        place = st.container()
        _confirm(visit, preview, place)
        kit.show(
            f'<p class="tp-hint tp-center">{_promise(visit, plan, preview)}</p>'
            f'<p class="tp-center">{kit.inner_link(f"Keep {plan.name}", "/account")}</p>'
        )


def _kept(visit: session.Visit, item: str) -> change_service.ChangePreview:
    """The preview as it was first shown, for as long as it holds; a new one after that."""
    kept: change_service.ChangePreview | None = st.session_state.get(_PREVIEW)
    if kept is not None and kept.item == item and runtime.current().clock() < kept.valid_until:
        return kept
    with st.spinner("Working out the exact sum"):
        fresh = change_service.change_service.preview(user_id=visit.user_id or "", item=item)
    st.session_state[_PREVIEW] = fresh
    return fresh


def _bill(visit: session.Visit, preview: change_service.ChangePreview) -> str:
    """The lines and their sum, then what comes after."""
    lines = "".join(
        f'<tr><td>{kit.esc(line.description)}</td><td class="tp-right">'
        f"{wording.amount(line.amount)}</td></tr>"
        for line in preview.lines
    )
    if preview.to_balance.minor:
        lines += (
            '<tr><td>Kept as credit for your next invoices</td><td class="tp-right">'
            f"{wording.amount(preview.to_balance)}</td></tr>"
        )
    at = wording.day(preview.next_invoice_at, visit.zone)
    rows = [("Next invoice", f"{wording.amount(preview.next_invoice)} on {at}")]
    if preview.when == "now":
        rows.append(("Videos now", f"+{preview.credits_now:,}"))
    else:
        rows.append(("Begins", wording.day(preview.at, visit.zone)))
    rows.append(("Videos after that", f"{preview.monthly_credits:,} a month"))
    return (
        '<section class="tp-card tp-bill"><table class="tp-table"><thead><tr>'
        '<th scope="col">What for</th><th scope="col" class="tp-right">Amount</th></tr></thead>'
        f'<tbody>{lines}</tbody><tfoot><tr><th scope="row">Charge today</th>'
        f'<td class="tp-right">{wording.amount(preview.charge_today)}</td></tr></tfoot></table>'
        f"{kit.facts(rows)}</section>"
    )


def _confirm(
    visit: session.Visit, preview: change_service.ChangePreview, place: DeltaGenerator
) -> None:
    """The button with the sum on it; how that ended is the next page."""
    if not st.button(_label(visit, preview), key="tp-confirm", type="primary", width="stretch"):
        return
    with acting.refused_in(place), st.spinner("Changing your plan"):
        try:
            outcome = change_service.change_service.confirm(
                user_id=visit.user_id or "",
                token=preview.token,
                request_id=session.request_id(f"change:{preview.token}"),
            )
        except errors.Conflict as refusal:
            if refusal.code != "change.stale":
                raise
            st.session_state.pop(_PREVIEW, None)
            st.session_state[_STALE] = True
            st.rerun()
        # A second press of a double click finds the preview, and is answered the same.
        st.session_state[_OUTCOME] = outcome
        st.rerun()


def _label(visit: session.Visit, preview: change_service.ChangePreview) -> str:
    if preview.when == "period_end":
        return f"Change to {preview.name} on {wording.day(preview.at, visit.zone)}"
    if preview.charge_today.minor > 0:
        return f"Change to {preview.name} and pay {wording.amount(preview.charge_today)}"
    return f"Change to {preview.name}, nothing to pay today"


def _promise(
    visit: session.Visit,
    plan: payment_service.PlanView,
    preview: change_service.ChangePreview,
) -> str:
    if preview.when == "period_end":
        day = wording.day(preview.at, visit.zone)
        return kit.esc(f"You keep {plan.name} until {day} and can undo this until then.")
    until = preview.valid_until.astimezone(visit.zone)
    return kit.esc(
        f"This sum is exact until {until:%H:%M}. If the payment fails, you keep {plan.name}."
    )


def _ended(visit: session.Visit, outcome: change_service.ChangeOutcome) -> None:
    """How the change ended, said once it has."""
    if outcome.state == "waiting":
        amount = f" {wording.amount(outcome.charged)}" if outcome.charged else " the payment"
        doors.result(
            kit.icon("account_balance"),
            f"Your bank asks you to confirm{amount}",
            "This takes a minute. Your plan changes as soon as you have.",
            '<div class="tp-actions">'
            + kit.out_button("Confirm with bank", outcome.pay_url)
            + kit.link_button("Open account", "/account")
            + "</div>",
        )
    elif outcome.state == "failed":
        doors.result(
            kit.icon("credit_card_off"),
            "The payment did not go through",
            outcome.message or "Nothing was charged, and your plan is as it was.",
            '<div class="tp-actions">'
            + standing.update_card(visit, primary=True)
            + kit.link_button("Try again", kit.query(PATH, item=outcome.item))
            + "</div>",
            kind="bad",
        )
    else:
        _changed(visit, outcome)


def _changed(visit: session.Visit, outcome: change_service.ChangeOutcome) -> None:
    rows: list[tuple[str, str]] = []
    if outcome.state == "scheduled":
        heading = f"{outcome.name} begins on {wording.day(outcome.at, visit.zone)}."
        lead = "Nothing was charged. Until then everything stays as it is."
    else:
        heading = f"You are on {outcome.name}."
        added = outcome.credits_added
        lead = f"{wording.videos(added)} {wording.are(added)} ready." if added else outcome.message
        if outcome.charged is not None:
            rows.append(("Charged", wording.amount(outcome.charged)))
        if visit.account is not None:
            rows.append(("You have", wording.videos(visit.account.credits.available)))
    doors.result(
        kit.icon("check" if outcome.state == "done" else "event_upcoming"),
        heading,
        lead,
        (kit.facts(rows) if rows else "")
        + '<div class="tp-actions">'
        + kit.link_button("Open account", "/account", primary=True)
        + (kit.link_button("Make a video", "/studio") if outcome.state == "done" else "")
        + "</div>",
        kind="good",
    )
