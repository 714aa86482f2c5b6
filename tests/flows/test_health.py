"""What programs that watch are told: alive, ready, and what was counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from talkingphoto.foundation.settings import Settings
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.visitors import PASSWORD, Visitor, ready_for_web
from web.app import create_app


@pytest.fixture
def visitor(runtime: Runtime, clock: TestClock) -> Visitor:
    return Visitor(create_app(ready_for_web(runtime, clock)).test_client(), ip="127.0.0.1")


def execute(runtime: Runtime, statement: str) -> None:
    with runtime.transaction() as session:
        session.execute(text(statement))


def readiness(visitor: Visitor) -> tuple[int, str | None]:
    answer = visitor.get("/readyz")
    return answer.status_code, answer.get_json().get("reason")


def with_database(runtime: Runtime, url: str) -> Visitor:
    given = runtime.settings.model_dump() | {"database_url": url, "worker": "external"}
    other = Runtime(Settings.model_validate(given))
    return Visitor(create_app(other).test_client())


def test_o1_a_process_without_its_database_lives_and_is_not_ready(
    runtime: Runtime, tmp_path: Path
) -> None:
    server = TestServer(tmp_path)
    try:
        url = server.create()
        visitor = with_database(runtime, url)
        assert readiness(visitor) == (200, None)
        server.stop()
        assert readiness(visitor) == (503, "database")
        assert visitor.get("/healthz").get_json() == {"status": "ok"}
        answer = visitor.get("/readyz")
        assert answer.get_json() == {"status": "not ready", "reason": "database"}
        page = visitor.sign_in()
        assert (page.status_code, "database.unreachable" in page.text) == (503, True)
        assert int(page.headers["Retry-After"]) > 0
        assert PASSWORD not in page.text
    finally:
        server.stop()


def test_o1_a_database_that_misses_migrations_is_not_ready(
    runtime: Runtime, postgres: TestServer
) -> None:
    url = postgres.create(migrated=False)
    visitor = with_database(runtime, url)
    assert readiness(visitor) == (503, "migrations")
    assert visitor.get("/healthz").status_code == 200


def test_o1_a_schema_behind_is_not_ready_and_one_ahead_is(
    runtime: Runtime, visitor: Visitor
) -> None:
    assert readiness(visitor) == (200, None)
    execute(runtime, "UPDATE alembic_version SET version_num = '0001'")
    assert readiness(visitor) == (503, "migrations")
    execute(runtime, "UPDATE alembic_version SET version_num = '9999'")
    assert readiness(visitor) == (200, None)


def test_o1_a_worker_that_fell_silent_is_not_ready_until_one_is_heard(
    runtime: Runtime, visitor: Visitor
) -> None:
    execute(
        runtime,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '61 s')",
    )
    assert readiness(visitor) == (503, "worker")
    execute(
        runtime,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '50 s')",
    )
    assert readiness(visitor) == (200, None)


def test_v2_refused_sign_ins_are_counted(visitor: Visitor) -> None:
    def mismatches() -> float:
        counted = re.search(r'sign_ins_total\{result="auth.mismatch"\} (\S+)', metrics())
        return float(counted[1]) if counted else 0

    def metrics() -> str:
        answer = visitor.get("/metrics")
        assert answer.status_code == 200
        return answer.text

    before = mismatches()
    visitor.sign_in()
    visitor.sign_in()
    assert mismatches() == before + 2
    assert "example.com" not in metrics()


@pytest.mark.parametrize(
    ("ip", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.7", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("203.0.113.7", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
@pytest.mark.parametrize("hops", [0, 1])
def test_o8_what_was_counted_is_told_to_this_machine_only(
    runtime: Runtime, clock: TestClock, hops: int, ip: str, headers: dict[str, str], status: int
) -> None:
    ready_for_web(runtime, clock)
    runtime.settings = runtime.settings.model_copy(update={"trusted_proxies": hops})
    visitor = Visitor(create_app(runtime).test_client(), ip=ip)
    assert visitor.get("/metrics", **headers).status_code == status
