"""Which worker makes videos, how many at once, and what it leaves when it is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from talkingphoto import cli, stack
from talkingphoto.foundation import settings
from talkingphoto.generations import queue, rules
from tests.support.settings_cases import environment
from tests.support.studio import Studio

Begin = Callable[[float, str], "subprocess.Popen[str]"]


@pytest.fixture
def begin(studio: Studio) -> Iterator[Begin]:
    """Starts a worker process whose renders take so long, for a share of the jobs."""
    begun: list[subprocess.Popen[str]] = []

    def one(seconds: float, share: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.pocket_worker", "work", str(seconds), share],
            env=studio.environment(),
            cwd=settings.PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        begun.append(process)
        return process

    yield one
    for process in begun:
        process.kill()
        process.wait(timeout=10)


def test_videos_are_made_by_the_worker_of_that_queue_and_the_rest_by_the_other(
    studio: Studio, begin: Begin
) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    begin(0, "main")
    # The sweep is a job of the main queues: once it has run, that worker has had its chance.
    studio.until(lambda: "sweep.minute" in studio.done_tasks(), seconds=90)
    assert studio.look(ada, asked.id).state == "queued"
    begin(0, "render")
    studio.until(lambda: studio.look(ada, asked.id).state == "ready", seconds=30)


def test_one_video_is_made_at_a_time_for_each_two_cores(studio: Studio, begin: Begin) -> None:
    ada, bob = studio.a_person(), studio.a_person()
    asked = [studio.asks(owner).id for owner in (ada, bob) for _ in range(2)]
    # As many as gunicorn may run: each of them would take one.
    for _ in range(3):
        begin(0.5, "all")
    most = 0

    def all_ready() -> bool:
        nonlocal most
        states = studio.states(asked)
        most = max(most, states.count("rendering"))
        return states.count("ready") == len(asked)

    studio.until(all_ready, seconds=60)
    assert 1 <= most <= max(1, (os.cpu_count() or 1) // 2)


def test_a_full_machine_leaves_the_rest_to_others_and_a_worker_that_hangs_keeps_no_place(
    studio: Studio,
) -> None:
    ada = studio.a_person()
    asked = [studio.asks(ada).id for _ in range(2)]
    machine, wall = studio.runtime.machine, studio.runtime.wall_clock()

    def room(*, of: str = machine, at: datetime = wall) -> bool:
        with studio.runtime.transaction() as session:
            return queue.has_room(session, machine=of, most=1, wall=at)

    with studio.runtime.transaction() as session:
        queue.claim(session, now=studio.clock.now, wall=wall, machine=machine)
    assert not room()
    assert room(of="another")
    assert room(at=wall + rules.SILENT)
    assert sorted(studio.states(asked)) == ["queued", "rendering"]


def test_a_worker_that_is_stopped_hands_its_video_on(studio: Studio, begin: Begin) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    process = begin(600, "render")
    studio.until(lambda: studio.look(ada, asked.id).stage == "frames", seconds=60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert studio.look(ada, asked.id).state == "queued"
    studio.hurry(asked.id)
    begin(0, "render")
    studio.until(lambda: studio.look(ada, asked.id).state == "ready", seconds=60)
    assert studio.credits(ada) == (2, 0)


def test_up_runs_a_render_worker_of_its_own(tmp_path: Path) -> None:
    planned = stack.plan(environment({}, tmp_path), ports=stack.Ports(), data=None)
    commands = {part.name: part.command[-3:] for part in planned.parts}
    assert commands["worker"] == ("worker", "--queue", "main")
    assert commands["renderer"] == ("worker", "--queue", "render")


def test_a_queue_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SystemExit):
        cli.main(["worker", "--queue", "films"])
