"""One plan in the price list, as it is for this person today, and the button that starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services import payment_service, subscription_service
from talkingphoto.foundation.money import Money
from ui import acting, codes, kit, session, wording


@dataclass(frozen=True)
class Deal:
    """On what terms the plans are shown: the period, a code, and days of trial by item."""

    yearly: bool
    reduced: codes.Codes = codes.NONE
    trials: Mapping[str, int] = field(default_factory=dict)


def items(pricing: payment_service.Pricing, *, yearly: bool) -> tuple[str, ...]:
    """What can be bought of the plans, for the period in view."""
    interval = "year" if yearly else "month"
    return tuple(f"{plan.key}:{interval}" for plan in pricing.plans if plan.month is not None)


def trials(user_id: str | None, every: tuple[str, ...]) -> dict[str, int]:
    """For how many days which plan may be tried by this person; plans without a trial are out."""
    ask = subscription_service.subscription_service.trial_days
    days = acting.or_none(lambda: {item: ask(user_id, item) for item in every})
    return {item: count for item, count in (days or {}).items() if count}


def plan(
    visit: session.Visit,
    pricing: payment_service.Pricing,
    offer: payment_service.PlanOffer,
    deal: Deal,
) -> str:
    """The plan with its count, its price and what can be done about it."""
    current = _current_key(visit, pricing) == offer.key
    tag = kit.badge("Your plan", "info", "check") if current else ""
    count = "videos, once" if offer.month is None else "videos a month"
    item = f"{offer.key}:{'year' if deal.yearly else 'month'}"
    return (
        f'<section class="tp-plan{" tp-plan--current" if current else ""}" '
        f'aria-label="{kit.esc(offer.name)} plan">'
        f'<div class="tp-plan__name"><h3 class="tp-h3">{kit.esc(offer.name)}</h3>{tag}</div>'
        f'<div class="tp-plan__count"><span class="tp-plan__videos">{offer.monthly_credits:,}'
        f'</span> <span class="tp-muted">{count}</span></div>'
        f"{_price(offer, deal.yearly, deal.reduced.offers.get(item), deal.trials.get(item, 0))}"
        f"{_action(visit, pricing, offer, item, deal)}</section>"
    )


def checkout_button(
    visit: session.Visit,
    item: str,
    label: str,
    *,
    name: str = "",
    style: str = "",
    terms: Mapping[str, str] | None = None,
) -> str:
    """A form that starts the checkout of an item, once however often it is clicked."""
    fields = {"item": item, "request_id": session.request_id(intent(item, terms or {}))}
    fields |= terms or {}
    action = f"{visit.web_url}/billing/checkout"
    return kit.post_button(label, action, fields, style=style, name=name or label)


def intent(item: str, terms: Mapping[str, str]) -> str:
    """What is wanted: a code or a trial is another purchase, whose page has another price."""
    return ":".join(("buy", item, *filter(None, (terms.get("code"), terms.get("trial")))))


def _price(
    offer: payment_service.PlanOffer, yearly: bool, reduced: codes.CodeOffer | None, days: int
) -> str:
    price = offer.year if yearly else offer.month
    if offer.month is None or price is None:
        return (
            '<p class="tp-plan__price">$0 <span>for good</span></p>'
            '<p class="tp-plan__note">No card needed</p>'
        )
    note = wording.each(price, offer.monthly_credits * (12 if yearly else 1)) + " a video"
    if days:
        note = f"Free for {wording.days(days)}, then this price"
        if reduced is not None:
            note += f"<br>{kit.esc(reduced.words)}"
    elif reduced is not None:
        note = kit.esc(reduced.words)
    elif yearly:
        saved = wording.amount(offer.month.times(12) - price)
        note += f"<br><b>You save {saved} a year</b>"
    return (
        f'<p class="tp-plan__price">{_amount(price, reduced)} '
        f"<span>a {'year' if yearly else 'month'}</span></p>"
        f'<p class="tp-plan__note">{note}</p>'
    )


def _amount(price: Money, reduced: codes.CodeOffer | None) -> str:
    """The price, or the one before and the one with the code."""
    if reduced is None:
        return wording.amount(price)
    return (
        f'<s aria-label="before {wording.amount(reduced.before)}">'
        f"{wording.amount(reduced.before)}</s> {wording.amount(reduced.after)}"
    )


def _action(
    visit: session.Visit,
    pricing: payment_service.Pricing,
    offer: payment_service.PlanOffer,
    item: str,
    deal: Deal,
) -> str:
    if offer.month is None:
        return _free(visit, pricing)
    if pricing.current_item == item:
        until = wording.day(pricing.renews_at, visit.zone) if pricing.renews_at else ""
        state = f"Renews {until}" if until else "Yours already"
        mine = visit.account.plan if visit.account else None
        if mine is not None and mine.price not in (offer.month, offer.year):
            state = f"You pay {wording.amount(mine.price)}<br>{state}"
        return f'<div class="tp-plan__state">{state}</div>'
    if pricing.current_item:
        return _change(pricing.current_item, offer, item)
    terms = {"code": deal.reduced.code} if item in deal.reduced.offers else {}
    buy = checkout_button(visit, item, f"Choose {offer.name}", style="tp-btn--block", terms=terms)
    days = deal.trials.get(item)
    if not days:
        return buy
    label = f"Try {offer.name} for {wording.days(days)}"
    trying = checkout_button(
        visit, item, label, style="tp-btn--block", terms=terms | {"trial": "yes"}
    )
    return f'{trying}<div class="tp-plan__or">{buy}</div>'


def _free(visit: session.Visit, pricing: payment_service.Pricing) -> str:
    if visit.user is None:
        return '<a class="tp-btn tp-btn--block" href="/sign-up">Start free</a>'
    if pricing.current_item is None:
        return '<div class="tp-plan__state">Yours already</div>'
    return ""


def _change(current: str, offer: payment_service.PlanOffer, item: str) -> str:
    """The way to the preview; the same plan for another period is a switch."""
    label = f"Change to {offer.name}"
    if current.partition(":")[0] == offer.key:
        label = (
            f"Pay yearly, save {offer.yearly_saving_percent} %"
            if item.endswith(":year")
            else "Pay monthly instead"
        )
    path = kit.esc(kit.query("/change-plan", item=item))
    return f'<a class="tp-btn tp-btn--block" href="{path}">{label}</a>'


def _current_key(visit: session.Visit, pricing: payment_service.Pricing) -> str | None:
    if visit.user is None:
        return None
    return (pricing.current_item or "free").partition(":")[0]
