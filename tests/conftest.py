"""What every test stands on: a real PostgreSQL, settings of its own, a clock that tests move."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Before anything of ours is imported: the services connect when they are imported, and a test
# run must never see the developer's own settings or data.
_FOLDER = Path(tempfile.mkdtemp(prefix="talkingphoto-tests-"))
_OURS = (
    *("STRIPE_", "TALKINGPHOTO_", "DATABASE_URL", "REDIS_URL", "APP_URL", "WEB_URL", "WORKER"),
    *("SECRET_KEY", "JWT_SECRET_KEY", "DUNNING_OWNER"),
)
for _name in [name for name in os.environ if name.startswith(_OURS)]:
    del os.environ[_name]
os.environ["TALKINGPHOTO_DATA"] = str(_FOLDER / "data")
os.environ["TALKINGPHOTO_LOG_LEVEL"] = "warning"
os.environ["TALKINGPHOTO_ENV_FILE"] = str(_FOLDER / "no.env")

from talkingphoto.foundation import settings  # noqa: E402
from talkingphoto.runtime import Runtime  # noqa: E402
from tests.contract import recording  # noqa: E402
from tests.support.clock import TestClock  # noqa: E402
from tests.support.databases import TestServer  # noqa: E402

_SERVER = pytest.StashKey[TestServer]()
# Files that begin like this go to one process: what they share takes long to start.
_PARTS = {
    "tests/browser/test_first_": "the product",
    "tests/browser/test_story_": "the product",
    "tests/browser/test_pages_": "the pages",
}
# One test each of these takes longest: begun last, it would be waited for alone.
_LONGEST = (
    "tests/rules/test_ledger_invariants.py",
    "tests/flows/test_generation_kills.py",
    "tests/rules/test_ledger_sequences.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Who runs tests has a server of its own; who only hands them out to others needs none.

    What the product asks of Stripe in this run is looked at when it ends.
    """
    config.pluginmanager.register(recording.Plugin(config))
    atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
    if config.getoption("dist", "no") == "no":
        # The same folder as the services' embedded server: it is up, without fsync, before tests
        # import them. It is stopped before its folder goes.
        server = config.stash[_SERVER] = TestServer(_FOLDER / "data")
        atexit.register(server.stop)


class _InParts(LoadFileScheduling):  # type: ignore[misc]
    """Whole files are handed out, in their order: their tests share what fixtures start."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((part for begin, part in _PARTS.items() if file.startswith(begin)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's parts come first, then the longest files, then the rest as they are found."""
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    if nodeid.startswith("tests/browser/"):
        return 0
    return 1 if nodeid.startswith(_LONGEST) else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Tests are handed out in parts, the first collected first."""
    # Not those with the most tests first: the browser's are few, long, and begin with a long start.
    config.option.loadscopereorder = False
    return _InParts(config, log)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> TestServer:
    """The throw-away server of this run, or of this part of a run."""
    return pytestconfig.stash[_SERVER]


@pytest.fixture(scope="session")
def database_url(postgres: TestServer) -> str:
    """A migrated database shared by the whole run."""
    return postgres.create()


@pytest.fixture
def clock() -> TestClock:
    """The product's time, standing still until the test moves it."""
    return TestClock()


@pytest.fixture
def runtime(postgres: TestServer, clock: TestClock) -> Iterator[Runtime]:
    """A runtime on a database of its own, following the test's clock."""
    with postgres.database() as url:
        chosen = settings.load({**os.environ, "DATABASE_URL": url})
        made = Runtime(chosen, clock=clock)
        yield made
        made.database.dispose()
