"""What a plan change costs and brings, and the signed offer that the customer says yes to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from talkingphoto.billing import catalog, changes, steps, subscriptions
from talkingphoto.billing.changes import PreviewFacts, PreviewLine, Standing
from talkingphoto.foundation import crypto, errors
from talkingphoto.foundation.money import Money
from talkingphoto.integrations.stripe_changes import ChangeOrder
from talkingphoto.runtime import Runtime

VALID_FOR = timedelta(minutes=10)
# The whole period that a part belongs to was billed within the last year.
LOOK_BACK = timedelta(days=370)
_UNREADABLE = ("change.token", "This page is out of date. Look at the change once more.")


@dataclass(frozen=True)
class ChangePreview:
    """What a change costs today and later, what it brings, and the token that confirms it."""

    item: str
    name: str
    when: changes.Kind
    at: datetime
    lines: tuple[PreviewLine, ...]
    charge_today: Money
    to_balance: Money
    next_invoice: Money
    next_invoice_at: datetime
    credits_now: int
    monthly_credits: int
    token: str
    valid_until: datetime


@dataclass(frozen=True)
class Offer:
    """What a token holds: the change as it was shown."""

    user_id: str
    subscription_id: str
    from_price: str
    to_item: str
    to_price: str
    kind: changes.Kind
    at: int
    charge: int
    total: int
    currency: str
    expires: int

    def shows(self, facts: PreviewFacts) -> bool:
        """Whether the change would still cost what was shown, to the cent."""
        return (facts.charge.minor, facts.invoice.total.minor) == (self.charge, self.total)


@dataclass(frozen=True)
class Start:
    """Where a change begins: the plan here, the subscription at Stripe, the plan to come."""

    standing: Standing
    old: catalog.Item
    new: catalog.Item
    price_id: str

    @property
    def kind(self) -> changes.Kind:
        """When the change is made."""
        return changes.kind_of(self.old, self.new)

    def order(self, at: datetime) -> ChangeOrder:
        """The change as Stripe is asked for it."""
        return ChangeOrder(
            subscription_id=self.standing.subscription_id,
            line_id=self.standing.line_id,
            price_id=self.price_id,
            at=at,
        )


def preview(runtime: Runtime, *, user_id: str, item: str) -> ChangePreview:
    """What that change would cost and bring at this moment; Conflict when it cannot be made."""
    start = begin(runtime, user_id=user_id, item=item)
    now = runtime.clock()
    at = start.standing.moment(now)
    following = runtime.gateway.preview_next(start.order(at))
    if start.kind == "period_end":
        return _later(runtime, user_id=user_id, start=start, following=following)
    facts = runtime.gateway.preview_change(start.order(at))
    offer = _offer(user_id, start, at=at, charge=facts.charge, total=facts.invoice.total, now=now)
    nothing = Money(0, facts.charge.currency)
    return ChangePreview(
        item=start.new.key,
        name=start.new.title,
        when="now",
        at=at,
        lines=_lines(facts),
        charge_today=facts.charge,
        to_balance=max(nothing, -facts.invoice.total),
        next_invoice=following.invoice.total,
        next_invoice_at=_next_at(start, facts),
        credits_now=_credits_now(runtime, start, facts, at=at),
        monthly_credits=start.new.credits,
        token=signer(runtime).sign(json.dumps(asdict(offer))),
        valid_until=datetime.fromtimestamp(offer.expires, UTC),
    )


def begin(runtime: Runtime, *, user_id: str, item: str) -> Start:
    """The change can be asked for: Conflict with what to do first when it cannot."""
    new = catalog.item(item)
    if not new.is_plan:
        raise errors.InvalidRequest("change.not_a_plan", "Choose a plan from the list.")
    with runtime.read_only() as session:
        plan = subscriptions.of_customer(session, user_id=user_id)
        if plan is None:
            raise changes.no_plan()
        price_id = catalog.current_price_id(session, item_key=new.key)
        ours = changes.schedules_of(session, subscription_id=plan.id)
    standing = runtime.gateway.fetch_standing(plan.id)
    if standing is None:
        raise changes.no_plan()
    with runtime.read_only() as session:
        old = catalog.item_of_price(session, price_id=standing.price_id)
    changes.unmanaged(standing, known_schedules=ours)
    old = old or plan.item
    refused = changes.refusal(
        status=standing.status, is_ending=standing.is_ending, old=old, new=new
    )
    if refused is not None:
        raise errors.Conflict(*refused)
    return Start(standing, old, new, price_id)


def read(runtime: Runtime, token: str, *, user_id: str) -> Offer:
    """The offer that was signed for this customer; InvalidRequest for any other text."""
    plain = signer(runtime).read(token)
    if plain is None:
        raise errors.InvalidRequest(*_UNREADABLE)
    offer = Offer(**json.loads(plain))
    if offer.user_id != user_id:
        raise errors.InvalidRequest(*_UNREADABLE)
    return offer


def signer(runtime: Runtime) -> crypto.Signer:
    """Signs offers, and nothing else."""
    secret = runtime.settings.secret_key.get_secret_value()
    return crypto.Signer(secret, purpose="talkingphoto plan change")


def _later(
    runtime: Runtime, *, user_id: str, start: Start, following: PreviewFacts
) -> ChangePreview:
    at = start.standing.period_end
    nothing = Money(0, following.charge.currency)
    offer = _offer(user_id, start, at=at, charge=nothing, total=nothing, now=runtime.clock())
    return ChangePreview(
        item=start.new.key,
        name=start.new.title,
        when="period_end",
        at=at,
        lines=(),
        charge_today=nothing,
        to_balance=nothing,
        next_invoice=following.invoice.total,
        next_invoice_at=at,
        credits_now=0,
        monthly_credits=start.new.credits,
        token=signer(runtime).sign(json.dumps(asdict(offer))),
        valid_until=datetime.fromtimestamp(offer.expires, UTC),
    )


def _offer(
    user_id: str, start: Start, *, at: datetime, charge: Money, total: Money, now: datetime
) -> Offer:
    return Offer(
        user_id=user_id,
        subscription_id=start.standing.subscription_id,
        from_price=start.standing.price_id,
        to_item=start.new.key,
        to_price=start.price_id,
        kind=start.kind,
        at=int(at.timestamp()),
        charge=charge.minor,
        total=total.minor,
        currency=charge.currency,
        expires=int((now + VALID_FOR).timestamp()),
    )


def _lines(facts: PreviewFacts) -> tuple[PreviewLine, ...]:
    """Stripe's lines, and what makes their sum the charge: taxes on top, and the balance."""
    nothing = Money(0, facts.charge.currency)
    listed = sum((line.amount for line in facts.lines), nothing)
    extra = (
        PreviewLine("Tax and discounts", facts.invoice.total - listed),
        PreviewLine("Kept on your account", max(nothing, -facts.invoice.total)),
        PreviewLine("From your account", facts.charge - max(nothing, facts.invoice.total)),
    )
    return (*facts.lines, *(line for line in extra if line.amount != nothing))


def _next_at(start: Start, facts: PreviewFacts) -> datetime:
    """A new period ends with its own line; else the present one goes on."""
    whole = [line.period_end for line in facts.invoice.lines if not line.is_proration]
    return max(whole, default=start.standing.period_end)


def _credits_now(runtime: Runtime, start: Start, facts: PreviewFacts, *, at: datetime) -> int:
    """What the invoice will bring at once, by the same sums as when it is paid."""
    family = runtime.gateway.fetch_invoices(start.standing.subscription_id, since=at - LOOK_BACK)
    paid = replace(facts.invoice, status="paid", billing_reason=steps.CHANGE)
    with runtime.read_only() as session:
        brought = steps.brought_by(session, (*family, paid))
    return sum(
        one.credits
        for one in brought
        if one.bill.id == paid.id and (one.at_once or one.month.number == 0)
    )
