"""Home and prices: one promise, one picture, four plans in one panel, the packs."""

from __future__ import annotations

import streamlit as st

from services import payment_service
from talkingphoto.billing import catalog
from ui import kit, session, wording

EVERY_PAID_PLAN = (
    "Unused videos roll over one month",
    "Bought videos never expire",
    "Cancel any time",
)

# An account first, and then straight to what it is for.
_FIRST_VIDEO = kit.query("/sign-up", next="/studio")
# What the sample video says, made by the engine itself.
_SAID = "“Good morning, team. Here is what changed this week.”"


def page(visit: session.Visit) -> None:
    """Home is on the page, with the plans as they are for this person today."""
    pricing = payment_service.payment_service.pricing(visit.user_id)
    kit.show(_hero(visit))
    yearly = _cycle(pricing) == "Yearly"
    panel = (_plan(visit, pricing, plan, yearly=yearly) for plan in pricing.plans)
    kit.show(
        '<div class="tp-panel"><div class="tp-plans">',
        *panel,
        '</div><div class="tp-every"><strong>With every paid plan</strong>',
        kit.ticks(EVERY_PAID_PLAN),
        "</div></div>",
    )
    kit.show(
        '<h2 class="tp-h2" style="margin-top:32px">Packs</h2>'
        '<p class="tp-muted" style="margin:4px 0 16px">Bought once, with or without a plan. '
        "Used after the videos in your plan.</p>",
        '<div class="tp-packs">',
        *(_pack(visit, pack) for pack in pricing.packs),
        "</div>",
    )


def offer_words(pricing: payment_service.Pricing, item: str) -> tuple[str, str] | None:
    """What an item is called and what it costs, or None when we do not sell it."""
    for pack in pricing.packs:
        if pack.item == item:
            return wording.videos(pack.credits), f"{wording.amount(pack.price)}, once"
    for plan in pricing.plans:
        for interval, price in (("month", plan.month), ("year", plan.year)):
            if price is not None and item == f"{plan.key}:{interval}":
                return plan.name, wording.price(price, interval)
    return None


def checkout_button(
    visit: session.Visit, item: str, label: str, *, name: str = "", style: str = ""
) -> str:
    """A form that starts the checkout of an item, once however often it is clicked."""
    fields = {"item": item, "request_id": session.request_id(f"buy:{item}")}
    action = f"{visit.web_url}/billing/checkout"
    return kit.post_button(label, action, fields, style=style, name=name or label)


def _hero(visit: session.Visit) -> str:
    start = kit.link_button("Start with 3 free videos", _FIRST_VIDEO, primary=True)
    make = kit.link_button("Make a video", "/studio", primary=True)
    plans = kit.link_button("See plans", "#plans")
    action = f'<div class="tp-actions">{make}{plans}</div>' if visit.user else start
    promises = (
        ("credit_card_off", "No card needed to start"),
        ("undo", "A video that fails costs nothing"),
        ("lock", "Your photo is never used for training"),
    )
    points = "".join(f"<li>{kit.icon(sign)}<span>{text}</span></li>" for sign, text in promises)
    return (
        '<div class="tp-hero"><div class="tp-hero__text">'
        '<h1 class="tp-display">Give a photo a voice.</h1>'
        '<p class="tp-lead">Add a portrait, write what it should say, '
        "and get a video of it speaking.</p>"
        f'{action}<ul class="tp-promises">{points}</ul></div>'
        + kit.sample(_SAID, alt="Portrait of an astronaut, with the words it says below")
        + "</div>"
    )


