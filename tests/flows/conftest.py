"""Stories are told against a sandbox process and a shop on a database of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from talkingphoto.foundation import settings
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.gunicorn import Gunicorn
from tests.support.pocket_engine import PocketEngine
from tests.support.sandbox import SandboxProcess
from tests.support.shop import Shop, environment
from tests.support.studio import Studio


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for all stories; it delivers nothing by itself, the tests do."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture(scope="module")
def stocked(postgres: TestServer, sandbox: SandboxProcess) -> Iterator[str]:
    """A database whose catalog is synced, to be copied: nobody is connected to it."""
    with postgres.database() as url:
        made = open_shop(url, sandbox, TestClock(datetime.now(UTC)))
        list(made.payments.sync_catalog())
        made.runtime.database.dispose()
        yield url


@pytest.fixture
def shop(
    postgres: TestServer, stocked: str, sandbox: SandboxProcess, clock: TestClock
) -> Iterator[Shop]:
    """The product with its catalog at the sandbox, on a database of its own."""
    with postgres.database(like=stocked) as url:
        made = open_shop(url, sandbox, clock)
        yield made
        made.runtime.database.dispose()


def open_shop(url: str, sandbox: SandboxProcess, clock: TestClock) -> Shop:
    """A shop whose sandbox has told everything so far."""
    chosen = settings.load({**os.environ, "DATABASE_URL": url, "STRIPE_API_BASE": sandbox.base})
    made = Shop(Runtime(chosen, clock=clock), sandbox, clock)
    made.new_events()
    return made


@pytest.fixture
def clock() -> TestClock:
    """The product's time begins where the sandbox's is: today."""
    return TestClock(datetime.now(UTC))


@pytest.fixture(scope="module")
def storefront(postgres: TestServer, stocked: str, sandbox: SandboxProcess) -> Iterator[Shop]:
    """One shop for all stories of a module that are told at the real door."""
    with postgres.database(like=stocked) as url:
        made = open_shop(url, sandbox, TestClock(datetime.now(UTC)))
        yield made
        made.runtime.database.dispose()


@pytest.fixture(scope="module")
def web(storefront: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """The door, with no worker behind it: what is stored stays to be looked at."""
    server = Gunicorn(tmp_path_factory.mktemp("web"), environment(storefront))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def studio_database(postgres: TestServer) -> Iterator[str]:
    """One database for all stories of a module about videos: each leaves no video unfinished."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def studio(studio_database: str, clock: TestClock, tmp_path: Path) -> Iterator[Studio]:
    """The verbs of videos with a folder of their own and an engine that is quick."""
    chosen = settings.load({**os.environ, "DATABASE_URL": studio_database})
    made = Studio(Runtime(chosen, clock=clock), clock, PocketEngine(), folder=tmp_path)
    yield made
    made.close()
