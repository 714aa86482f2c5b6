"""The product's clock beside a sandbox that is moved, slow, lost, or asked at the wrong moment."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from talkingphoto.foundation.database import Database
from talkingphoto.integrations.sandbox_clock import (
    FIRST_TIMEOUT_SECONDS,
    FRESH_SECONDS,
    TIMEOUT_SECONDS,
    SandboxClock,
)
from tests.support.proxy import Proxy
from tests.support.running import wait_until
from tests.support.sandbox import SandboxProcess, free_port

DAY = 24 * 3600


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox whose clock only these tests move."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


def days_ahead(clock: SandboxClock, *, of: datetime | None = None) -> int:
    """How many whole days the clock is before a moment, or before wall time."""
    return (clock() - (of or datetime.now(UTC)) + timedelta(seconds=2)).days


def test_the_product_follows_within_a_moment_and_never_runs_back(sandbox: SandboxProcess) -> None:
    clock = SandboxClock(sandbox.base)
    before = clock()
    sandbox.advance(advance_seconds=40 * DAY)
    moved = time.monotonic()
    wait_until(lambda: days_ahead(clock, of=before) == 40)
    assert time.monotonic() - moved < 2
    told = [clock() for _ in range(2000)]
    assert told == sorted(told)
    assert days_ahead(SandboxClock(sandbox.base), of=before) == 40


def test_it_tells_the_very_second_that_the_sandbox_tells(sandbox: SandboxProcess) -> None:
    clock = SandboxClock(sandbox.base)
    client = sandbox.client("sk_test_of_the_clock")
    for _ in range(20):
        earliest = client.v1.products.create({"name": "A moment"}).created
        now = clock().timestamp()
        latest = client.v1.products.create({"name": "The next"}).created
        # One second too few is what a second that turns over under way may cost.
        assert earliest - 1 <= now <= latest + 1


def test_inside_a_transaction_it_asks_nobody(sandbox: SandboxProcess, database_url: str) -> None:
    clock = SandboxClock(sandbox.base)
    known = days_ahead(clock)
    database = Database(database_url)
    with database.transaction():
        sandbox.advance(advance_seconds=5 * DAY)
        time.sleep(2 * FRESH_SECONDS)
        assert days_ahead(clock) == known
    assert days_ahead(clock) == known + 5
    database.dispose()


def test_a_lost_sandbox_leaves_the_clock_as_it_was_and_is_logged_once(
    tmp_path: Path,
) -> None:
    sandbox = SandboxProcess(tmp_path)
    sandbox.advance(advance_seconds=9 * DAY)
    with structlog.testing.capture_logs() as logged:
        clock = SandboxClock(sandbox.base)
        assert days_ahead(clock) == 9
        sandbox.stop()
        told = [clock()]

        def is_lost_for(seconds: int) -> bool:
            told.append(clock())
            return bool(logged) and told[-1] - told[0] > timedelta(seconds=seconds)

        # Long enough to have asked again.
        wait_until(lambda: is_lost_for(2))
        assert told == sorted(told)
        assert days_ahead(clock) == 9
        assert [line["event"] for line in logged] == ["clock.sandbox_lost"]
        sandbox.start()
        try:
            sandbox.advance(advance_seconds=DAY)
            wait_until(lambda: days_ahead(clock) == 10)
        finally:
            sandbox.stop()
    warnings = [line["event"] for line in logged if line["log_level"] == "warning"]
    assert warnings == ["clock.sandbox_lost"]


def test_a_sandbox_that_is_not_there_yet_means_wall_time_and_a_warning(
    sandbox: SandboxProcess,
) -> None:
    with structlog.testing.capture_logs() as logged:
        clock = SandboxClock(f"http://127.0.0.1:{free_port()}")
        assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=1)
        assert [line["event"] for line in logged] == ["clock.sandbox_lost"]
        assert logged[0]["log_level"] == "warning"


def test_a_sandbox_that_does_not_answer_is_waited_for_once_and_not_long(
    sandbox: SandboxProcess,
) -> None:
    with Proxy(sandbox.base, delay=30) as slow:
        clock = SandboxClock(slow.base)
        began = time.monotonic()
        for _ in range(100):
            clock()
        assert time.monotonic() - began < FIRST_TIMEOUT_SECONDS + 2 * TIMEOUT_SECONDS


def test_many_threads_are_told_one_time_that_only_grows(sandbox: SandboxProcess) -> None:
    clock = SandboxClock(sandbox.base)
    start = threading.Barrier(8)

    def listen(_number: int) -> list[datetime]:
        start.wait()
        return [clock() for _ in range(2000)]

    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(listen, range(8)))
    assert all(told == sorted(told) for told in heard)
    # The first of each: a thread that had not waited for the answer would tell wall time.
    assert {days_ahead(clock, of=told[0]) for told in heard} == {0}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_question_leaves_the_child_free_to_ask() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        clock = SandboxClock(f"http://127.0.0.1:{silent.getsockname()[1]}")
        asking = threading.Thread(target=clock)
        asking.start()
        connection, _ = silent.accept()
        child = os.fork()
        if child == 0:
            clock()
            os._exit(7)
        try:
            wait_until(lambda: has_ended(child))
        finally:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        asking.join()
        connection.close()


def has_ended(process_id: int) -> bool:
    """Whether the child has ended, which leaves its status to be asked for."""
    return os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
