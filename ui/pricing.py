"""Home and prices: one promise, one picture, four plans in one panel, the packs."""

from __future__ import annotations

import streamlit as st

from services import payment_service
from talkingphoto.billing import catalog
from ui import codes, comparing, kit, panel, session, wording

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
    plans = st.container()
    deal = panel.Deal(yearly)
    if not pricing.current_item:
        items = panel.items(pricing, yearly=yearly)
        reduced = codes.ask(visit.user_id, items)
        deal = panel.Deal(yearly, reduced, panel.trials(visit.user_id, items))
    with plans:
        kit.show(
            '<div class="tp-panel"><div class="tp-plans">',
            *(panel.plan(visit, pricing, plan, deal) for plan in pricing.plans),
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
        comparing.table(pricing, yearly=yearly),
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


def _pack(visit: session.Visit, pack: catalog.Pack) -> str:
    title = wording.videos(pack.credits)
    return (
        f'<div class="tp-pack"><h3>{title} for {wording.amount(pack.price)}</h3>'
        f'<span class="tp-muted tp-small">{wording.each(pack.price, pack.credits)} a video. '
        "Never expires.</span>"
        + panel.checkout_button(visit, pack.item, "Buy", name=f"Buy {title}")
        + "</div>"
    )
