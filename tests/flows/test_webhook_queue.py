"""How stored events reach the worker: in turn for one customer, and without a pause between."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress

import pytest
from sqlalchemy import text

from services.webhook_service import WebhookService
from talkingphoto.foundation import jobs
from talkingphoto.runtime import Runtime
from tests.support.jobs import run_due_jobs, tasks_of
from tests.support.sandbox import Event, of_type, sign
from tests.support.shop import Shop

POLL_SECONDS = 5
WORKER = (
    "from worker.main import Pace, run;"
    f"run(Pace(poll={POLL_SECONDS}, heartbeat=1.0, silent=20.0, rescue_every=5.0))"
)


def test_events_of_one_customer_follow_each_other_without_waiting_for_a_poll(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "starter:month")
    for event in (events := shop.new_events()):
        shop.webhooks.receive(*sign(event, shop.secret))
    assert len(events) > 4
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env={
            **os.environ,
            "DATABASE_URL": shop.runtime.database_url,
            "STRIPE_API_BASE": shop.sandbox.base,
        },
    )
    try:
        wait_until_done(shop, 1)
        began = time.monotonic()
        wait_until_done(shop, len(events))
        # One word of many may get lost in the middle of a look; each would cost a poll.
        assert time.monotonic() - began < 2 * POLL_SECONDS
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert shop.balance(ada) == 33


def test_an_event_that_changes_nothing_waits_for_no_other(shop: Shop) -> None:
    customer = {"id": "cus_of_two", "object": "customer"}
    receive(shop.webhooks, shop.secret, "customer.created", customer)
    subscription = {"id": "sub_x", "object": "subscription", "customer": "cus_of_two"}
    receive(shop.webhooks, shop.secret, "customer.subscription.updated", subscription)
    with shop.runtime.read_only() as session:
        query = text("SELECT lock FROM procrastinate_jobs ORDER BY id")
        assert session.scalars(query).all() == [None, "customer:cus_of_two"]


def test_an_event_whose_workers_died_too_often_is_a_dead_letter(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    (paid,) = of_type(shop.new_events(), "checkout.session.completed")
    shop.webhooks.receive(*sign(paid, shop.secret))
    set_jobs(shop, "status = 'doing', attempts = :most", most=jobs.MOST_RESCUES)
    tasks = tasks_of(shop)
    app = jobs.build_app(shop.runtime.database_url, tasks, connections=2)

    async def rescue() -> int:
        async with app.open_async():
            now = shop.runtime.wall_clock()
            return await jobs.rescue_stalled(app, tasks, silent_seconds=20, now=now)

    assert asyncio.run(rescue()) == 1
    with shop.runtime.read_only() as session:
        query = text("SELECT result, error FROM stripe_events")
        assert session.execute(query).one() == ("dead", "WorkerLost")
        waiting = text("SELECT count(*) FROM mails WHERE template = 'needs_a_hand'")
        assert session.execute(waiting).scalar_one() == 1


def test_an_event_outlives_an_outage_of_stripe(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    (paid,) = of_type(shop.new_events(), "checkout.session.completed")
    shop.webhooks.receive(*sign(paid, shop.secret))
    settings = shop.runtime.settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"})
    away = WebhookService(Runtime(settings, clock=shop.clock))
    tasks = tasks_of(shop, webhooks=away)
    set_jobs(shop, "attempts = :tries", tries=tasks["stripe.event"].most_tries - 1)
    app = jobs.build_app(shop.runtime.database_url, tasks, connections=5)

    async def work() -> None:
        async with app.open_async():
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(work())
    assert shop.balance(ada) == 3
    set_jobs(shop, "scheduled_at = NULL WHERE status = 'todo'")
    run_due_jobs(shop)
    assert shop.balance(ada) == 13


@pytest.mark.parametrize(("alone", "meetings"), [(True, 0), (False, 2)])
def test_two_sweeps_that_are_due_at_once_follow_one_another(
    shop: Shop, alone: bool, meetings: int
) -> None:
    assert tasks_of(shop)["sweep.minute"].alone
    both, met = threading.Barrier(2), []

    def sweep() -> None:
        with suppress(threading.BrokenBarrierError):
            met.append(both.wait(timeout=1))
        both.reset()

    task = jobs.Task("sweep", sweep, alone=alone)
    app = jobs.build_app(shop.runtime.database_url, {"sweep": task}, connections=5)

    async def work() -> None:
        async with app.open_async():
            for _ in range(2):
                await app.configure_task("sweep").defer_async()
            for _ in range(2):  # one goes home when what is left may not be taken yet
                await app.run_worker_async(wait=False, install_signal_handlers=False, concurrency=2)

    asyncio.run(work())
    assert len(met) == meetings
    with shop.runtime.read_only() as session:
        ended = session.scalars(text("SELECT status FROM procrastinate_jobs"))
        assert set(ended) == {"succeeded"}


def set_jobs(shop: Shop, how: str, **values: int) -> None:
    """The jobs in the queue are as if time had passed or workers had died."""
    with shop.runtime.transaction() as session:
        session.execute(text(f"UPDATE procrastinate_jobs SET {how}"), values)  # noqa: S608


def wait_until_done(shop: Shop, count: int) -> None:
    """Returns once so many events have been processed."""
    deadline = time.monotonic() + 60
    query = text("SELECT count(*) FROM stripe_events WHERE processed_at IS NOT NULL")
    while time.monotonic() < deadline:
        with shop.runtime.read_only() as session:
            if session.execute(query).scalar_one() >= count:
                return
        time.sleep(0.05)
    raise AssertionError("the events were not processed in time")


def receive(webhooks: WebhookService, secret: str, kind: str, subject: dict[str, str]) -> None:
    """An event arrives that the sandbox never sent."""
    event: Event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": kind,
        "data": {"object": subject},
    }
    webhooks.receive(*sign(event, secret))
