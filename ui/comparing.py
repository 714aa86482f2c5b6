"""What comes with which plan, side by side."""

from __future__ import annotations

from services import payment_service
from ui import kit, wording

# What the rules of the studio and of the ledger say, in the words of a customer.
_FREE = {
    "Sharpest video": "540p",
    "Our mark on the video": "Yes",
    "Unused videos": "Stay",
    "Return within 14 days": "",
}
_PAID = {
    "Sharpest video": "720p",
    "Our mark on the video": "No",
    "Unused videos": "Roll over one month",
    "Return within 14 days": "Yes",
}
_LARGE = {**_PAID, "Sharpest video": "1080p"}
_PLANS = {"free": _FREE, "starter": _PAID, "pro": _LARGE, "enterprise": _LARGE}


def table(pricing: payment_service.Pricing, *, yearly: bool) -> str:
    """Every plan of the price list in a column of its own, at the prices of the period in view."""
    plans = [plan for plan in pricing.plans if plan.key in _PLANS]
    head = "".join(f'<th scope="col">{kit.esc(plan.name)}</th>' for plan in plans)
    rows = [("Videos", [_videos(plan) for plan in plans])]
    rows.append(("One video costs", [_each(plan, yearly=yearly) for plan in plans]))
    rows.extend((name, [_PLANS[plan.key][name] for plan in plans]) for name in _PAID)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(map(_cell, values))}</tr>'
        for name, values in rows
    )
    return (
        '<h2 class="tp-h2" style="margin-top:32px">What comes with what</h2>'
        '<div class="tp-card tp-compare"><table><thead><tr><td></td>'
        f"{head}</tr></thead><tbody>{body}</tbody></table>"
        '<p class="tp-muted tp-small">Every video carries a small “AI-generated” mark, on every '
        "plan. A video that cannot be made costs nothing.</p></div>"
    )


def _cell(value: str) -> str:
    return f"<td>{kit.esc(value) or '—'}</td>"


def _videos(plan: payment_service.PlanOffer) -> str:
    many = f"{plan.monthly_credits:,}"
    return f"{many} once" if plan.month is None else f"{many} a month"


def _each(plan: payment_service.PlanOffer, *, yearly: bool) -> str:
    if plan.month is None:
        return "Nothing"
    if yearly and plan.year is not None:
        return wording.each(plan.year, plan.monthly_credits * 12)
    return wording.each(plan.month, plan.monthly_credits)
