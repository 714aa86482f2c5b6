"""Too many tries are refused, the owner still gets in, and losing Redis opens no door."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import text

from services.auth_service import SIGN_UPS_PER_IP, TRIES_PER_ACCOUNT, TRIES_PER_IP, AuthService
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Database
from talkingphoto.integrations.cache import Allowance, TryCounter
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.visitors import PASSWORD, ready_for_web

THIEF, OWNER = "198.51.100.1", "203.0.113.7"


@pytest.fixture
def auth(runtime: Runtime, clock: TestClock) -> AuthService:
    return AuthService(ready_for_web(runtime, clock))


def a_person(auth: AuthService, email: str = "ada@example.com", ip: str = OWNER) -> None:
    auth.register(email=email, password=PASSWORD, terms_accepted=True, ip=ip, user_agent="")


def guess(auth: AuthService, *, ip: str = THIEF, email: str = "ada@example.com") -> str:
    """The code a wrong password meets."""
    with pytest.raises(errors.AppError) as refusal:
        auth.sign_in(email=email, password="not the right one", ip=ip, user_agent="")
    return refusal.value.code


def enter(auth: AuthService, *, ip: str = OWNER) -> bool:
    return bool(
        auth.sign_in(email="ada@example.com", password=PASSWORD, ip=ip, user_agent="").token
    )


def test_r1_the_try_after_the_last_allowed_one_is_refused_and_the_owner_still_gets_in(
    auth: AuthService, clock: TestClock
) -> None:
    a_person(auth)
    codes = [guess(auth) for _ in range(TRIES_PER_ACCOUNT.most + 1)]
    assert codes == ["auth.mismatch"] * TRIES_PER_ACCOUNT.most + ["auth.rate_limited"]
    with pytest.raises(errors.RateLimited) as refusal:
        enter(auth, ip=THIEF)  # even with the right password
    assert refusal.value.retry_after_seconds == TRIES_PER_ACCOUNT.seconds
    assert enter(auth, ip=OWNER)
    clock.advance(seconds=TRIES_PER_ACCOUNT.seconds - 1)
    assert guess(auth) == "auth.rate_limited"
    clock.advance(seconds=1)
    assert enter(auth, ip=THIEF)


def test_r1_guesses_spread_over_many_accounts_are_refused_by_address(auth: AuthService) -> None:
    a_person(auth)
    codes = [guess(auth, email=f"person{n}@example.com") for n in range(TRIES_PER_IP.most + 1)]
    assert codes[-2:] == ["auth.mismatch", "auth.rate_limited"]
    assert enter(auth, ip=OWNER)


def test_r1_a_success_forgives_the_account_and_not_the_address(auth: AuthService) -> None:
    a_person(auth)
    for _ in range(3):
        for _ in range(TRIES_PER_ACCOUNT.most - 1):
            assert guess(auth) == "auth.mismatch"
        assert enter(auth, ip=THIEF)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("203.0.113.1", "203.0.113.2", False),
        ("203.0.113.1", "::ffff:203.0.113.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ],
)
def test_r1_one_customer_of_a_provider_is_one_address(
    auth: AuthService, first: str, second: str, same: bool
) -> None:
    a_person(auth)
    for _ in range(TRIES_PER_ACCOUNT.most):
        guess(auth, ip=first)
    assert (guess(auth, ip=second) == "auth.rate_limited") is same


def test_r3_sign_ups_from_one_address_are_limited(auth: AuthService) -> None:
    for number in range(SIGN_UPS_PER_IP.most):
        a_person(auth, f"person{number}@example.com", ip=THIEF)
    with pytest.raises(errors.RateLimited):
        a_person(auth, "late@example.com", ip=THIEF)
    a_person(auth, "late@example.com", ip=OWNER)


def test_r7_processes_that_share_a_database_share_the_count(
    runtime: Runtime, clock: TestClock
) -> None:
    allowance = Allowance("shared", most=10, seconds=60)
    databases = [Database(runtime.database_url) for _ in range(2)]
    counters = [TryCounter(one.transaction, clock=clock) for one in databases]
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda n: counters[n % 2].take(allowance, "x"), range(40)))
    for one in databases:
        one.dispose()
    assert waits.count(0) == 10
    assert set(waits) == {0, 60}


class RedisServer:
    """A Redis of the test's own on a free port."""

    def __init__(self, folder: Path) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(port=self.port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "install redis-server to run this test"
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                assert self._process.poll() is None
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_c7_losing_redis_neither_stops_sign_in_nor_lets_guesses_through(
    runtime: Runtime, clock: TestClock, redis_server: RedisServer
) -> None:
    ready_for_web(runtime, clock)
    address = SecretStr(redis_server.url)
    runtime.settings = runtime.settings.model_copy(update={"redis_url": address})
    auth = AuthService(runtime)
    a_person(auth)
    assert [guess(auth) for _ in range(11)][-2:] == ["auth.mismatch", "auth.rate_limited"]
    assert redis_server.client.keys("*sign_in*")
    with runtime.read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM rate_counters")) == 0

    redis_server.stop()
    assert enter(auth)
    assert [guess(auth) for _ in range(11)][-2:] == ["auth.mismatch", "auth.rate_limited"]
    assert enter(auth)

    clock.advance(seconds=6)
    redis_server.start()
    assert enter(auth)
    assert redis_server.client.keys("*sign_in*")


def test_c7_redis_says_how_long_to_wait(
    runtime: Runtime, clock: TestClock, redis_server: RedisServer
) -> None:
    counter = TryCounter(runtime.transaction, clock=clock, redis_url=redis_server.url)
    allowance = Allowance("waits", most=1, seconds=300)
    assert counter.take(allowance, "x") == 0
    assert 295 <= counter.take(allowance, "x") <= 300
    counter.clear(allowance, "x")
    assert counter.take(allowance, "x") == 0


def test_c7_the_very_try_that_finds_redis_gone_is_counted(
    runtime: Runtime, clock: TestClock, redis_server: RedisServer
) -> None:
    counter = TryCounter(runtime.transaction, clock=clock, redis_url=redis_server.url)
    allowance = Allowance("last", most=1, seconds=300)
    redis_server.stop()
    assert [counter.take(allowance, "x") for _ in range(3)] == [0, 300, 300]
