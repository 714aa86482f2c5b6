"""What a handler is: it looks at Stripe first, then answers with what to write, if anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import customers, warnings
from talkingphoto.events.inbox import StripeEvent
from talkingphoto.integrations.stripe_gateway import StripeGateway
from talkingphoto.runtime import Runtime

# Their objects name a charge and no customer: whose it is, the look at Stripe will say.
NAMES_NO_CUSTOMER = ("refund.", "charge.dispute.", "radar.early_fraud_warning.")
CARD_USED = "charge.succeeded"
Write = Callable[[Session], None]
Handler = Callable[["Look", StripeEvent], Write | None]
# Whether everything that the event tells is on record already, so that no look is needed.
Known = Callable[[Session, StripeEvent], bool]


@dataclass(frozen=True)
class Look:
    """How to look at Stripe: `looked_at` orders the looks, `now` is the product's time; `knows`
    says whether a customer there is one of ours."""

    stripe: StripeGateway
    looked_at: datetime
    now: datetime
    knows: Callable[[str | None], bool]
    # Minor units of usd up to which a warned payment is refunded at once.
    fraud_refund_up_to: int = 0


def look_at(runtime: Runtime) -> Look:
    """A look that begins now: what it sees is at least this new."""

    def knows(customer_id: str | None) -> bool:
        if customer_id is None:
            return False
        with runtime.read_only() as session:
            return customers.of_stripe(session, stripe_customer_id=customer_id) is not None

    return Look(
        stripe=runtime.gateway,
        looked_at=runtime.wall_clock(),
        now=runtime.clock(),
        knows=knows,
        fraud_refund_up_to=runtime.settings.fraud_refund_up_to,
    )


def is_ours(session: Session, event: StripeEvent) -> bool:
    """Whether the event is about a customer of ours, or may be since its object names none;
    everything that we sell has one."""
    customer_id = event.customer_id
    if customer_id is None:
        return event.type.startswith(NAMES_NO_CUSTOMER)
    if event.type == CARD_USED and not warnings.bars_any(session):
        return False  # which card has paid matters only once there is one to beware of
    return customers.of_stripe(session, stripe_customer_id=customer_id) is not None


def owner(session: Session, stripe_customer_id: str | None) -> str | None:
    """The user whose Stripe customer that is, with their lock taken; None for none of ours."""
    if stripe_customer_id is None:
        return None
    found = customers.of_stripe(session, stripe_customer_id=stripe_customer_id)
    if found is None:
        return None
    # Before anything is written: a new row that names the customer takes a share of their lock,
    # and two holders of a share would wait for each other to have it alone.
    customers.lock(session, user_id=found.user_id)
    return found.user_id
