"""A bank warns of fraud before anybody disputes: small sums go back at once, others are frozen."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from talkingphoto.billing import top_ups
from talkingphoto.foundation import settings
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.money_back import (
    FREE,
    a_colleague,
    balance,
    gives_back,
    payment_of,
    refunded_at_stripe,
    spends,
    status_of,
)
from tests.support.sandbox import SandboxProcess, of_type
from tests.support.shop import Person, Shop
from worker.tasks import table

WARNED = "4000000000005423"
WARNING = "radar.early_fraud_warning.created"


@pytest.fixture
def careful(
    postgres: TestServer, stocked: str, sandbox: SandboxProcess, clock: TestClock
) -> Iterator[Shop]:
    """A shop that refunds nothing by itself."""
    with postgres.database(like=stocked) as url:
        given = {"DATABASE_URL": url, "STRIPE_API_BASE": sandbox.base}
        chosen = settings.load({**os.environ, **given, "TALKINGPHOTO_FRAUD_REFUND_UP_TO": "0"})
        made = Shop(Runtime(chosen, clock=clock), sandbox, clock)
        made.new_events()
        yield made
        made.runtime.database.dispose()


def is_warned(shop: Shop, item: str = "pack:10", *, used: int = 0) -> Person:
    """Somebody whose payment the bank has warned of; every webhook has arrived, twice."""
    ada = shop.a_person()
    assert shop.pays(ada, item, card=WARNED).status == 303
    told = shop.new_events()
    warnings = of_type(told, WARNING)
    assert len(warnings) == 1
    shop.deliver(event for event in told if event not in warnings)
    if used:
        spends(shop, ada, used)
    shop.deliver([*warnings, *told])
    return ada


def test_m11_a_small_payment_that_a_bank_warns_of_goes_back_at_once(shop: Shop) -> None:
    with capture_logs() as lines:
        ada = is_warned(shop, used=FREE + 1)

    found = balance(shop, ada)
    assert (found.available, found.owed) == (0, 1)
    (view,) = shop.refunds.history(ada.id)
    assert view.state == "asked"
    assert [line["action"] for line in lines if line["event"] == "alert.fraud_warning"] == [
        "refunded"
    ]
    # The worker has a job for it; the sweep would do it too.
    table(shop.services)["refund.make"].verb(refund_id=view.id)
    assert refunded_at_stripe(shop, payment_of(shop, ada)) == [9_90]
    assert status_of(shop, ada) == "refunded"
    shop.deliver(shop.new_events())
    assert refunded_at_stripe(shop, payment_of(shop, ada)) == [9_90]


def test_m11_a_larger_payment_is_frozen_until_staff_has_looked(shop: Shop) -> None:
    ada = is_warned(shop, "pack:200")

    found = balance(shop, ada)
    assert (found.available, found.frozen) == (FREE, 200)
    assert shop.refunds.history(ada.id) == ()
    with shop.runtime.read_only() as session:
        from_us = session.connection().exec_driver_sql("SELECT id, action FROM fraud_warnings")
        ((warning_id, action),) = from_us.all()
    assert action == "frozen"

    colleague = a_colleague(shop)
    shop.refunds.release_warning(staff_id=colleague.id, warning_id=warning_id, reason="He called")

    assert (balance(shop, ada).available, balance(shop, ada).frozen) == (203, 0)


def test_m11_a_warned_payment_that_went_back_bars_nothing_any_more(shop: Shop) -> None:
    ada = is_warned(shop, "pack:200")

    gives_back(shop, payment_of(shop, ada), None)

    assert (balance(shop, ada).available, balance(shop, ada).frozen) == (FREE, 0)
    with shop.runtime.read_only() as session:
        assert top_ups.blocked(session, user_id=ada.id, now=shop.clock()) == ""


def test_m11_with_the_limit_at_nothing_no_payment_goes_back_by_itself(careful: Shop) -> None:
    ada = is_warned(careful)

    assert (balance(careful, ada).frozen, careful.refunds.history(ada.id)) == (10, ())


def test_m11_a_barred_card_that_pays_again_is_an_alert_and_no_more(shop: Shop) -> None:
    is_warned(shop)
    with capture_logs() as lines:
        bob = shop.a_person()
        assert shop.pays(bob, "pack:50", card=WARNED).status == 303
        told = shop.new_events()
        shop.deliver(event for event in told if event["type"] != WARNING)
    alerts = [line for line in lines if line["event"] == "alert.barred_card"]
    assert len(alerts) == 1
    assert balance(shop, bob).available == FREE + 50

    with capture_logs() as lines:
        shop.buys(shop.a_person(), "pack:10")
    assert not [line for line in lines if line["event"].startswith("alert")]
