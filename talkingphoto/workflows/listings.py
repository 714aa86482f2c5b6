"""What is compared with Stripe: how each kind is listed, read again and put right.

A new kind is one entry here, a statement in billing/comparison_sql.py, and its handler's write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, customers, duplicates, plan_credits
from talkingphoto.billing.comparisons import Seen, Window
from talkingphoto.billing.disputes import DisputeFacts
from talkingphoto.billing.payments import CheckoutFacts
from talkingphoto.billing.refunds import RefundFacts
from talkingphoto.billing.subscriptions import InvoiceFacts, SubscriptionFacts
from talkingphoto.events import checkout, disputes, invoices, refunds, subscriptions
from talkingphoto.events.handling import Look, Write
from talkingphoto.foundation.money import Money
from talkingphoto.integrations.stripe_gateway import StripeGateway
from talkingphoto.integrations.stripe_listing import Page


@dataclass(frozen=True)
class Listing:
    """One kind of object: a page of it, one of it, how it is compared, and what puts it right;
    `heal` is None where only a person can."""

    name: str
    page: Callable[[StripeGateway, Window, str | None], Page[Any]]
    one: Callable[[StripeGateway, str], Any]
    seen: Callable[[Session, Any], Seen | None]
    heal: Callable[[Look, str], Write | None] | None = None

    def read(self, session: Session, found: Iterable[Any]) -> list[Seen]:
        """Those of the objects that are compared."""
        rows = (self.seen(session, one) for one in found)
        return [row for row in rows if row is not None]


def _as_listed(_session: Session, found: Seen) -> Seen:
    return found


def _plan(session: Session, found: SubscriptionFacts) -> Seen:
    ours = (one for one in found.items if catalog.item_of_price(session, price_id=one.price_id))
    item = next(ours, None)
    return Seen(
        object_id=found.id,
        status=found.status + (", ends" if found.cancel_at_period_end else ""),
        created_at=found.started_at,
        customer_id=found.customer_id,
        price_id=item.price_id if item else None,
        period_end=item.period_end if item else None,
    )


def _invoice(session: Session, found: InvoiceFacts) -> Seen:
    return Seen(
        object_id=found.id,
        status="void" if found.status == "uncollectible" else found.status,
        created_at=found.created_at,
        customer_id=found.customer_id,
        reference=found.payment_intent_id,
        # What goes to the customer's balance is no payment.
        amount=max(found.total, Money(0, found.total.currency)),
        grants=_earned(session, found),
    )


def _earned(session: Session, found: InvoiceFacts) -> tuple[str, ...]:
    if duplicates.is_one(session, subscription_id=found.subscription_id):
        return ()  # paid by accident, and on its way back
    if found.top_up_id is not None:
        return (f"invoice:{found.id}",) if found.status == "paid" else ()
    return plan_credits.lots_of(session, facts=found)


def _checkout(_session: Session, found: CheckoutFacts) -> Seen | None:
    if found.mode != "payment" or found.item not in catalog.ITEMS or found.amount is None:
        return None  # the first payment of a plan is an invoice, the rest is not ours
    return Seen(
        object_id=found.id,
        status="paid" if found.is_paid else found.state,
        created_at=found.created_at,
        customer_id=found.customer_id,
        user_id=found.user_id,
        reference=found.payment_intent_id,
        amount=found.amount,
        grants=(f"checkout:{found.id}",),
    )


def _given_back(_session: Session, found: RefundFacts | DisputeFacts) -> Seen:
    return Seen(
        object_id=found.id,
        status=found.state,
        created_at=found.created_at,
        reference=found.payment_intent_id,
        amount=found.amount,
    )


def _follow_refund(look: Look, refund_id: str) -> Write | None:
    found = look.stripe.fetch_refund(refund_id)
    return refunds.write_of(look, (found,)) if found else None


def _attach_customer(look: Look, customer_id: str) -> Write | None:
    found = look.stripe.fetch_customer(customer_id)
    if found is None or found.user_id is None:
        return None
    user_id = found.user_id

    def write(session: Session) -> None:
        customers.attach(session, user_id=user_id, stripe_customer_id=customer_id)

    return write


# In this order: whose an object is must be known before it, and what a payment is for before it.
LISTINGS = (
    Listing(
        "customer",
        lambda stripe, window, after: stripe.list_customers(window, after=after),
        lambda stripe, key: stripe.fetch_customer(key),
        _as_listed,
        _attach_customer,
    ),
    Listing(
        "subscription",
        lambda stripe, window, after: stripe.list_subscriptions(window, after=after),
        lambda stripe, key: stripe.fetch_subscription(key),
        _plan,
        subscriptions.write_of,
    ),
    Listing(
        "invoice",
        lambda stripe, window, after: stripe.list_invoices(window, after=after),
        lambda stripe, key: stripe.fetch_invoice(key),
        _invoice,
        invoices.write_of,
    ),
    Listing(
        "payment",
        lambda stripe, window, after: stripe.list_checkouts(window, after=after),
        lambda stripe, key: stripe.fetch_checkout(key),
        _checkout,
        checkout.write_of,
    ),
    Listing(
        "refund",
        lambda stripe, window, after: stripe.list_refunds(window, after=after),
        lambda stripe, key: stripe.fetch_refund(key),
        _given_back,
        _follow_refund,
    ),
    Listing(
        "dispute",
        lambda stripe, window, after: stripe.list_disputes(window, after=after),
        lambda stripe, key: stripe.fetch_dispute(key),
        _given_back,
        disputes.write_of,
    ),
    Listing(
        "intent",
        lambda stripe, window, after: stripe.list_payments(window, after=after),
        lambda stripe, key: stripe.fetch_intent(key),
        _as_listed,
    ),
)


def of_object(kind: str, object_id: str) -> Listing | None:
    """How an object of that kind is read again and put right; None for what is no list."""
    name = "intent" if object_id.startswith("pi_") else kind
    return next((listing for listing in LISTINGS if listing.name == name), None)
