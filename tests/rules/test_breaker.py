"""Who does not answer is left alone for a while, then asked by one."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from talkingphoto.integrations.breaker import MOST_FAILURES, REST_SECONDS, Breaker


class Watch:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    """No time has passed."""
    return Watch()


@pytest.fixture
def breaker(watch: Watch) -> Breaker:
    """A breaker that has seen no failure."""
    return Breaker("vendor", clock=watch)


def fail(breaker: Breaker, times: int) -> None:
    """So many failures in a row."""
    for _ in range(times):
        breaker.failed()


def test_it_opens_with_the_fifth_failure_in_a_row_and_says_so_once(breaker: Breaker) -> None:
    with capture_logs() as logs:
        fail(breaker, MOST_FAILURES - 1)
        assert breaker.allows()
        fail(breaker, 1)
        assert not breaker.allows()
        fail(breaker, 3)
    assert [line["event"] for line in logs] == ["alert.circuit_opened"]


def test_an_answer_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, MOST_FAILURES - 1)
    breaker.succeeded()
    fail(breaker, MOST_FAILURES - 1)
    assert breaker.allows()


def test_after_the_rest_one_caller_asks_again_and_the_others_wait(
    breaker: Breaker, watch: Watch
) -> None:
    fail(breaker, MOST_FAILURES)
    watch.seconds = REST_SECONDS - 0.1
    assert not breaker.allows()
    watch.seconds = REST_SECONDS
    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_it_closes_with_an_answer_and_says_so_once(breaker: Breaker, watch: Watch) -> None:
    fail(breaker, MOST_FAILURES)
    watch.seconds = REST_SECONDS
    assert breaker.allows()
    with capture_logs() as logs:
        breaker.succeeded()
        breaker.succeeded()
    assert breaker.allows()
    assert [line["event"] for line in logs] == ["alert.circuit_closed"]


def test_a_try_that_fails_begins_another_rest_in_silence(breaker: Breaker, watch: Watch) -> None:
    fail(breaker, MOST_FAILURES)
    watch.seconds = REST_SECONDS
    assert breaker.allows()
    with capture_logs() as logs:
        breaker.failed()
    watch.seconds = 2 * REST_SECONDS - 0.1
    assert not breaker.allows()
    watch.seconds = 2 * REST_SECONDS
    assert breaker.allows()
    assert logs == []
