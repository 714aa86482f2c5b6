"""Who bought at an old price keeps it, until a change that was announced in time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from services.price_service import PaidPrice, PriceService
from talkingphoto.billing import catalog
from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.flows.test_cancelling import a_subscriber, at_stripe, cancels, client, code_of, plan_of
from tests.flows.test_pausing import lives_until
from tests.flows.test_trials import told
from tests.support.sandbox import SandboxProcess
from tests.support.shop import Person, Shop, environment

OLD = Money(14_99, "usd")
NEW = Money(19_99, "usd")
ITEM = "starter:month"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of these stories' own: its clock moves."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The shop, whose time is the sandbox's, and where Starter was cheaper until today."""
    lives_until(shop, shop.clock.now)
    return shop


@pytest.fixture
def prices(shop: Shop) -> PriceService:
    """The verbs of prices."""
    return PriceService(shop.runtime)


def test_an_old_price_is_kept_and_shown_and_who_pays_what_is_known(
    shop: Shop, prices: PriceService
) -> None:
    ada = bought_when_it_was_cheaper(shop)
    bob = a_subscriber(shop, ITEM)
    assert (plan_of(shop, ada).price, plan_of(shop, bob).price) == (OLD, NEW)
    lives_until(shop, plan_of(shop, ada).current_period_end + timedelta(hours=2))
    assert paid(shop, ada) == [OLD, OLD]
    assert [(one.price, one.is_current, one.subscribers) for one in starter(prices)] == [
        (NEW, True, 1),
        (OLD, False, 1),
    ]
    assert shop.balance(ada) == 3 + 60


def test_a_change_is_announced_once_and_paid_from_the_first_renewal_after_its_day(
    shop: Shop, prices: PriceService
) -> None:
    ada = bought_when_it_was_cheaper(shop)
    first_end = plan_of(shop, ada).current_period_end
    (change,) = prices.plan(item=ITEM, effective_at=in_days(shop, 40), reason="Costs rose.")
    assert prices.run_due_work() == 1
    assert prices.run_due_work() == 0
    second_end = clocks.add_months(first_end, months=1)
    assert told(shop, ada, "price_changing") == {
        "item": ITEM,
        "before": "1499 usd",
        "after": "1999 usd",
        "at": second_end.isoformat(),
    }
    lives_until(shop, first_end + timedelta(hours=2))
    assert prices.run_due_work() == 0
    lives_until(shop, second_end - timedelta(hours=20))
    assert prices.run_due_work() == 1
    assert prices.run_due_work() == 0
    assert plan_of(shop, ada).price == NEW
    assert paid(shop, ada) == [OLD, OLD]
    lives_until(shop, second_end + timedelta(hours=2))
    assert paid(shop, ada) == [OLD, OLD, NEW]
    assert [one.id for one in prices.changes()] == []
    assert prices_of(shop, change.id) == "done"


def test_nobody_is_moved_who_is_leaving_or_was_told_too_late_or_whose_change_was_called_off(
    shop: Shop, prices: PriceService
) -> None:
    ada, bob = bought_when_it_was_cheaper(shop), bought_when_it_was_cheaper(shop, again=False)
    (change,) = prices.plan(item=ITEM, effective_at=in_days(shop, 30), reason="Costs rose.")
    cancels(shop, ada)
    assert prices.run_due_work() == 1
    assert told(shop, ada, "price_changing") == {}
    with shop.runtime.transaction() as session:
        late = {"at": shop.clock.now + timedelta(days=5)}
        session.execute(text("UPDATE price_moves SET noticed_at = :at"), late)
    ends = plan_of(shop, bob).current_period_end
    shop.clock.move_to(ends - timedelta(hours=20))
    assert prices.run_due_work() == 0
    assert plan_of(shop, bob).price == OLD
    shop.plans.resume(user_id=ada.id)
    assert prices.run_due_work() == 1
    assert told(shop, ada, "price_changing")["at"] > ends.isoformat()
    prices.call_off(change_id=change.id, reason="A mistake.")
    assert prices.run_due_work() == 0
    assert code_of(lambda: prices.call_off(change_id=change.id, reason="Again.")) == (
        "prices.unknown"
    )
    assert code_of(lambda: prices.call_off(change_id="1", reason="No id.")) == "prices.unknown"