def _cycle(pricing: payment_service.Pricing) -> str:
    """The billing period in view; it lives in the URL, so Back from checkout finds it again."""
    savings = {plan.yearly_saving_percent for plan in pricing.plans if plan.year}
    saving = f"save {'' if len(savings) == 1 else 'up to '}{max(savings, default=0)} %"
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="bottom",
        key="tp-plans-head",
    ):
        st.html(
            '<h2 class="tp-h2" id="plans">Plans</h2><span class="tp-muted">'
            f"Prices in US dollars, before tax. Pay by the year and {saving}.</span>",
            width="content",
        )
        # The binding writes the label into the URL, so the labels stay one word.
        chosen = st.segmented_control(
            "Billing period",
            ["Monthly", "Yearly"],
            default="Monthly",
            required=True,
            key="cycle",
            bind="query-params",
            label_visibility="collapsed",
        )
    return str(chosen)


def _plan(
    visit: session.Visit,
    pricing: payment_service.Pricing,
    plan: payment_service.PlanOffer,
    *,
    yearly: bool,
) -> str:
    current = _current_key(visit, pricing) == plan.key
    tag = kit.badge("Your plan", "info", "check") if current else ""
    count = "videos, once" if plan.month is None else "videos a month"
    return (
        f'<section class="tp-plan{" tp-plan--current" if current else ""}" '
        f'aria-label="{kit.esc(plan.name)} plan">'
        f'<div class="tp-plan__name"><h3 class="tp-h3">{kit.esc(plan.name)}</h3>{tag}</div>'
        f'<div class="tp-plan__count"><span class="tp-plan__videos">{plan.monthly_credits:,}</span>'
        f' <span class="tp-muted">{count}</span></div>'
        f"{_price(plan, yearly=yearly)}"
        f"{_plan_action(visit, pricing, plan, yearly=yearly)}</section>"
    )


def _price(plan: payment_service.PlanOffer, *, yearly: bool) -> str:
    price = plan.year if yearly else plan.month
    if plan.month is None or price is None:
        return (
            '<p class="tp-plan__price">$0 <span>for good</span></p>'
            '<p class="tp-plan__note">No card needed</p>'
        )
    note = wording.each(price, plan.monthly_credits * (12 if yearly else 1)) + " a video"
    if yearly:
        saved = wording.amount(plan.month.times(12) - price)
        note += f"<br><b>You save {saved} a year</b>"
    return (
        f'<p class="tp-plan__price">{wording.amount(price)} '
        f"<span>a {'year' if yearly else 'month'}</span></p>"
        f'<p class="tp-plan__note">{note}</p>'
    )


def _plan_action(
    visit: session.Visit,
    pricing: payment_service.Pricing,
    plan: payment_service.PlanOffer,
    *,
    yearly: bool,
) -> str:
    if _current_key(visit, pricing) == plan.key:
        until = wording.day(pricing.renews_at, visit.zone) if pricing.renews_at else ""
        state = f"Renews {until}" if until else "Yours already"
        return f'<div class="tp-plan__state">{state}</div>'
    if plan.month is None:
        label = "Start free"
        return (
            '<div class="tp-plan__state"></div>'
            if visit.user
            else f'<a class="tp-btn tp-btn--block" href="/sign-up">{label}</a>'
        )
    if pricing.current_item:
        return '<a class="tp-btn tp-btn--block" href="/contact">Ask us to switch</a>'
    item = f"{plan.key}:{'year' if yearly else 'month'}"
    return checkout_button(visit, item, f"Choose {plan.name}", style="tp-btn--block")


def _current_key(visit: session.Visit, pricing: payment_service.Pricing) -> str | None:
    if visit.user is None:
        return None
    return (pricing.current_item or "free").partition(":")[0]


def _pack(visit: session.Visit, pack: catalog.Pack) -> str:
    title = wording.videos(pack.credits)
    return (
        f'<div class="tp-pack"><h3>{title} for {wording.amount(pack.price)}</h3>'
        f'<span class="tp-muted tp-small">{wording.each(pack.price, pack.credits)} a video. '
        "Never expires.</span>"
        + checkout_button(visit, pack.item, "Buy", name=f"Buy {title}")
        + "</div>"
    )
