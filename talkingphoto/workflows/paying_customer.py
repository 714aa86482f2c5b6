"""A user as a customer of Stripe's."""

from __future__ import annotations

from talkingphoto.accounts import users
from talkingphoto.billing import customers
from talkingphoto.runtime import Runtime


def ensure(runtime: Runtime, *, user_id: str) -> str:
    """The id of that user's one Stripe customer, made if there was none."""
    with runtime.read_only() as session:
        known = customers.of_user(session, user_id=user_id).stripe_customer_id
        email = users.get(session, user_id=user_id).email
    if known is not None:
        return known
    made = runtime.gateway.ensure_customer(user_id=user_id, email=email)
    with runtime.transaction() as session:
        attached = customers.attach(session, user_id=user_id, stripe_customer_id=made)
    assert attached.stripe_customer_id is not None
    return attached.stripe_customer_id
