"""The sandbox, the web application and two workers as processes, which speak HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
import stripe
from sqlalchemy import text

from talkingphoto.events.table import HANDLERS
from talkingphoto.foundation import settings
from tests.simulation.inside import Answer
from tests.simulation.moments import START
from tests.simulation.world import World
from tests.support.gunicorn import ROOT, Gunicorn
from tests.support.sandbox import SandboxProcess, free_port
from worker import tasks

_WORKERS = 2
_LONGEST_CALM_SECONDS = 240
_LOOK_SECONDS = 0.05
# How badly events travel, in percent; the sandbox's own laboratory sees to it.
_HABITS = {"duplicate": 15, "reorder": 30, "reorder_ms": 60, "drop": 2}
_BUSY = text(
    "SELECT EXISTS (SELECT 1 FROM stripe_events WHERE processed_at IS NULL) OR "
    "EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') "
    "AND coalesce(scheduled_at, :now) <= :now)"
)


class OutsideBank:
    """A sandbox in a process of its own."""

    http_client: stripe.HTTPClient | None = None

    def __init__(self, process: SandboxProcess) -> None:
        self._process = process
        self._connection = requests.Session()
        self.base = process.base
        self.store = process.folder / "stripe.sqlite"
        self.post("/_sandbox/clock", {"to": str(int(START.timestamp())), "stand": "still"})

    def move_to(self, moment: datetime) -> None:
        """It is that moment at the sandbox, and what was due on the way was done."""
        self.post("/_sandbox/clock", {"to": str(int(moment.timestamp()))})

    def post(self, url: str, fields: Mapping[str, str]) -> Answer:
        """A form sent to one of the sandbox's own addresses."""
        address = (
            self.base + url[url.index("/", len("http://")) :] if "//" in url else self.base + url
        )
        answer = requests.post(address, data=fields, allow_redirects=False, timeout=60)
        return Answer(answer.status_code, answer.headers, answer.content)

    def stop(self) -> None:
        """The sandbox has ended."""
        self._process.stop()


class Parts:
    """Everything that runs beside the customers."""

    def __init__(self, database_url: str, folder: Path, *, seed: int) -> None:
        self._folder = folder
        port = free_port()
        chosen = settings.load()
        secret = chosen.webhook_secrets[0]
        sandbox = SandboxProcess(
            folder, webhook_url=f"http://127.0.0.1:{port}/webhook/stripe", secret=secret
        )
        self.bank = OutsideBank(sandbox)
        self._choose_events(chosen, seed)
        environment = {
            "DATABASE_URL": database_url,
            "STRIPE_API_BASE": sandbox.base,
            "TALKINGPHOTO_CLOCK": "sandbox",
            "WORKER": "external",
        }
        self._web = Gunicorn(folder, environment, processes=1, port=port)
        self._workers = [self._worker(environment, number) for number in range(_WORKERS)]

    def stop(self) -> None:
        """Every process but the sandbox's has ended."""
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.wait(60)
        self._web.stop()

    def _choose_events(self, chosen: settings.Settings, seed: int) -> None:
        """The endpoint hears what the product handles, as badly as events travel."""
        client = stripe.StripeClient(
            f"{chosen.stripe_secret_key.get_secret_value()}_tests",
            base_addresses={"api": self.bank.base},
        )
        endpoint = client.v1.webhook_endpoints.list().data[0].id
        wanted: Any = {"enabled_events": list(HANDLERS)}
        client.v1.webhook_endpoints.update(endpoint, wanted)
        habits = {name: str(value) for name, value in _HABITS.items()}
        self.bank.post(f"/_sandbox/endpoints/{endpoint}/lab", {**habits, "seed": str(seed)})

    def _worker(self, environment: Mapping[str, str], number: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "talkingphoto.cli", "worker", "--queue", "main"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / f"worker{number}.log").open("ab"),
        )


class OutsideWay:
    """Events travel by themselves; here one waits until all is calm."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks = tasks.table(world.services)
        self.events = 0

    def carry(self, *, everything: bool = False) -> None:
        """Every event was sent, those that were not are fetched, and all is worked off."""
        self.events += len(self._world.store.news(HANDLERS))
        self._await(lambda: not self._world.store.has_waiting_deliveries())
        if everything:
            self._world.services.reconciliation.pull_missed()
        self._await(lambda: not self._is_busy())

    def sweep(self) -> None:
        """What is due by the clock is done, and what was never sent is fetched."""
        self._world.services.reconciliation.pull_missed()
        self._tasks["sweep.minute"].verb()

    def customers_waiting(self) -> frozenset[str]:
        """Everything may be on its way: of that nothing is known before the end."""
        return frozenset(self._world.store.ids("customer"))

    def _is_busy(self) -> bool:
        with self._world.runtime.read_only() as session:
            now = self._world.runtime.wall_clock()
            return bool(session.execute(_BUSY, {"now": now}).scalar_one())

    def _await(self, calm: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _LONGEST_CALM_SECONDS
        while not calm():
            assert time.monotonic() < deadline, "it does not become calm"
            time.sleep(_LOOK_SECONDS)
