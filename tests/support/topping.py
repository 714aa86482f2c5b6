"""Packs that are bought by themselves, as a test asks for them and looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests
from sqlalchemy import text

from services.wallet_service import AutoChoice, AutoTopUp
from talkingphoto.billing import top_ups
from tests.support.jobs import run_due_jobs
from tests.support.saved import customer_of
from tests.support.shop import Person, Shop

CHOICE = AutoChoice(
    item="pack:10", threshold=3, monthly_cap_minor=30_00, consent=True, ip="192.0.2.7"
)


def auto(shop: Shop, person: Person) -> AutoTopUp:
    """How the person's automatic top-up stands."""
    found = shop.wallets.wallet(person.id).auto
    assert found is not None
    return found


def turn_on(shop: Shop, person: Person, **chosen: Any) -> None:
    """The person agrees to the usual choice, or another."""
    shop.wallets.turn_on(user_id=person.id, choice=replace(CHOICE, **chosen))


def sweep(shop: Shop) -> None:
    """A minute's work, and the jobs that it asked for."""
    shop.wallets.run_due_work()
    run_due_jobs(shop)
    shop.deliver(shop.new_events())


def consider(shop: Shop, person: Person) -> str | None:
    """The id of the top-up that is due now; None when none is."""
    with shop.runtime.transaction() as session:
        return top_ups.consider(session, user_id=person.id, now=shop.clock.now)


def states(shop: Shop, person: Person) -> list[str]:
    """What became of the person's top-ups, in their order."""
    with shop.runtime.read_only() as session:
        return list(
            session.execute(
                text("SELECT state FROM top_ups WHERE user_id = :id ORDER BY number"),
                {"id": person.id},
            ).scalars()
        )


def charges(shop: Shop, person: Person) -> list[int]:
    """What Stripe took from the person's card, in cents."""
    found = shop.sandbox.client(shop.key).v1.charges.list(
        {"customer": customer_of(shop, person), "limit": 100}
    )
    return [charge.amount for charge in found.data if charge.paid]


@contextmanager
def answers_lost(shop: Shop, path: str) -> Iterator[None]:
    """Stripe does what it is asked there and its answer never arrives."""
    faults = f"{shop.sandbox.base}/_sandbox/faults"
    rule = {"kind": "reset", "method": "POST", "path": path, "when": "after", "times": "3"}
    assert requests.post(faults, data=rule, timeout=10).ok
    yield
    assert requests.delete(faults, timeout=10).ok
