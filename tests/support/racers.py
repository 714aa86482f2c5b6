"""Other processes of the product, each on a runtime of its own, that all begin at one moment."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import ModuleType

from services.change_service import ChangeService
from services.payment_service import PaymentService
from services.webhook_service import WebhookService
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors, settings
from talkingphoto.runtime import Runtime
from tests.support.shop import Shop

# So long all of them are given to get ready: the first call of a process builds its runtime.
READY_SECONDS = 0.4


@dataclass(frozen=True)
class Lane:
    """Where a racer runs, and when it begins."""

    database_url: str
    api_base: str
    now: datetime
    begins_at: float

    def ready(self) -> Runtime:
        """This process's own runtime, at the moment when all begin."""
        made = _runtime(self.database_url, self.api_base)
        made.clock = lambda: self.now
        with made.read_only() as session:
            session.connection()
        time.sleep(max(0.0, self.begins_at - time.time()))
        return made


@cache
def _runtime(database_url: str, api_base: str) -> Runtime:
    chosen = {**os.environ, "DATABASE_URL": database_url, "STRIPE_API_BASE": api_base}
    return Runtime(settings.load(chosen))


class Racers:
    """Processes that wait for something to do at once."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def race(self, shop: Shop, *runs: Callable[[Lane], object]) -> list[object]:
        """What each of the runs came to, all begun at the same moment, each in its process."""
        lane = Lane(
            shop.runtime.database_url,
            shop.sandbox.base,
            shop.clock(),
            time.time() + READY_SECONDS,
        )
        with _nothing_to_run_first():
            waiting: list[Future[object]] = [self._pool.submit(run, lane) for run in runs]
        return [one.result(60) for one in waiting]


@contextmanager
def _nothing_to_run_first() -> Iterator[None]:
    """A new process runs the main module of this one, which Streamlit's tests leave as a script of
    theirs: meanwhile there is an empty one."""
    left = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = left


@contextmanager
def racers(count: int) -> Iterator[Racers]:
    """So many processes, which have imported the product already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.racers"])
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        yield Racers(pool)


@dataclass(frozen=True)
class Confirms:
    """Somebody says yes to a change; the state it is in then, or why it was refused."""

    user_id: str
    token: str
    request_id: str

    def __call__(self, lane: Lane) -> str:
        """The state of the change, or the code of the refusal."""
        changes = ChangeService(lane.ready())
        try:
            return changes.confirm(
                user_id=self.user_id, token=self.token, request_id=self.request_id
            ).state
        except errors.Conflict as refusal:
            return refusal.code


@dataclass(frozen=True)
class ComesBack:
    """Somebody comes back from the checkout; what their page says."""

    user_id: str
    session_id: str

    def __call__(self, lane: Lane) -> str:
        """The state of the checkout."""
        payments = PaymentService(lane.ready())
        return payments.confirm_return(user_id=self.user_id, session_id=self.session_id).state


@dataclass(frozen=True)
class Works:
    """A worker processes events, one after the other; how many those were."""

    event_ids: tuple[str, ...]

    def __call__(self, lane: Lane) -> int:
        """The number of events, all of them done by somebody."""
        webhooks = WebhookService(lane.ready())
        for event_id in self.event_ids:
            webhooks.process(event_id)
        return len(self.event_ids)


@dataclass(frozen=True)
class Spends:
    """Videos are begun in so many threads at once, for a credit each; how many could be."""

    user_id: str
    hold_ids: tuple[str, ...]

    def __call__(self, lane: Lane) -> int:
        """How many of the holds were made."""
        runtime = lane.ready()
        with ThreadPoolExecutor(len(self.hold_ids)) as pool:
            return sum(pool.map(lambda hold_id: self._spend(runtime, hold_id), self.hold_ids))

    def _spend(self, runtime: Runtime, hold_id: str) -> bool:
        now = runtime.clock()
        try:
            with runtime.transaction() as session:
                ledger.hold(
                    session,
                    hold_id=hold_id,
                    user_id=self.user_id,
                    credits=1,
                    expires_at=now + timedelta(hours=1),
                    now=now,
                )
        except errors.InsufficientCredits:
            return False
        return True
