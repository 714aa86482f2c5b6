"""W19: events that never reached us are asked for, and the end is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import requests
from sqlalchemy import text

from talkingphoto.billing import ledger
from tests.support.jobs import run_due_jobs
from tests.support.shop import Shop


@contextmanager
def an_endpoint_that_hears_nothing(shop: Shop) -> Iterator[None]:
    """Stripe tells our address of everything, and nothing arrives."""
    client = shop.sandbox.client(shop.key)
    endpoint = client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/webhook", "enabled_events": ["*"]}
    )
    lab = f"{shop.sandbox.base}/_sandbox/endpoints/{endpoint.id}/lab"
    assert requests.post(lab, data={"drop": "on"}, timeout=10).ok
    try:
        yield
    finally:
        client.v1.webhook_endpoints.delete(endpoint.id)


def stored(shop: Shop) -> set[str]:
    """The ids of the events that are here."""
    with shop.runtime.read_only() as session:
        return set(session.scalars(text("SELECT id FROM stripe_events")))


def test_w19_ten_events_that_were_dropped_are_pulled_and_the_state_is_stripes(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    with an_endpoint_that_hears_nothing(shop):
        shop.pays(ada, "pack:10")
        shop.pays(ada, "starter:month")
        shop.pays(bob, "pro:month")
    assert stored(shop) == set()
    pulled = shop.reconciliation.pull_missed()
    assert pulled >= 10
    assert shop.reconciliation.pull_missed() == 0
    run_due_jobs(shop)
    assert (shop.balance(ada), shop.balance(bob)) == (43, 103)
    views = [shop.payments.account(person.id) for person in (ada, bob)]
    assert [view.plan and view.plan.status for view in views] == ["active", "active"]
    assert [len(view.invoices) for view in views] == [2, 1]
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_an_event_that_came_both_ways_is_one_event(shop: Shop) -> None:
    ada = shop.a_person()
    with an_endpoint_that_hears_nothing(shop):
        shop.pays(ada, "pack:10")
    told = shop.new_events()
    shop.deliver(told[:1])
    shop.reconciliation.pull_missed()
    assert {event["id"] for event in told} <= stored(shop)
    shop.deliver(told)
    run_due_jobs(shop)
    assert shop.balance(ada) == 13
    with shop.runtime.read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM event_conflicts")) == 0


def test_a_pull_remembers_how_far_it_looked_and_never_farther_than_thirty_days(shop: Shop) -> None:
    def looked() -> list[object]:
        with shop.runtime.read_only() as session:
            found = session.execute(text("SELECT looked_until, began_at, after FROM event_pulls"))
            return [tuple(row) for row in found]

    shop.reconciliation.pull_missed()
    first = shop.clock.now
    assert set(looked()) == {(first, None, None)}
    shop.clock.advance(days=40)
    shop.reconciliation.pull_missed()
    assert set(looked()) == {(first + timedelta(days=40), None, None)}


def test_a_pull_that_was_broken_off_goes_on_where_it_stopped(shop: Shop) -> None:
    ada = shop.a_person()
    with an_endpoint_that_hears_nothing(shop):
        shop.pays(ada, "pack:10")
    told = shop.new_events()
    now = shop.clock.now
    with shop.runtime.transaction() as session:
        mark = text(
            "INSERT INTO event_pulls (name, began_at, after) VALUES ('events:0', :now, :after)"
        )
        session.execute(mark, {"now": now, "after": told[-1]["id"]})
    shop.clock.advance(hours=1)
    shop.reconciliation.pull_missed()
    ids = {event["id"] for event in told}
    assert ids - stored(shop) == {told[-1]["id"]}
    with shop.runtime.read_only() as session:
        until = session.scalar(text("SELECT looked_until FROM event_pulls"))
    assert until == now


def test_a_place_that_stripe_has_forgotten_begins_the_look_anew(shop: Shop) -> None:
    ada = shop.a_person()
    with an_endpoint_that_hears_nothing(shop):
        shop.pays(ada, "pack:10")
    with shop.runtime.transaction() as session:
        mark = text(
            "INSERT INTO event_pulls (name, began_at, after)"
            " VALUES ('events:0', :now, 'evt_forgotten')"
        )
        session.execute(mark, {"now": shop.clock.now})
    assert shop.reconciliation.pull_missed() > 0
    run_due_jobs(shop)
    assert shop.balance(ada) == 13
