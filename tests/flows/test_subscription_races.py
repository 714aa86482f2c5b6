"""What happens at the same moment in several processes happens once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from talkingphoto.billing import ledger
from tests.support.racers import ComesBack, Confirms, Racers, Spends, Works, racers
from tests.support.sandbox import Event, of_type, sign
from tests.support.shop import Person, Shop

FREE = 3
PROCESSES = 3


@pytest.fixture(scope="module")
def others() -> Iterator[Racers]:
    """Three processes beside this one."""
    with racers(PROCESSES) as made:
        yield made


def test_two_tabs_that_confirm_the_same_upgrade_pay_for_one(shop: Shop, others: Racers) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    tabs = [shop.changes.preview(user_id=ada.id, item="pro:month") for _ in range(2)]
    states = others.race(shop, *(Confirms(ada.id, seen.token, str(uuid.uuid4())) for seen in tabs))
    assert "done" in states
    assert set(states) <= {"done", "change.stale", "change.same", "change.busy"}
    shop.deliver(shop.new_events())
    assert charged(shop, ada) == [3000, 1999]
    assert shop.balance(ada) == FREE + 100
    assert_sound(shop)


def test_one_yes_that_is_sent_twice_is_one(shop: Shop, others: Racers) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    seen = shop.changes.preview(user_id=ada.id, item="pro:month")
    request = str(uuid.uuid4())
    states = others.race(shop, *(Confirms(ada.id, seen.token, request) for _ in range(2)))
    assert set(states) <= {"done", "waiting"}
    shop.deliver(shop.new_events())
    assert charged(shop, ada) == [3000, 1999]
    assert shop.balance(ada) == FREE + 100
    assert_sound(shop)


def test_the_way_back_and_two_workers_fulfil_a_purchase_once(shop: Shop, others: Racers) -> None:
    ada = shop.a_person()
    session_id = str(shop.pays(ada, "starter:month").location).rpartition("=")[2]
    told = stored(shop, shop.new_events())
    came = others.race(
        shop, ComesBack(ada.id, session_id), Works(told), Works(tuple(reversed(told)))
    )
    assert came == ["paid", len(told), len(told)]
    assert shop.balance(ada) == FREE + 30
    assert lots(shop, ada) == {"free": 1, "plan": 1}
    assert_sound(shop)


def test_two_workers_on_one_customer_leave_what_one_would(shop: Shop, others: Racers) -> None:
    ada = shop.a_person()
    shop.pays(ada, "starter:month")
    shop.pays(ada, "pack:10")
    client = shop.sandbox.client(shop.key)
    pack = of_type(shop.sandbox.events(shop.key), "checkout.session.completed")[-1]
    intent = pack["data"]["object"]["payment_intent"]
    client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    told = stored(shop, shop.new_events())
    assert others.race(shop, Works(told[::2]), Works(told[1::2]), Works(told)) == [
        len(told[::2]),
        len(told[1::2]),
        len(told),
    ]
    assert lots(shop, ada) == {"free": 1, "plan": 1, "pack": 1}
    statuses = sorted(row.status for row in shop.payments.account(ada.id).invoices)
    assert statuses == ["paid", "partly_refunded"]
    assert_sound(shop)


def test_of_fifty_spends_at_once_ten_find_a_credit(shop: Shop, others: Racers) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    with shop.runtime.transaction() as session:
        ledger.revoke(
            session,
            key="race",
            lot_key=f"free:{ada.id}",
            credits=FREE,
            reason="ten are left",
            now=shop.clock(),
        )
    wanted = [str(uuid.uuid4()) for _ in range(50)]
    made = others.race(
        shop, *(Spends(ada.id, tuple(wanted[start::PROCESSES])) for start in range(PROCESSES))
    )
    assert sum(int(str(one)) for one in made) == 10
    with shop.runtime.read_only() as session:
        left = ledger.balance(session, user_id=ada.id, now=shop.clock())
    assert (left.available, left.held) == (0, 10)
    assert_sound(shop)


def stored(shop: Shop, events: list[Event]) -> tuple[str, ...]:
    """The events have arrived, and no worker has taken them yet."""
    for event in events:
        shop.webhooks.receive(*sign(event, shop.secret))
    return tuple(str(event["id"]) for event in events)


def charged(shop: Shop, person: Person) -> list[int]:
    """What the person's card was charged with, the newest first."""
    client = shop.sandbox.client(shop.key)
    customer = client.v1.customers.list({"email": person.email}).data[0].id
    return [one.amount for one in client.v1.charges.list({"customer": customer}).data if one.paid]


def lots(shop: Shop, person: Person) -> dict[str, int]:
    """How many lots the person has, by where they came from."""
    query = text("SELECT source, count(*) FROM lots WHERE user_id = :id GROUP BY source")
    with shop.runtime.read_only() as session:
        return {row[0]: row[1] for row in session.execute(query, {"id": person.id})}


def assert_sound(shop: Shop) -> None:
    """No invariant of the ledger is broken, and every event that came is done."""
    waiting = text(
        "SELECT count(*) FROM stripe_events WHERE processed_at IS NULL OR result = 'dead'"
    )
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()
        assert session.execute(waiting).scalar_one() == 0
