"""M6: what becomes of a video, and of the credit that was held for it."""

from __future__ import annotations

import pytest

from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.pocket_engine import FATAL, PocketEngine
from tests.support.studio import Studio


@pytest.fixture
def studio(runtime: Runtime, clock: TestClock, tmp_path: object) -> Studio:
    return Studio(runtime, clock, PocketEngine())


def test_m6_a_video_costs_one_credit_once_it_is_ready(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    assert (asked.state, studio.credits(ada)) == ("queued", (2, 1))
    studio.videos.run()
    ready = studio.look(ada, asked.id)
    assert (ready.state, ready.has_files, ready.seconds) == ("ready", True, pytest.approx(0.4))
    assert studio.credits(ada) == (2, 0)
    assert studio.differences() == ()


@pytest.mark.parametrize("failure", [FATAL])
def test_m6_a_video_that_cannot_be_made_gives_its_credit_back(studio, failure) -> None:
    pass
