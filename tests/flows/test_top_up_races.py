"""Top-ups that meet a crash, another worker, or a customer who changes their mind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from services.wallet_service import WalletService
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.purse import use
from tests.support.saved import customer_of, save_card
from tests.support.shop import Person, Shop
from tests.support.topping import answers_lost, charges, consider, states, sweep, turn_on


@pytest.fixture
def shop(storefront: Shop) -> Iterator[Shop]:
    """The shop on the tenth of a month, with nothing left over by other stories."""
    storefront.clock.now = datetime.now(UTC).replace(day=10)
    yield storefront
    with storefront.runtime.transaction() as session:
        session.execute(text("UPDATE top_up_settings SET is_on = false"))


@pytest.fixture
def ada(shop: Shop) -> Person:
    """Somebody with three videos and a saved card."""
    person = shop.a_person()
    save_card(shop, person)
    return person


def test_turned_off_while_an_invoice_waits_leaves_none_to_pay(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    top_up_id = consider(shop, ada)
    assert top_up_id is not None
    with answers_lost(shop, "/v1/invoiceitems"), pytest.raises(errors.Unavailable):
        shop.wallets.top_up(top_up_id)
    shop.wallets.turn_off(user_id=ada.id)
    shop.clock.advance(seconds=180)
    sweep(shop)
    invoices = shop.sandbox.client(shop.key).v1.invoices
    left = invoices.list({"customer": customer_of(shop, ada)})
    assert (states(shop, ada), charges(shop, ada), left.data) == (["dropped"], [], [])


def test_two_workers_at_once_charge_once(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    ids = {consider(shop, ada)} - {None}
    assert consider(shop, ada) is None
    (top_up_id,) = ids
    assert top_up_id is not None
    workers = [Runtime(shop.runtime.settings, clock=shop.clock) for _ in range(2)]
    gate = threading.Barrier(2)

    def work(runtime: Runtime) -> None:
        gate.wait(10)
        WalletService(runtime).top_up(top_up_id)

    threads = [threading.Thread(target=work, args=(runtime,)) for runtime in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for runtime in workers:
        runtime.database.dispose()
    shop.deliver(shop.new_events())
    assert (charges(shop, ada), states(shop, ada), shop.balance(ada)) == ([9_90], ["paid"], 12)


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/invoiceitems", "*/finalize", "*/pay"])
def test_a_worker_that_dies_after_a_step_is_followed_by_one_that_finds_it(
    shop: Shop, ada: Person, path: str
) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    top_up_id = consider(shop, ada)
    assert top_up_id is not None
    with answers_lost(shop, path), pytest.raises(errors.Unavailable):
        shop.wallets.top_up(top_up_id)
    assert states(shop, ada) == ["open"]
    shop.clock.advance(seconds=180)
    sweep(shop)
    assert (charges(shop, ada), states(shop, ada), shop.balance(ada)) == ([9_90], ["paid"], 12)


def test_a_webhook_alone_brings_what_was_charged(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    top_up_id = consider(shop, ada)
    assert top_up_id is not None
    with answers_lost(shop, "*/pay"), pytest.raises(errors.Unavailable):
        shop.wallets.top_up(top_up_id)
    events = shop.new_events()
    for _ in range(2):
        shop.deliver(reversed(events))
    assert (shop.balance(ada), states(shop, ada)) == (12, ["paid"])
    shop.wallets.top_up(top_up_id)
    assert (shop.balance(ada), charges(shop, ada)) == (12, [9_90])
