"""TALKINGPHOTO_CLOCK=sandbox: the sandbox's clock is moved, and the product lives that time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from talkingphoto.billing import ledger
from talkingphoto.foundation import settings
from talkingphoto.integrations.sandbox_clock import SandboxClock
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.running import wait_until
from tests.support.sandbox import SandboxProcess, of_type
from tests.support.shop import Shop, environment

DAY = 24 * 3600
FREE = 3
TELL = "from talkingphoto import runtime; print(runtime.current().clock().isoformat())"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of these stories' own: its clock moves."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def shop(postgres: TestServer, stocked: str, sandbox: SandboxProcess) -> Iterator[Shop]:
    """The product as it is with TALKINGPHOTO_CLOCK=sandbox."""
    with postgres.database(like=stocked) as url:
        given = {"DATABASE_URL": url, "STRIPE_API_BASE": sandbox.base}
        chosen = settings.load({**os.environ, **given, "TALKINGPHOTO_CLOCK": "sandbox"})
        # The test's own clock moves nothing here.
        made = Shop(Runtime(chosen, clock=SandboxClock(sandbox.base)), sandbox, TestClock())
        made.new_events()
        yield made
        made.runtime.database.dispose()


def lives(shop: Shop, *, days: int) -> None:
    """So much time has passed at the sandbox and in the product; no webhook has arrived yet."""
    before = shop.runtime.clock()
    shop.sandbox.advance(advance_seconds=days * DAY)
    wait_until(lambda: shop.runtime.clock() - before >= timedelta(days=days))


def test_a_monthly_plan_is_lived_month_by_month(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    balances = []
    for _ in range(4):
        lives(shop, days=31)
        shop.deliver(shop.new_events())
        shop.payments.run_due_work()
        balances.append(shop.balance(ada))
    # A month's videos stay for two: after the first, last month's and this month's are there.
    assert balances == [FREE + 60] * 4
    assert [row.status for row in shop.payments.account(ada.id).invoices] == ["paid"] * 5
    plan = shop.payments.account(ada.id).plan
    assert plan is not None
    assert plan.current_period_end > shop.runtime.clock()


def test_after_forty_days_an_ended_plan_keeps_its_videos_and_after_seventy_it_does_not(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    client = shop.sandbox.client(shop.key)
    subscription = client.v1.subscriptions.list({"limit": 1}).data[0]
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    lives(shop, days=40)
    shop.deliver(shop.new_events())
    shop.payments.run_due_work()
    assert shop.payments.account(ada.id).plan is None
    assert shop.balance(ada) == FREE + 30
    lives(shop, days=30)
    shop.payments.run_due_work()
    account = shop.payments.account(ada.id)
    assert account.credits.available == FREE
    assert (account.statement[0].kind, account.statement[0].credits) == ("expire", -30)


def test_one_sweep_after_a_skipped_year_does_all_that_came_due(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:year")
    lives(shop, days=370)
    assert shop.payments.run_due_work() > 0
    rows = shop.payments.account(ada.id).statement
    months = [row for row in rows if row.source == "plan"]
    assert [row.kind for row in months].count("grant") == 12
    # Only the twelfth month's are still good; eleven months' have ended.
    assert [row.kind for row in months].count("expire") == 11
    assert shop.balance(ada) == FREE + 30
    assert shop.payments.run_due_work() == 0
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_who_is_signed_in_stays_so_and_signatures_stay_good_while_a_year_is_skipped(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    token = shop.sign_in(ada).partition("=")[2]
    shop.pays(ada, "pack:10")
    told = shop.new_events()
    lives(shop, days=400)
    # Signed just now by wall time, over events that are 400 days old by the product's.
    shop.deliver(of_type(told, "checkout.session.completed"))
    assert shop.balance(ada) == FREE + 10
    user = shop.auth.current_user(token)
    assert user is not None
    assert user.id == ada.id
    assert shop.auth.current_user(shop.sign_in(ada).partition("=")[2]) == user


def test_a_process_of_the_product_follows_the_sandbox_when_told_to(
    shop: Shop, tmp_path: Path
) -> None:
    lives(shop, days=3)
    told = {}
    for clock in ("sandbox", "system"):
        ran = subprocess.run(
            [sys.executable, "-c", TELL],
            env={**os.environ, **environment(shop, TALKINGPHOTO_CLOCK=clock)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        told[clock] = datetime.fromisoformat(ran.stdout.strip())
    assert abs(told["system"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert abs(told["sandbox"] - shop.runtime.clock()) < timedelta(minutes=1)
    assert told["sandbox"] - told["system"] > timedelta(days=3)
