"""What a hostile customer, an unlucky operator or a dying machine can do to videos."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from contextlib import suppress

import pytest
from sqlalchemy import text

from talkingphoto.foundation import errors, jobs
from talkingphoto.generations import queue
from talkingphoto.rendering import carrying, upkeep
from tests.support.pocket_engine import CALLBACK, FATAL, TRANSIENT, portrait
from tests.support.studio import Studio


def test_a_worker_that_dies_with_a_wake_up_of_a_name_that_waits_is_outlived(
    studio: Studio,
) -> None:
    studio.asks(studio.a_person())
    studio.claim()
    upkeep.wake_for_rest(studio.runtime)
    with studio.runtime.transaction() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'doing' WHERE queueing_lock LIKE '%rest'")
        )
    upkeep.wake_for_rest(studio.runtime)
    app = jobs.build_app(studio.runtime.database_url, {}, connections=2)

    async def rescue() -> int:
        async with app.open_async():
            now = studio.runtime.wall_clock()
            return await jobs.rescue_stalled(app, {}, silent_seconds=20, now=now)

    assert asyncio.run(rescue()) == 1
    assert asyncio.run(rescue()) == 0
    rest = [job for job in studio.waiting_jobs(queue.WAKE_TASK) if "rest" in job.queueing_lock]
    assert len(rest) == 1


def test_a_video_to_be_stopped_that_fails_in_passing_is_canceled(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    claim = studio.claim()
    studio.videos.cancel(user_id=ada, generation_id=asked.id)
    assert studio.videos.finish(claim, carrying.Failed(TRANSIENT))
    assert studio.look(ada, asked.id).state == "canceled"
    assert studio.credits(ada) == (3, 0)


def test_a_video_nobody_can_claim_wakes_no_worker(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    studio.claim()
    studio.videos.cancel(user_id=ada, generation_id=asked.id)
    studio.let_lapse()
    studio.takes_all_jobs()
    studio.videos.run()
    assert studio.waiting_jobs(queue.WAKE_TASK) == []


def test_a_video_given_back_while_it_is_being_canceled_is_canceled(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    claim = studio.claim()
    with studio.runtime.transaction() as session:
        wall = studio.runtime.wall_clock()
        assert queue.retry_later(session, claim=claim, wall=wall) is not None
        customer = threading.Thread(
            target=studio.videos.cancel, kwargs={"user_id": ada, "generation_id": asked.id}
        )
        customer.start()
        studio.until(lambda: _somebody_waits(studio))
    customer.join(timeout=20)
    assert studio.look(ada, asked.id).state == "canceled"
    assert studio.credits(ada) == (3, 0)


def _somebody_waits(studio: Studio) -> bool:
    """Whether a statement of this database waits for another's row."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with studio.runtime.database.engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
def test_b1_letters_that_cannot_be_stored_are_refused_and_cost_nothing(
    letter: str, studio: Studio
) -> None:
    ada = studio.a_person()
    with pytest.raises(errors.InvalidRequest):
        studio.asks(ada, text=f"Good {letter} morning.")
    assert studio.credits(ada) == (3, 0)


def test_a_text_that_is_far_too_long_is_refused_before_it_is_read(studio: Studio) -> None:
    problem = studio.videos.check_text(text="i will kill you " * 100_000, voice="pocket-one")
    assert problem is not None
    assert problem.code == "text_too_long"


def test_a_callback_sent_a_hundred_times_asks_the_engine_no_oftener(studio: Studio) -> None:
    studio.engine.hosted, studio.engine.seconds = True, 60
    ada = studio.a_person()
    asked = studio.makes(ada)
    for _ in range(100):
        studio.videos.hear(CALLBACK, asked.id.encode())
        studio.videos.cancel(user_id=ada, generation_id=asked.id)
    assert len(studio.waiting_jobs(queue.LOOK_TASK)) == 2


def test_a_look_that_was_hinted_at_begins_no_second_row_of_looks(studio: Studio) -> None:
    studio.engine.hosted, studio.engine.seconds = True, 60
    asked = studio.makes(studio.a_person())
    for _ in range(3):
        studio.videos.look(asked.id, 1)
    assert len(studio.waiting_jobs(queue.LOOK_TASK)) == 1


