"""Stories are told against a sandbox process and a shop on a database of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from talkingphoto.foundation import settings
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.sandbox import SandboxProcess
from tests.support.shop import Shop


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for all stories; it delivers nothing by itself, the tests do."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def shop(postgres: TestServer, sandbox: SandboxProcess, clock: TestClock) -> Iterator[Shop]:
    """The product with its catalog at the sandbox, on a database of its own."""
    with postgres.database() as url:
        made = open_shop(url, sandbox, clock)
        yield made
        made.runtime.database.dispose()


def open_shop(url: str, sandbox: SandboxProcess, clock: TestClock) -> Shop:
    """A shop whose catalog is synced and whose sandbox has told everything so far."""
    chosen = settings.load({**os.environ, "DATABASE_URL": url, "STRIPE_API_BASE": sandbox.base})
    made = Shop(Runtime(chosen, clock=clock), sandbox, clock)
    list(made.payments.sync_catalog())
    made.new_events()
    return made


@pytest.fixture
def clock() -> TestClock:
    """The product's time begins where the sandbox's is: today."""
    return TestClock(datetime.now(UTC))
