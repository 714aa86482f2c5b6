"""What every test stands on: a real PostgreSQL, settings of its own, a clock that tests move."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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

# The same folder as the services' embedded server: it is up, without fsync, before they look.
_SERVER = TestServer(_FOLDER / "data")


@atexit.register
def _forget() -> None:
    _SERVER.stop()
    shutil.rmtree(_FOLDER, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """What the product asks of Stripe in this run is looked at when it ends."""
    config.pluginmanager.register(recording.Plugin(config))


@pytest.fixture(scope="session")
def postgres() -> TestServer:
    """The throw-away server of this run."""
    return _SERVER


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