def test_a_photo_that_is_refused_by_now_is_not_remade(studio: Studio) -> None:
    ada = studio.a_person()
    photo = portrait(colour="navy")
    first, second, waits = (
        studio.makes(ada, photo=photo),
        studio.makes(ada, photo=photo),
        studio.asks(ada, photo=photo),
    )
    studio.videos.decide(generation_id=first.id, hide=True)
    with pytest.raises(errors.InvalidRequest) as refused:
        studio.videos.remake(user_id=ada, generation_id=second.id, request_id=str(uuid.uuid4()))
    assert refused.value.code == "video.photo_blocked"
    studio.videos.run()
    assert studio.look(ada, waits.id).state == "failed"
    assert studio.credits(ada) == (1, 0)


def test_a_photo_left_by_a_process_that_died_while_storing_it_goes(studio: Studio) -> None:
    left = studio.runtime.work_folder() / "tmp_photo"
    left.write_bytes(portrait())
    os.utime(left, (1, 1))
    studio.videos.tidy()
    assert not left.exists()


def test_ten_thousand_files_do_not_hide_one_that_belongs_to_nobody(studio: Studio) -> None:
    place = studio.runtime.settings.data / "media" / "00"
    place.mkdir(parents=True)
    for number in range(10_001):
        file = place / f"00000000-0000-4000-8000-{number:012x}.mp4"
        file.touch()
        os.utime(file, (1, 1))
    studio.videos.tidy()
    assert studio.stored() == set()


def test_an_engine_that_does_not_forget_is_not_asked_all_night(studio: Studio) -> None:
    studio.engine.hosted = True
    ada = studio.a_person(packs=7)
    for _ in range(10):
        asked = studio.makes(ada)
        studio.engine.forgets = False
        studio.videos.look(asked.id, 1)
    studio.engine.purges = 0
    studio.videos.sweep()
    assert studio.engine.purges == 3
    studio.engine.forgets = True
    studio.videos.sweep()
    assert len(studio.engine.purged) == 10


def test_the_engine_keeps_nothing_of_a_video_that_came_too_late(studio: Studio) -> None:
    ada = studio.a_person()
    studio.engine.seconds = 1
    asked = studio.asks(ada)
    with studio.at_work():
        studio.until(lambda: studio.look(ada, asked.id).stage == "frames")
        studio.clock.advance(hours=24)
        studio.expire()
    assert studio.look(ada, asked.id).state == "failed"
    assert studio.engine.purged == [asked.id]
    assert studio.credits(ada) == (3, 0)


def test_c8_a_full_disk_costs_nothing(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    work = studio.runtime.work_folder()
    work.rmdir()
    work.write_bytes(b"no folder, so that nothing can be made in it")
    with pytest.raises(errors.Unavailable):
        studio.asks(ada)
    for _ in range(3):
        studio.hurry(asked.id)
        studio.videos.run()
    failed = studio.look(ada, asked.id)
    assert failed.problem is not None
    assert (failed.state, failed.problem.code) == ("failed", "no_room")
    assert studio.credits(ada) == (3, 0)


def test_a_remake_that_came_to_nothing_may_be_asked_for_again(studio: Studio) -> None:
    ada = studio.a_person()
    first = studio.makes(ada)
    studio.engine.will_fail(FATAL)
    for ends in ("failed", "canceled", "ready"):
        again = studio.videos.remake(
            user_id=ada, generation_id=first.id, request_id=str(uuid.uuid4())
        )
        if ends == "canceled":
            studio.videos.cancel(user_id=ada, generation_id=again.id)
        studio.videos.run()
        assert studio.look(ada, again.id).state == ends
        assert studio.look(ada, first.id).can_remake_free == (ends != "ready")
    studio.videos.delete(user_id=ada, generation_id=again.id)
    with pytest.raises(errors.Conflict):
        studio.videos.remake(user_id=ada, generation_id=first.id, request_id=str(uuid.uuid4()))
    assert studio.credits(ada) == (2, 0)


def test_two_remakes_asked_for_at_once_are_one(studio: Studio) -> None:
    ada = studio.a_person()
    first = studio.makes(ada)
    begin = threading.Barrier(4)
    made: list[str] = []

    def ask() -> None:
        begin.wait()
        with suppress(errors.Conflict):
            again = studio.videos.remake(
                user_id=ada, generation_id=first.id, request_id=str(uuid.uuid4())
            )
            made.append(again.id)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(timeout=20)
    assert len(made) == 1
