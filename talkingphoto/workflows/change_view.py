"""The plans a customer can change to, and the change that is under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, changes, subscriptions
from talkingphoto.foundation.money import Money


@dataclass(frozen=True)
class ChangeOption:
    """A plan to change to, when that would be, and why it cannot be chosen now."""

    item: str
    name: str
    interval: catalog.Interval
    price: Money
    monthly_credits: int
    when: changes.Kind
    allowed: bool
    why: str


@dataclass(frozen=True)
class PendingChange:
    """The plan that begins when the present period ends."""

    item: str
    name: str
    interval: catalog.Interval
    price: Money
    monthly_credits: int
    at: datetime


@dataclass(frozen=True)
class ChangeView:
    """What can be changed; what is going to; and where a change that waits can be paid."""

    options: tuple[ChangeOption, ...]
    pending: PendingChange | None
    waiting_url: str | None


def of_customer(session: Session, *, user_id: str) -> ChangeView:
    """The customer's choices; none without a plan."""
    plan = subscriptions.of_customer(session, user_id=user_id)
    change = changes.open_of(session, user_id=user_id)
    if plan is None:
        return ChangeView((), None, None)
    plans = (item for item in catalog.ITEMS.values() if item.is_plan)
    return ChangeView(
        options=tuple(_option(plan, item) for item in plans),
        pending=pending(change),
        waiting_url=pay_url(change),
    )


def pending(change: changes.Change | None) -> PendingChange | None:
    """The change as a banner tells of it; None for one that does not wait for its date."""
    if change is None or change.state != "scheduled":
        return None
    item = catalog.item(change.to_item)
    assert item.interval is not None, "a change is to a plan"
    return PendingChange(
        item=item.key,
        name=item.title,
        interval=item.interval,
        price=item.price,
        monthly_credits=item.credits,
        at=change.at,
    )


def pay_url(change: changes.Change | None) -> str | None:
    """Where a change can be paid that waits for its payment."""
    return change.pay_url if change and change.state == "waiting" else None


def _option(plan: subscriptions.Subscription, item: catalog.Item) -> ChangeOption:
    assert item.interval is not None, "a change is to a plan"
    # A plan that rests is active at Stripe.
    status = "paused" if plan.standing.is_paused else plan.status
    refused = changes.refusal(
        status=status, is_ending=plan.cancel_at_period_end, old=plan.item, new=item
    )
    return ChangeOption(
        item=item.key,
        name=item.title,
        interval=item.interval,
        price=item.price,
        monthly_credits=item.credits,
        when=changes.kind_of(plan.item, item),
        allowed=refused is None,
        why=refused[1] if refused else "",
    )