def test_a_change_without_notice_or_without_anybody_is_refused(
    shop: Shop, prices: PriceService
) -> None:
    nobody = lambda: prices.plan(  # noqa: E731 - a verb to be refused
        item="pro:year", effective_at=in_days(shop, 40), reason="No."
    )
    assert code_of(nobody) == "prices.nobody"
    bought_when_it_was_cheaper(shop)
    with pytest.raises(errors.InvalidRequest) as refusal:
        prices.plan(
            item=ITEM, effective_at=in_days(shop, 30) - timedelta(seconds=1), reason="Soon."
        )
    assert refusal.value.code == "prices.too_soon"
    prices.plan(item=ITEM, effective_at=in_days(shop, 30), reason="In time.")
    with pytest.raises(errors.Conflict) as twice:
        prices.plan(item=ITEM, effective_at=in_days(shop, 50), reason="Twice.")
    assert twice.value.code == "prices.planned"
    somebody = shop.a_person()
    with pytest.raises(errors.NotPermitted):
        prices.who_pays(staff_id=somebody.id)
    shop.auth.appoint(email=somebody.email, role="support", reason="Helps.")
    assert prices.who_pays(staff_id=somebody.id) == prices.report()


def test_the_command_line_tells_who_pays_what_and_plans_the_end_of_an_old_price(
    shop: Shop,
) -> None:
    bought_when_it_was_cheaper(shop)
    day = f"{in_days(shop, 41):%Y-%m-%d}"
    said = commanded(shop, "change", ITEM, "--on", day, "--reason", "Costs rose.")
    assert said.startswith(f"planned: {ITEM}: 14.99 to 19.99 from {day}, ")
    listed = commanded(shop, "list")
    assert f"{ITEM}: 14.99 usd, {old_price(shop)}, old, 1 pay it" in listed
    assert "planned" in listed.splitlines()[-1]


def commanded(shop: Shop, *words: str) -> str:
    """What the command says."""
    ran = subprocess.run(
        [sys.executable, "-m", "talkingphoto.cli", "prices", *words],
        env={**os.environ, **environment(shop)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def bought_when_it_was_cheaper(shop: Shop, *, again: bool = True) -> Person:
    """Somebody who subscribed at the old price, which is not sold any more."""
    if again:
        product = client(shop).products.retrieve("talkingphoto_starter")
        old = client(shop).prices.create(
            {
                "product": product.id,
                "unit_amount": OLD.minor,
                "currency": OLD.currency,
                "recurring": {"interval": "month"},
            }
        )
        sells_at(shop, old.id, OLD)
    else:
        sells_at(shop, old_price(shop), OLD)
    person = a_subscriber(shop, ITEM)
    assert at_stripe(shop, person)["items"].data[0].price.unit_amount == OLD.minor
    list(shop.payments.sync_catalog())
    return person


def sells_at(shop: Shop, price_id: str, amount: Money) -> None:
    """New checkouts of Starter use that price."""
    with shop.runtime.transaction() as session:
        catalog.record_price(
            session,
            item_key=ITEM,
            price_id=price_id,
            product_id="talkingphoto_starter",
            looked_at=shop.runtime.wall_clock(),
            amount=amount,
        )


def old_price(shop: Shop) -> str:
    """The id of the old price."""
    return next(one.price_id for one in starter(PriceService(shop.runtime)) if one.price == OLD)


def starter(prices: PriceService) -> list[PaidPrice]:
    """Starter's prices, the current one first."""
    return [one for one in prices.report() if one.item == ITEM]


def paid(shop: Shop, person: Person) -> list[Money]:
    """What the person paid, the first payment first."""
    return [row.total for row in reversed(shop.payments.account(person.id).invoices)]


def in_days(shop: Shop, days: int) -> datetime:
    """So many days from now."""
    return shop.clock.now + timedelta(days=days)


def prices_of(shop: Shop, change_id: str) -> str:
    """What became of the change."""
    with shop.runtime.read_only() as session:
        query = text("SELECT state FROM price_changes WHERE id = :id")
        return str(session.execute(query, {"id": change_id}).scalar_one())
