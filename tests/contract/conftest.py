"""One sandbox serves the tests of the checker: what is right is its own, what is wrong planted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.world import World
from tests.sandbox.running import Process, Receiver


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox whose answers and events are right as they come."""
    receiver = Receiver(port=0)
    receiver.open()
    process = Process(tmp_path_factory.mktemp("contract"), webhook_url=receiver.url).start()
    yield World(process, receiver)
    process.stop()
    receiver.close()
