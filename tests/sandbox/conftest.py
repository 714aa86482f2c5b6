"""One sandbox and one receiver serve all tests that do not move its clock or stop it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stripe_sandbox.sandbox import Sandbox as InProcess
from stripe_sandbox.sandbox import Settings
from tests.sandbox.inside import Inside, life
from tests.sandbox.payer import Payer
from tests.sandbox.running import Process, Receiver, Shop, open_shop


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    endpoint = Receiver()
    endpoint.open()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("sandbox"), webhook_url=receiver.url)
    yield process.start()
    process.stop()


@pytest.fixture(scope="session")
def shop(sandbox: Process) -> Shop:
    return open_shop(sandbox)


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Process]:
    """A sandbox for one test, whose clock may be moved and which may be stopped."""
    process = Process(tmp_path).start()
    yield process
    if process.popen is not None and process.popen.poll() is None:
        process.stop()


@pytest.fixture(scope="module")
def timed_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A sandbox for one file of tests that move its clock and do not mind who else did."""
    process = Process(tmp_path_factory.mktemp("timed"))
    yield process.start()
    process.stop()


@pytest.fixture(scope="module")
def timed_shop(timed_sandbox: Process) -> Shop:
    """A shop on that sandbox; its tests have customers of their own."""
    return open_shop(timed_sandbox)


@pytest.fixture(scope="module")
def heard() -> Iterator[Receiver]:
    """What the webhooks of one file's own sandbox arrive at."""
    endpoint = Receiver()
    endpoint.open()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, heard: Receiver) -> Iterator[Shop]:
    """A shop on a sandbox for one file of tests that move its clock and break it."""
    process = Process(tmp_path_factory.mktemp("moved"), webhook_url=heard.url).start()
    yield open_shop(process)
    process.stop()


@pytest.fixture
def payer(shop: Shop) -> Payer:
    """Somebody who pays at the shared sandbox."""
    return Payer(shop.sandbox)


@pytest.fixture
def timed_payer(timed_sandbox: Process) -> Payer:
    """Somebody who pays at a sandbox whose clock is moved."""
    return Payer(timed_sandbox)


@pytest.fixture(scope="session")
def bench_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """A sandbox without a process of its own, for lives whose time only tests move."""
    store = tmp_path_factory.mktemp("bench") / "store.sqlite"
    made = InProcess(Settings(store=store, public_url="http://localhost:1"))
    yield made
    made.store.close()


@pytest.fixture
def me(bench_sandbox: InProcess) -> Iterator[Inside]:
    """One life in that sandbox, forgotten at the end."""
    with life(bench_sandbox) as inside:
        yield inside
