"""What is offered to somebody who wants to leave: one thing, and it never stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, changes, customers, endings, subscriptions
from talkingphoto.billing.endings import Cancellation, OfferKind
from talkingphoto.events import plans
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors, wording
from talkingphoto.integrations.stripe_discounts import NewCoupon
from talkingphoto.runtime import Runtime
from talkingphoto.workflows import change_making, change_preview, pausing

STAY = NewCoupon(id="talkingphoto_stay_20", name="20 % off for staying", percent=20, months=3)
# What helps against what, the best first; a plan may not be able to have all of them.
_HELPS: dict[str, tuple[OfferKind, ...]] = {
    "too_expensive": ("downgrade", "discount", "pause"),
    "unused": ("pause", "discount"),
    "": ("pause", "downgrade", "discount"),
}
_ELSE: tuple[OfferKind, ...] = ("discount", "pause", "downgrade")


@dataclass(frozen=True)
class SaveOffer:
    """One thing to have instead of the end."""

    kind: OfferKind
    title: str
    words: str
    action: str


def offer(
    plan: subscriptions.Subscription, *, reason: str, may_have_discount: bool
) -> SaveOffer | None:
    """The offer that fits the plan and the reason; None when nothing does."""
    possible = _possible(plan, may_have_discount=may_have_discount)
    for kind in _HELPS.get(reason, _ELSE):
        if kind in possible:
            return _in_words(kind, plan)
    return None


def may_have_discount(session: Session, plan: subscriptions.Subscription, *, now: datetime) -> bool:
    """Whether less may be charged for the plan: not beside a discount, and once in a year."""
    fresh = endings.may_have_discount(session, user_id=plan.user_id, now=now)
    return fresh and not plan.standing.discount_at(now)


def accept(runtime: Runtime, *, user_id: str, request_id: str, kind: str) -> str:
    """The offer is in force and the plan goes on: what that means, in a sentence."""
    now = runtime.clock()
    with runtime.transaction() as session:
        customers.lock(session, user_id=user_id)
        plan = subscriptions.of_customer(session, user_id=user_id)
        asked = endings.of_request(session, user_id=user_id, request_id=request_id)
        if plan is None or (asked is not None and asked.offer_accepted != kind):
            raise errors.Conflict(*_GONE)
        if asked is None:
            allowed = may_have_discount(session, plan, now=now)
            if kind not in _possible(plan, may_have_discount=allowed):
                raise errors.Conflict(*_GONE)
            wish = Cancellation(
                user_id=user_id,
                request_id=request_id,
                subscription_id=plan.id,
                state="offered",
                at_once=False,
                why=endings.Why(),
                ends_at=plan.period_end,
                offer_shown=kind,
                offer_accepted=kind,
            )
            asked = endings.ask(session, wish, now=now)
    if asked.state == "offered":
        carry_out(runtime, asked)
    return _done(kind, plan)


def carry_out(runtime: Runtime, wish: Cancellation) -> None:
    """What was accepted is so at Stripe and here; what cannot be any more is given up."""
    try:
        _tell(runtime, wish)
    except (errors.Conflict, errors.InvalidRequest, errors.NotFound):
        now = runtime.clock()
        with runtime.transaction() as session:
            endings.move(session, wish=wish, to="ended", at=now)
        raise
    look = look_at(runtime)
    plan = plans.seen(look, wish.subscription_id)
    with runtime.transaction() as session:
        customers.lock(session, user_id=wish.user_id)
        if plan is not None:
            plans.record(session, user_id=wish.user_id, plan=plan)
        endings.move(session, wish=wish, to="kept", at=look.now)


def _tell(runtime: Runtime, wish: Cancellation) -> None:
    if wish.offer_accepted == "pause":
        _pause(runtime, wish)
    elif wish.offer_accepted == "downgrade":
        _downgrade(runtime, wish)
    else:
        coupon_id = runtime.gateway.ensure_coupon(STAY)
        runtime.gateway.add_coupon(
            wish.subscription_id, coupon_id=coupon_id, key=f"stay:{wish.key}"
        )


def _pause(runtime: Runtime, wish: Cancellation) -> None:
    with runtime.read_only() as session:
        plan = subscriptions.of_customer(session, user_id=wish.user_id)
    if plan is None or plan.standing.is_paused:
        return  # it rests already, or there is nothing left to rest
    pausing.pause(runtime, user_id=wish.user_id, until=pausing.choices(plan)[0].until)


def _downgrade(runtime: Runtime, wish: Cancellation) -> None:
    with runtime.read_only() as session:
        plan = subscriptions.of_customer(session, user_id=wish.user_id)
        asked = changes.find(session, user_id=wish.user_id, request_id=wish.request_id)
    smaller = catalog.smaller(plan.item) if plan else None
    if smaller is None or (asked is not None and asked.state != "asked"):
        return  # it is made, or there is nothing left to make smaller
    shown = change_preview.preview(runtime, user_id=wish.user_id, item=smaller.key)
    change_making.confirm(
        runtime, user_id=wish.user_id, token=shown.token, request_id=wish.request_id
    )


def _possible(plan: subscriptions.Subscription, *, may_have_discount: bool) -> frozenset[OfferKind]:
    if plan.status != "active" or plan.cancel_at_period_end or plan.standing.is_paused:
        return frozenset()
    possible: set[OfferKind] = {"downgrade"} if catalog.smaller(plan.item) else set()
    if plan.item.interval == "month":  # a year is paid: nothing is left to rest or to take off
        possible.add("pause")
        if may_have_discount:
            possible.add("discount")
    return frozenset(possible)


def _in_words(kind: OfferKind, plan: subscriptions.Subscription) -> SaveOffer:
    if kind == "pause":
        return SaveOffer(
            kind="pause",
            title="Take a break instead",
            words=f"Pause {plan.item.title} for a month. Nothing is charged, and you keep your"
            " videos.",
            action="Pause for a month",
        )
    if kind == "downgrade":
        smaller = _smaller(plan)
        return SaveOffer(
            kind="downgrade",
            title=f"{smaller.title} may be enough",
            words=f"{smaller.title} is {wording.amount(smaller.price)} a {smaller.interval} and"
            f" brings {smaller.credits} videos each month. You change to it on"
            f" {wording.day(plan.period_end)}.",
            action=f"Change to {smaller.title}",
        )
    return SaveOffer(
        kind="discount",
        title=f"Stay for {STAY.percent} % less",
        words=f"Pay {_reduced(plan)} a month for {STAY.months} months, then"
        f" {wording.amount(plan.price)} again. You get as many videos as before.",
        action=f"Take {STAY.percent} % off",
    )


def _done(kind: str, plan: subscriptions.Subscription) -> str:
    if kind == "pause":
        until = plan.standing.resumes_at or pausing.choices(plan)[0].until
        return (
            f"Your plan rests from {wording.day(plan.period_end)} to"
            f" {wording.day(until)}. Nothing is charged in between."
        )
    if kind == "downgrade":
        smaller = _smaller(plan)
        return f"You change to {smaller.title} on {wording.day(plan.period_end)}."
    return (
        f"You pay {_reduced(plan)} a month for {STAY.months} months, then"
        f" {wording.amount(plan.price)} again."
    )


def _smaller(plan: subscriptions.Subscription) -> catalog.Item:
    smaller = catalog.smaller(plan.item)
    assert smaller is not None, "a smaller plan was offered"
    return smaller


def _reduced(plan: subscriptions.Subscription) -> str:
    left = plan.price - plan.price.percent(STAY.percent)
    return wording.amount(left)


_GONE = ("offer.gone", "This offer is not there any more. Your plan runs as before.")
