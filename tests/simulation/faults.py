"""Bugs that the simulation must find, each planted where the product takes its handlers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe
from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, customers, ledger, subscriptions
from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.events.handling import Handler, Known, Look, Write, owner
from talkingphoto.events.inbox import StripeEvent
from talkingphoto.events.table import HANDLERS, KNOWN
from talkingphoto.integrations import stripe_reading
from talkingphoto.runtime import Runtime

_PAID = ("invoice.paid", "invoice.payment_succeeded")
_CHANGED = ("customer.subscription.created", "customer.subscription.updated")


@dataclass(frozen=True)
class Build:
    """How the product handles events in a simulation."""

    handlers: Mapping[str, Handler] = field(default_factory=lambda: dict(HANDLERS))
    known: Mapping[str, Known] = field(default_factory=lambda: dict(KNOWN))


Plan = Callable[[Runtime], Build]


def none(_runtime: Runtime) -> Build:
    """The product as it is."""
    return Build()


def granted_by_event(_runtime: Runtime) -> Build:
    """Credits are granted under the name of the event, of which one invoice has several."""
    return _paid_by(lambda session, user_id, event, lot: _grant(session, lot, key=event.id))


def without_lock(_runtime: Runtime) -> Build:
    """Whether credits were granted is looked up, then they are, and nobody is kept out between."""
    return _paid_by(_grant_unless_there)


def with_lock(_runtime: Runtime) -> Build:
    """The same, but the customer's lock is taken first: what `without_lock` lacks."""

    def grant(session: Session, user_id: str, event: StripeEvent, lot: ledger.NewLot) -> None:
        customers.lock(session, user_id=user_id)
        _grant_unless_there(session, user_id, event, lot)

    return _paid_by(grant)


def trusting_payloads(runtime: Runtime) -> Build:
    """A subscription is what its event says, however old that is."""

    def handle(look: Look, event: StripeEvent) -> Write | None:
        facts = _as_told(runtime, event)
        return lambda session: _record(session, facts, look)

    return Build(handlers={**HANDLERS, **dict.fromkeys(_CHANGED, handle)})


# By the name under which a simulation is asked for them; the empty one is no fault.
ALL: dict[str, Plan] = {
    "": none,
    **{plan.__name__: plan for plan in (granted_by_event, trusting_payloads, without_lock)},
}
_Grant = Callable[[Session, str, StripeEvent, ledger.NewLot], None]


def _paid_by(grant: _Grant) -> Build:
    """Monthly invoices bring their credits in this way; all else is as it is."""

    def handle(look: Look, event: StripeEvent) -> Write | None:
        facts = look.stripe.fetch_invoice(event.object_id)
        if facts is None or not _is_month(facts):
            return HANDLERS[event.type](look, event)

        def write(session: Session) -> None:
            found = customers.of_stripe(session, stripe_customer_id=facts.customer_id or "")
            if found is None:
                return
            lot = _lot(session, facts, user_id=found.user_id)
            if lot is not None and facts.status == "paid":
                grant(session, found.user_id, event, lot)
            subscriptions.record_invoice(
                session, user_id=found.user_id, facts=facts, looked_at=look.looked_at
            )

        return write

    # The PaymentIntent's event would grant as the product does: it is left out.
    handlers = {**HANDLERS, **dict.fromkeys(_PAID, handle)}
    handlers["payment_intent.succeeded"] = lambda look, event: None
    return Build(handlers=handlers, known={})


def _is_month(facts: InvoiceFacts) -> bool:
    return facts.billing_reason == "subscription_cycle" and all(
        (line.period_end - line.period_start).days < 40 for line in facts.lines
    )


def _lot(session: Session, facts: InvoiceFacts, *, user_id: str) -> ledger.NewLot | None:
    for line in facts.lines:
        sold = catalog.item_of_price(session, price_id=line.price_id or "")
        if sold is not None and not line.is_proration:
            return ledger.NewLot(
                key="", user_id=user_id, source="plan", credits=sold.credits, reference=facts.id
            )
    return None


def _grant(session: Session, lot: ledger.NewLot, *, key: str) -> None:
    named = ledger.NewLot(
        key=key,
        user_id=lot.user_id,
        source=lot.source,
        credits=lot.credits,
        reference=lot.reference,
    )
    at = session.execute(text("SELECT now()")).scalar_one()
    ledger.grant(session, named, now=at)


def _grant_unless_there(
    session: Session, user_id: str, event: StripeEvent, lot: ledger.NewLot
) -> None:
    there = text("SELECT 1 FROM lots WHERE reference = :reference")
    if session.execute(there, {"reference": lot.reference}).first() is None:
        # As long as it takes on a busy machine.
        session.execute(text("SELECT pg_sleep(0.15)"))
        _grant(session, lot, key=event.id)


def _as_told(runtime: Runtime, event: StripeEvent) -> SubscriptionFacts:
    query = text("SELECT payload FROM stripe_events WHERE id = :id")
    with runtime.read_only() as session:
        payload: Any = json.loads(session.execute(query, {"id": event.id}).scalar_one())
    told = stripe.Subscription.construct_from(payload["data"]["object"], key=None)
    return stripe_reading.subscription(told)


def _record(session: Session, facts: SubscriptionFacts, look: Look) -> None:
    user_id = owner(session, facts.customer_id)
    if user_id is not None:
        subscriptions.record(session, user_id=user_id, facts=facts, looked_at=look.looked_at)
