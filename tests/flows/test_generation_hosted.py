"""A video made by an engine elsewhere: asked about by jobs, heard from by callbacks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from talkingphoto.foundation import errors
from talkingphoto.generations import queue
from tests.support.pocket_engine import CALLBACK, FATAL, TRANSIENT
from tests.support.studio import Studio


@pytest.fixture
def hosted(studio: Studio) -> Studio:
    """The studio with an engine that is elsewhere, and takes a while."""
    studio.engine.hosted = True
    studio.engine.seconds = 60
    return studio


def test_the_worker_is_free_while_a_hosted_engine_works(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    assert (asked.state, hosted.credits(ada)) == ("rendering", (2, 1))
    (look,) = hosted.waiting_jobs(queue.LOOK_TASK)
    assert look.args == {"generation_id": asked.id, "attempt": 1}
    wait = look.scheduled_at - hosted.row(asked.id).claimed_at
    assert timedelta(seconds=2) <= wait < timedelta(seconds=4)
    hosted.videos.look(asked.id, 1)
    assert hosted.look(ada, asked.id).stage == "frames"
    hosted.engine.seconds = 0
    hosted.videos.look(asked.id, 1)
    assert hosted.look(ada, asked.id).state == "ready"
    assert hosted.credits(ada) == (2, 0)
    assert hosted.engine.purged == [asked.id]


def test_it_is_asked_less_and_less_often_and_counts_as_alive_between(hosted: Studio) -> None:
    asked = hosted.makes(hosted.a_person())
    claimed = hosted.row(asked.id).claimed_at
    hosted.change(asked.id, claimed_at=claimed - timedelta(seconds=200))
    hosted.takes_all_jobs()
    hosted.videos.look(asked.id, 1)
    last = max(hosted.waiting_jobs(queue.LOOK_TASK), key=lambda job: job.scheduled_at)
    wait = last.scheduled_at - hosted.runtime.wall_clock()
    assert timedelta(seconds=28) < wait <= timedelta(seconds=30)
    assert hosted.row(asked.id).alive_until - last.scheduled_at == timedelta(seconds=60)


def test_a_callback_is_a_hint_and_no_more(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    hosted.videos.hear(CALLBACK, asked.id.encode())
    hosted.videos.hear(CALLBACK, asked.id.encode())
    soon = [job for job in hosted.waiting_jobs(queue.LOOK_TASK) if job.scheduled_at is None]
    assert soon
    # It says the video is ready, and it is not.
    hosted.videos.look(**soon[0].args)
    assert hosted.look(ada, asked.id).state == "rendering"
    hosted.engine.seconds = 0
    hosted.videos.look(**soon[0].args)
    assert hosted.look(ada, asked.id).state == "ready"
    hosted.videos.hear(CALLBACK, asked.id.encode())
    hosted.videos.look(**soon[0].args)
    assert hosted.credits(ada) == (2, 0)


def test_a_callback_that_nobody_signed_is_refused(hosted: Studio) -> None:
    with pytest.raises(errors.InvalidRequest):
        hosted.videos.hear({"x-pocket": "forged"}, b"x")


def test_a_callback_about_nothing_of_ours_is_ignored(hosted: Studio) -> None:
    hosted.videos.hear(CALLBACK, b"unknown")
    assert hosted.waiting_jobs(queue.LOOK_TASK) == []


def test_an_engine_that_is_not_heard_for_a_moment_is_asked_again(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    hosted.engine.silent = TRANSIENT
    hosted.videos.look(asked.id, 1)
    assert hosted.look(ada, asked.id).state == "rendering"
    hosted.engine.silent = FATAL
    hosted.videos.look(asked.id, 1)
    assert hosted.look(ada, asked.id).state == "failed"
    assert hosted.credits(ada) == (3, 0)


def test_an_engine_that_does_not_end_is_stopped_at_the_deadline(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    claimed = hosted.row(asked.id).claimed_at
    hosted.change(asked.id, claimed_at=claimed - timedelta(minutes=5, seconds=1))
    hosted.videos.look(asked.id, 1)
    assert hosted.look(ada, asked.id).state == "failed"
    assert hosted.engine.canceled == [asked.id]
    assert hosted.credits(ada) == (3, 0)


def test_stopping_asks_the_engine_at_once(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    hosted.videos.cancel(user_id=ada, generation_id=asked.id)
    (soon,) = [job for job in hosted.waiting_jobs(queue.LOOK_TASK) if job.scheduled_at is None]
    hosted.videos.look(**soon.args)
    assert hosted.look(ada, asked.id).state == "canceled"
    assert hosted.engine.canceled == [asked.id]
    assert hosted.credits(ada) == (3, 0)


def test_a_lost_look_is_another_attempt_at_the_same_job(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    hosted.let_lapse()
    hosted.videos.run()
    assert [request.job_id for request in hosted.engine.submits] == [asked.id] * 2
    hosted.engine.seconds = 0
    hosted.videos.look(asked.id, 1)
    assert hosted.look(ada, asked.id).state == "rendering"
    hosted.videos.look(asked.id, 2)
    assert hosted.look(ada, asked.id).state == "ready"
    assert hosted.engine.canceled == []


def test_two_looks_at_once_deliver_one_video(hosted: Studio) -> None:
    ada = hosted.a_person()
    asked = hosted.makes(ada)
    hosted.engine.seconds = 0
    for _ in range(2):
        hosted.videos.look(asked.id, 1)
    assert len([key for key in hosted.stored() if key.endswith(".mp4")]) == 1
    assert hosted.credits(ada) == (2, 0)
    assert hosted.differences() == ()
