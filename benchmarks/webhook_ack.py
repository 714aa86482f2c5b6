"""Webhooks acknowledged a second: verified, stored and queued in one lasting commit, over HTTP."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks import load, machine, pgbench, samples
from benchmarks.report import Report, quantile
from talkingphoto import processes, stack
from talkingphoto.events import inbox
from talkingphoto.foundation import settings
from talkingphoto.foundation.database import Database
from talkingphoto.integrations import postgres_programs, schema
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.sandbox import free_port, sign
from tests.support.stack import clean_environment, temporary_folder

ROUNDS = 7
ROUND_SECONDS = 4
LEAST_EVENTS, MOST_EVENTS = 1_600, 12_800
CONNECTIONS = 16
_START_SECONDS = 30


@dataclass(frozen=True)
class Round:
    """Both rates of one round, and the latency of every webhook in it."""

    acknowledged: float
    yardstick: float
    latencies: list[float]


def run() -> Report:
    """The rates of several interleaved rounds on a lasting PostgreSQL and the real web server."""
    with temporary_folder("talkingphoto-bench-") as folder:
        server = EmbeddedPostgres(folder / "data")
        try:
            return _on(folder, server.ensure())
        finally:
            server.discard()


def _on(folder: Path, url: str) -> Report:
    database = Database(url)
    schema.upgrade(database)
    database.dispose()
    programs = postgres_programs.find(None)
    yardstick = pgbench.Pgbench(
        programs, make_url(url), folder / "webhook.sql", _values(samples.checkout_completed(0))
    )
    yardstick.write_script()
    fdatasync = machine.fdatasync_us(programs, folder)
    with _web(folder / "data") as shop:
        race = _Race(shop, yardstick, url)
        # The first round warms both up, and says how many events fill a few seconds.
        events = _events_of_a_round(race.round(LEAST_EVENTS, ours_first=True))
        rounds = [race.round(events, ours_first=number % 2 == 0) for number in range(ROUNDS)]
    return _report(rounds, fdatasync)


@dataclass(frozen=True)
class _Shop:
    """The web process: its port, and the secret its callers sign with."""

    port: int
    secret: str


class _Race:
    """Both sides in turn on the same server, each beginning with the same empty tables."""

    def __init__(self, shop: _Shop, yardstick: pgbench.Pgbench, url: str) -> None:
        self._shop = shop
        self._yardstick = yardstick
        self._address = url.replace("+psycopg", "", 1)
        self._numbers = count(1)

    def round(self, events: int, *, ours_first: bool) -> Round:
        """Both did the same number of events; who begins alternates, so that neither gains."""
        if ours_first:
            outcome = self._ours(events)
            rate = self._theirs(events)
        else:
            rate = self._theirs(events)
            outcome = self._ours(events)
        return Round(events / outcome.seconds, rate, outcome.latencies)

    def _ours(self, events: int) -> load.Outcome:
        # Signed just before they are sent: a signature lives for five minutes.
        requests = [self._request(next(self._numbers)) for _ in range(events)]
        self._empty()
        outcome = load.drive(self._shop.port, requests, connections=CONNECTIONS)
        self._require_stored(events)
        return outcome

    def _theirs(self, events: int) -> float:
        self._empty()
        rate = self._yardstick.rate(events, connections=CONNECTIONS)
        self._require_stored(events)
        return rate

    def _request(self, number: int) -> bytes:
        raw, header = sign(samples.checkout_completed(number), self._shop.secret)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}
        return load.post("/webhook/stripe", raw, headers)

    def _empty(self) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute("TRUNCATE stripe_events, procrastinate_jobs CASCADE")
            connection.execute("CHECKPOINT")

    def _require_stored(self, events: int) -> None:
        """What was acknowledged is there: each event, and a job for each."""
        with psycopg.connect(self._address) as connection:
            stored = connection.execute(
                "SELECT (SELECT count(*) FROM stripe_events),"
                " (SELECT count(*) FROM procrastinate_jobs)"
            ).fetchone()
        assert stored == (events, events), f"{stored} events and jobs, instead of {events}"


@contextmanager
def _web(data: Path) -> Iterator[_Shop]:
    """The web part exactly as `talkingphoto up` runs it, with no worker beside it."""
    port = free_port()
    ports = stack.Ports(web=port, app=free_port(), sandbox=free_port())
    planned = stack.plan(clean_environment(data), ports=ports, data=data)
    part = next(part for part in planned.parts if part.name == "web")
    stack.metrics_folder(planned.settings).mkdir(exist_ok=True)
    with (data / "web.log").open("wb") as output:
        process = subprocess.Popen(
            part.command,
            env=part.environment,
            cwd=settings.PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _until_it_answers(part, process)
        yield _Shop(port, planned.settings.webhook_secrets[0])
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _until_it_answers(part: stack.Part, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not processes.answers(part):
        in_time = process.poll() is None and time.monotonic() < deadline
        assert in_time, "the web process did not start"
        time.sleep(0.05)


def _events_of_a_round(warm_up: Round) -> int:
    wanted = int(warm_up.acknowledged * ROUND_SECONDS)
    bounded = min(max(wanted, LEAST_EVENTS), MOST_EVENTS)
    return bounded - bounded % CONNECTIONS  # pgbench gives each connection the same number


def _values(event: dict[str, object]) -> dict[str, str]:
    """What pgbench binds beside the ids: the same facts our own code binds for such an event."""
    now = datetime.now(UTC).isoformat()
    return {
        "type": str(event["type"]),
        "object_id": "cs_test_pgbench",
        "customer_id": "cus_pgbench",
        "api_version": str(event["api_version"]),
        "livemode": "false",
        "created_at": now,
        "received_at": now,
        "payload": json.dumps(event),
        "payload_sha256": "0" * 64,
        "queue": inbox.QUEUE,
        "task": inbox.TASK,
    }


def _report(rounds: list[Round], fdatasync: int) -> Report:
    latencies = [seconds for each in rounds for seconds in each.latencies]
    ratios = [each.acknowledged / each.yardstick for each in rounds]
    return Report(
        bench="webhook_ack",
        value=round(statistics.median(each.acknowledged for each in rounds), 1),
        unit="webhooks/s",
        yardstick=round(statistics.median(each.yardstick for each in rounds), 1),
        yardstick_is=f"pgbench -c {CONNECTIONS}, the same statement, transactions/s",
        ratio=round(statistics.median(ratios), 3),
        rounds=len(rounds),
        p50_ms=round(quantile(latencies, 0.50) * 1000, 2),
        p99_ms=round(quantile(latencies, 0.99) * 1000, 2),
        more={
            "connections": CONNECTIONS,
            "events": len(latencies),
            "payload_bytes": len(json.dumps(samples.checkout_completed(0))),
            "ratio_least": round(min(ratios), 3),
            "ratio_most": round(max(ratios), 3),
            "fdatasync_us": fdatasync,
        },
    )
