"""W14 for a plan change: whatever the order and number of its events, the end is the same."""

from __future__ import annotations

import os
from typing import Any

import hypothesis
from hypothesis import strategies as st
from sqlalchemy import text

from talkingphoto.billing import catalog
from talkingphoto.foundation import settings
from talkingphoto.runtime import Runtime
from tests.support import old_events
from tests.support.clocked import Clocked
from tests.support.databases import TestServer
from tests.support.sandbox import Event
from tests.support.shop import Shop

ORDERS = 3
ROWS = (
    "SELECT key, credits, price_minor, tax_minor, remaining, expires_at, reference FROM lots",
    "SELECT key, credits, price_minor, tax_minor, state, due_at FROM drips",
    "SELECT key, credits, invoice_id FROM plan_steps",
    "SELECT id, amount_minor, status, description, paid_at IS NULL FROM payments",
    "SELECT id, item, status, period_end FROM subscriptions",
    "SELECT key, template, facts::text FROM mails WHERE template <> 'first_sale'",
)


def changes_plan(ada: Clocked, item: str) -> None:
    """The plan is changed at Stripe, at once and with an invoice, as in its dashboard."""
    plans = ada.client.v1.subscriptions
    with ada.shop.runtime.read_only() as session:
        price = catalog.current_price_id(session, item_key=item)
    line = plans.retrieve(ada.plan)["items"].data[0].id
    wanted: Any = {"items": [{"id": line, "price": price}], "proration_behavior": "always_invoice"}
    plans.update(ada.plan, wanted)


def told(shop: Shop, ada: Clocked) -> list[Event]:
    """What the sandbox tells of a life with three changes, and two old events about it."""
    for item in ("pro:month", "starter:month", "enterprise:year"):
        ada.lives(seconds=5 * 24 * 3600 + 17)
        changes_plan(ada, item)
    events = [
        event
        for event in shop.new_events()
        if event["data"]["object"].get("customer") == ada.customer
    ]
    invoices = [e["data"]["object"] for e in events if e["type"] == "invoice.paid"]
    who = {"customer": ada.customer, "subscription": ada.plan}
    old = [old_events.invoice_paid(invoice=one["id"], **who) for one in invoices[1:3]]
    return [*events, *old, old_events.subscription_updated(**who)]


def snapshot(shop: Shop) -> set[str]:
    """Everything of the change that is on record, but for when we looked."""
    with shop.runtime.read_only() as session:
        return {str(tuple(row)) for query in ROWS for row in session.execute(text(query))}


def test_w14_any_order_of_the_events_of_changes_ends_the_same(
    postgres: TestServer, shop: Shop
) -> None:
    ada = Clocked(shop, "starter:month", hears=False)
    events = told(shop, ada)
    shop.runtime.database.dispose()

    def end_of(order: list[Event]) -> set[str]:
        with postgres.database(like=shop.runtime.database_url) as url:
            given_to_it = {"DATABASE_URL": url, "STRIPE_API_BASE": shop.sandbox.base}
            chosen = settings.load({**os.environ, **given_to_it})
            other = Shop(Runtime(chosen, clock=shop.clock), shop.sandbox, shop.clock)
            other.deliver(order)
            found = snapshot(other)
            other.runtime.database.dispose()
            return found

    as_they_came = end_of(events)

    @hypothesis.settings(max_examples=ORDERS, deadline=None, phases=[hypothesis.Phase.generate])
    @hypothesis.given(
        order=st.permutations(events), again=st.lists(st.sampled_from(events), max_size=8)
    )
    def ends_the_same(order: list[Event], again: list[Event]) -> None:
        assert sorted(end_of([*again, *order]) ^ as_they_came) == []

    ends_the_same()
