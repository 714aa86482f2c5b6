"""M6: what becomes of a video, and of the credit that was held for it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from talkingphoto.foundation import errors
from talkingphoto.generations import queue
from talkingphoto.rendering import carrying, upkeep
from tests.support.pocket_engine import FATAL, TRANSIENT, portrait
from tests.support.studio import Studio


def test_m6_a_video_costs_one_credit_once_it_is_ready(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    assert (asked.state, studio.credits(ada)) == ("queued", (2, 1))
    studio.videos.run()
    ready = studio.look(ada, asked.id)
    assert (ready.state, ready.has_files, ready.problem) == ("ready", True, None)
    assert (ready.width, ready.height, ready.progress) == (64, 64, 1.0)
    assert ready.seconds == pytest.approx(0.4)
    assert studio.credits(ada) == (2, 0)
    assert studio.differences() == ()
    assert studio.engine.purged == [asked.id]


def test_m6_a_video_that_cannot_be_made_gives_its_credit_back(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.will_fail(FATAL)
    failed = studio.makes(ada)
    assert (failed.state, failed.has_files) == ("failed", False)
    assert failed.problem is not None
    assert failed.problem.code == FATAL.code
    assert studio.credits(ada) == (3, 0)
    assert studio.differences() == ()


def test_m6_a_passing_failure_is_tried_three_times_under_the_same_job_id(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.will_fail(TRANSIENT, TRANSIENT)
    asked = studio.makes(ada)
    assert (asked.state, studio.credits(ada)) == ("queued", (2, 1))
    for _ in range(2):
        studio.hurry(asked.id)
        studio.videos.run()
    assert studio.look(ada, asked.id).state == "ready"
    assert [request.job_id for request in studio.engine.submits] == [asked.id] * 3
    assert studio.credits(ada) == (2, 0)


def test_m6_what_fails_in_passing_three_times_has_failed(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.will_fail(TRANSIENT, TRANSIENT, TRANSIENT)
    asked = studio.makes(ada)
    for _ in range(3):
        studio.hurry(asked.id)
        studio.videos.run()
    failed = studio.look(ada, asked.id)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", TRANSIENT.code)
    assert len(studio.engine.submits) == 3
    assert studio.credits(ada) == (3, 0)


def test_a_retry_waits_its_time_and_wakes_a_worker_then(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.will_fail(TRANSIENT)
    studio.makes(ada)
    (_asked, later) = studio.waiting_jobs(queue.WAKE_TASK)
    wait = later.scheduled_at - studio.runtime.wall_clock()
    assert timedelta(seconds=3) < wait <= timedelta(seconds=5)
    studio.videos.run()
    assert len(studio.engine.submits) == 1


def test_a_file_that_does_not_play_is_not_delivered(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.damaged = True
    asked = studio.asks(ada)
    for _ in range(3):
        studio.hurry(asked.id)
        studio.videos.run()
    failed = studio.look(ada, asked.id)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", "video_broken")
    assert studio.credits(ada) == (3, 0)


def test_a_video_that_waits_is_canceled_at_once_and_costs_nothing(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    studio.videos.cancel(user_id=ada, generation_id=asked.id)
    assert studio.look(ada, asked.id).state == "canceled"
    assert studio.credits(ada) == (3, 0)
    studio.videos.run()
    assert studio.engine.submits == []


def test_a_video_under_way_is_stopped_at_the_engine(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.seconds = 60
    asked = studio.asks(ada)
    with studio.at_work():
        studio.until(lambda: studio.look(ada, asked.id).stage == "frames")
        assert studio.look(ada, asked.id).seconds_left is not None
        studio.videos.cancel(user_id=ada, generation_id=asked.id)
    assert studio.look(ada, asked.id).state == "canceled"
    assert studio.engine.canceled == [asked.id]
    assert studio.credits(ada) == (3, 0)


def test_an_ended_video_is_not_canceled(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    studio.videos.cancel(user_id=ada, generation_id=ready.id)
    assert studio.look(ada, ready.id).state == "ready"
    assert studio.credits(ada) == (2, 0)


def test_a_worker_that_is_told_to_stop_gives_its_video_back(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.seconds = 60
    asked = studio.asks(ada)
    with studio.at_work():
        studio.until(lambda: studio.look(ada, asked.id).stage == "frames")
        studio.runtime.stopping.set()
    assert studio.look(ada, asked.id).state == "queued"
    studio.runtime.stopping.clear()
    studio.engine.seconds = 0
    studio.hurry(asked.id)
    studio.videos.run()
    assert studio.look(ada, asked.id).state == "ready"


def test_an_engine_that_never_ends_is_stopped_at_the_deadline(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.seconds = 3600
    asked = studio.asks(ada)
    studio.claims_as_of(studio.runtime.wall_clock() - timedelta(minutes=5, seconds=1))
    failed = studio.look(ada, asked.id)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", "took_too_long")
    assert studio.engine.canceled == [asked.id]
    assert studio.credits(ada) == (3, 0)


def test_m6_a_plan_that_ends_meanwhile_takes_nothing_that_was_held(studio: Studio) -> None:
    ada = studio.a_person()
    ends = studio.clock.now + timedelta(hours=1)
    studio.subscribe(ada, "starter")
    studio.grant(ada, 2, source="plan", expires_at=ends)
    first, second = studio.asks(ada, tier="720p"), studio.asks(ada, tier="720p")
    assert studio.credits(ada) == (3, 2)
    studio.clock.advance(hours=2)
    studio.subscribe(ada, "starter", status="canceled")
    studio.engine.will_fail(None, FATAL)
    studio.videos.run()
    studio.videos.run()
    assert studio.look(ada, first.id).state == "ready"
    assert studio.look(ada, second.id).state == "failed"
    # What comes back to a lot that ran out meanwhile lives a while longer.
    assert studio.credits(ada) == (4, 0)
    assert studio.differences() == ()


def test_m6_a_video_nobody_made_within_a_day_ends_and_gives_its_credit_back(
    studio: Studio,
) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    studio.clock.advance(hours=23.9)
    studio.videos.sweep()
    assert studio.look(ada, asked.id).state == "queued"
    studio.clock.advance(hours=0.1)
    studio.videos.run()
    assert studio.engine.submits == []
    studio.videos.sweep()
    failed = studio.look(ada, asked.id)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", "took_too_long")
    assert studio.credits(ada) == (3, 0)


def test_m6_a_hold_that_the_ledger_ended_first_never_makes_a_free_video(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    claim = studio.claim()
    made = carrying.carry(studio.runtime, claim)
    studio.clock.advance(hours=24)
    assert studio.expire() == 1
    assert made is not None
    assert studio.videos.finish(claim, made) is False
    failed = studio.look(ada, asked.id)
    assert (failed.state, failed.has_files) == ("failed", False)
    assert studio.credits(ada) == (3, 0)
    assert not [key for key in studio.stored() if key.endswith(".mp4")]
    assert studio.differences() == ()


def test_a_hold_that_the_ledger_ended_frees_its_video_in_the_next_sweep(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    studio.clock.advance(hours=25)
    assert studio.expire() == 1
    studio.videos.sweep()
    assert studio.look(ada, asked.id).state == "failed"
    assert studio.credits(ada) == (3, 0)


def test_one_free_remake_within_a_day(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    assert ready.can_remake_free
    again = studio.videos.remake(user_id=ada, generation_id=ready.id, request_id=str(uuid.uuid4()))
    assert (again.state, again.text, studio.credits(ada)) == ("queued", ready.text, (2, 0))
    studio.videos.run()
    made = studio.look(ada, again.id)
    assert (made.state, made.can_remake_free) == ("ready", False)
    assert studio.credits(ada) == (2, 0)
    assert not studio.look(ada, ready.id).can_remake_free
    for of in (ready.id, again.id):
        with pytest.raises(errors.Conflict):
            studio.videos.remake(user_id=ada, generation_id=of, request_id=str(uuid.uuid4()))
    assert studio.engine.submits[0].seed != studio.engine.submits[1].seed


def test_a_remake_asked_twice_is_one_remake(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    request_id = str(uuid.uuid4())
    first, second = (
        studio.videos.remake(user_id=ada, generation_id=ready.id, request_id=request_id)
        for _ in range(2)
    )
    assert first.id == second.id == request_id


def test_a_day_later_there_is_no_free_remake(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    studio.clock.advance(hours=23.99)
    assert studio.look(ada, ready.id).can_remake_free
    studio.clock.advance(hours=0.01)
    assert not studio.look(ada, ready.id).can_remake_free
    with pytest.raises(errors.Conflict):
        studio.videos.remake(user_id=ada, generation_id=ready.id, request_id=str(uuid.uuid4()))


def test_paid_videos_come_before_free_ones(studio: Studio) -> None:
    free, paid = studio.a_person(), studio.a_person(packs=2)
    asked = [studio.asks(free), studio.asks(paid), studio.asks(free), studio.asks(paid)]
    for _ in asked:
        studio.videos.run()
    made = [request.job_id for request in studio.engine.submits]
    assert made == [asked[n].id for n in (1, 3, 0, 2)]


def test_one_customer_s_three_videos_do_not_stand_before_another_s_first(studio: Studio) -> None:
    ada, bob = studio.a_person(), studio.a_person()
    asked = [*(studio.asks(ada) for _ in range(3)), *(studio.asks(bob) for _ in range(2))]
    for _ in asked:
        studio.videos.run()
    made = [request.job_id for request in studio.engine.submits]
    assert made == [asked[n].id for n in (0, 3, 1, 4, 2)]


def test_who_has_a_video_under_way_waits_for_those_who_have_none(studio: Studio) -> None:
    ada, bob = studio.a_person(), studio.a_person()
    studio.makes(bob)
    asked = [studio.asks(ada), studio.asks(ada), studio.asks(bob)]
    # Bob was served before; Ada's first is under way, and nobody is at Bob's.
    assert [studio.claim().id for _ in asked] == [asked[n].id for n in (0, 2, 1)]


def test_a_silent_worker_loses_its_video_and_changes_nothing_when_it_wakes(
    studio: Studio,
) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    old = studio.claim()
    made = carrying.carry(studio.runtime, old)
    studio.videos.run()
    assert studio.look(ada, asked.id).state == "rendering"
    studio.let_lapse()
    new = studio.claim()
    assert (new.id, new.attempt) == (asked.id, 2)
    before = studio.row(asked.id)
    assert made is not None
    for late in (made, carrying.Failed(FATAL), carrying.Failed(TRANSIENT), carrying.Canceled()):
        assert studio.videos.finish(old, late) is False
    assert carrying.carry(studio.runtime, old) is None
    assert studio.row(asked.id) == before
    again = carrying.carry(studio.runtime, new)
    assert again is not None
    assert studio.videos.finish(new, again)
    assert studio.look(ada, asked.id).state == "ready"
    assert len([key for key in studio.stored() if key.endswith(".mp4")]) == 1
    assert studio.credits(ada) == (2, 0)


def test_a_video_whose_third_worker_died_ends_and_costs_nothing(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    for attempt in (1, 2, 3):
        assert studio.claim().attempt == attempt
        studio.let_lapse()
    assert studio.claims_nothing()
    studio.videos.sweep()
    failed = studio.look(ada, asked.id)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", "engine_lost")
    assert studio.credits(ada) == (3, 0)


def test_a_video_to_be_stopped_whose_worker_died_is_canceled(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    studio.claim()
    studio.videos.cancel(user_id=ada, generation_id=asked.id)
    studio.let_lapse()
    studio.videos.run()
    assert studio.engine.submits == []
    studio.videos.sweep()
    assert studio.look(ada, asked.id).state == "canceled"
    assert studio.credits(ada) == (3, 0)


def test_a_lapsed_video_has_a_job_that_wakes_a_worker_in_time(studio: Studio) -> None:
    studio.asks(studio.a_person())
    claim = studio.claim()
    upkeep.wake_for_rest(studio.runtime)
    upkeep.wake_for_rest(studio.runtime)
    later = [job for job in studio.waiting_jobs(queue.WAKE_TASK) if job.scheduled_at]
    (job,) = later
    assert job.scheduled_at - claim.claimed_at == timedelta(seconds=20)
    assert job.queue_name == "render"


def test_the_photo_the_engine_gets_is_the_one_that_was_cleaned(studio: Studio) -> None:
    studio.makes(studio.a_person(), photo=portrait() + b"<script>payload</script>")
    (photo,) = studio.engine.photos
    assert photo.startswith(b"\xff\xd8")
    assert b"payload" not in photo


def test_the_text_is_in_no_job_of_the_queue(studio: Studio) -> None:
    studio.asks(studio.a_person(), text="A secret of mine.")
    with studio.runtime.read_only() as session:
        jobs = session.scalars(text("SELECT CAST(args AS text) FROM procrastinate_jobs")).all()
    assert jobs == ["{}"]
