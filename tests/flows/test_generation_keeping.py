"""Who gets at a video, how long it is kept, and what its owner or staff may end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from talkingphoto.foundation import errors, settings
from tests.support.pocket_engine import portrait
from tests.support.studio import Studio


def test_f5_the_owner_gets_the_file_and_another_gets_nothing(studio: Studio) -> None:
    ada, bob = studio.a_person(), studio.a_person()
    ready = studio.makes(ada)
    video = studio.videos.media(user_id=ada, generation_id=ready.id, kind="video")
    assert (video.mime, video.size) == ("video/mp4", video.path.stat().st_size)
    assert video.filename == f"talkingphoto-{ready.id[:8]}.mp4"
    poster = studio.videos.media(user_id=ada, generation_id=ready.id, kind="poster")
    assert poster.path.read_bytes().startswith(b"\xff\xd8")
    for other in (bob, str(uuid.uuid4())):
        with pytest.raises(errors.NotFound):
            studio.videos.media(user_id=other, generation_id=ready.id, kind="video")
        with pytest.raises(errors.NotFound):
            studio.videos.video(user_id=other, generation_id=ready.id)
    for of in ("../../etc/passwd", "", str(uuid.uuid4())):
        with pytest.raises(errors.NotFound):
            studio.videos.media(user_id=ada, generation_id=of, kind="video")


def test_f5_a_link_opens_one_file_for_an_hour(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    token = studio.videos.media_token(user_id=ada, generation_id=ready.id, kind="poster")
    assert studio.videos.media_by_token(token).mime == "image/jpeg"
    now = studio.runtime.wall_clock()
    studio.runtime.wall_clock = lambda: now + timedelta(seconds=3590)
    assert studio.videos.media_by_token(token).mime == "image/jpeg"
    studio.runtime.wall_clock = lambda: now + timedelta(seconds=3601)
    with pytest.raises(errors.NotPermitted):
        studio.videos.media_by_token(token)


@pytest.mark.parametrize("change", ["letter", "text", "nothing", "other"])
def test_f5_a_link_that_was_changed_opens_nothing(change: str, studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    token = studio.videos.media_token(user_id=ada, generation_id=ready.id, kind="video")
    body, tag = token.split(".")
    changed = {
        "letter": f"{body}.{'A' if tag[0] != 'A' else 'B'}{tag[1:]}",
        "text": f"{body[:-4]}AAAA.{tag}",
        "nothing": "",
        "other": "\N{LATIN SMALL LETTER E WITH ACUTE}.x",
    }
    with pytest.raises(errors.NotFound):
        studio.videos.media_by_token(changed[change])


def test_a_video_that_is_not_ready_has_no_file(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    with pytest.raises(errors.NotFound):
        studio.videos.media(user_id=ada, generation_id=asked.id, kind="video")


def test_deleted_is_gone_with_photo_and_text_and_what_it_cost_stays(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada, text="My own words.")
    assert len(studio.stored()) == 3
    studio.videos.delete(user_id=ada, generation_id=ready.id)
    assert studio.stored() == set()
    assert studio.videos.studio(ada).videos == ()
    with pytest.raises(errors.NotFound):
        studio.look(ada, ready.id)
    row = studio.row(ready.id)
    assert (row.text, row.photo_key, row.video_key, row.state) == ("", None, None, "ready")
    assert str(row.hold_id) == ready.id
    assert studio.credits(ada) == (2, 0)


def test_what_is_under_way_is_stopped_before_it_is_deleted(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    with pytest.raises(errors.Conflict):
        studio.videos.delete(user_id=ada, generation_id=asked.id)
    studio.videos.cancel(user_id=ada, generation_id=asked.id)
    studio.videos.delete(user_id=ada, generation_id=asked.id)
    assert studio.stored() == set()


@pytest.mark.parametrize(("packs", "days"), [(0, 30), (1, 90)])
def test_photos_go_after_a_week_and_videos_when_their_time_is_over(
    packs: int, days: int, studio: Studio
) -> None:
    ada = studio.a_person(packs=packs)
    ready = studio.makes(ada)
    assert ready.kept_until == studio.clock.now + timedelta(days=days)
    studio.clock.advance(days=6.99)
    studio.videos.sweep()
    assert len(studio.stored()) == 3
    studio.clock.advance(days=0.01)
    studio.videos.sweep()
    assert {key.partition(".")[2] for key in studio.stored()} == {"mp4", "poster.jpg"}
    studio.clock.advance(days=days - 7.01)
    studio.videos.sweep()
    assert studio.look(ada, ready.id).has_files
    studio.clock.advance(days=0.01)
    studio.videos.sweep()
    gone = studio.look(ada, ready.id)
    assert (gone.state, gone.has_files) == ("ready", False)
    assert studio.stored() == set()
    with pytest.raises(errors.NotFound):
        studio.videos.media(user_id=ada, generation_id=ready.id, kind="video")


def test_the_photo_of_a_failed_video_goes_as_well(studio: Studio) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    studio.videos.cancel(user_id=ada, generation_id=asked.id)
    studio.clock.advance(days=7)
    studio.videos.sweep()
    assert studio.stored() == set()


def test_files_of_no_video_go_once_they_are_old(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    file = studio.videos.media(user_id=ada, generation_id=ready.id, kind="video").path
    orphans = [studio.runtime.storage.put(file, "video") for _ in range(2)]
    old = studio.runtime.storage.path(orphans[0])
    os.utime(old, (time.time() - 3700, time.time() - 3700))
    kept = studio.runtime.storage.path(studio.row(ready.id).video_key)
    os.utime(kept, (1, 1))
    (studio.runtime.work_folder() / "left").mkdir()
    os.utime(studio.runtime.work_folder() / "left", (1, 1))
    studio.videos.tidy()
    assert orphans[0] not in studio.stored()
    assert {orphans[1], studio.row(ready.id).video_key} <= studio.stored()
    assert list(studio.runtime.work_folder().iterdir()) == []


def test_the_gallery_is_turned_a_page_at_a_time(studio: Studio) -> None:
    ada = studio.a_person(packs=3)
    made = []
    for _ in range(5):
        made.append(studio.makes(ada).id)
        studio.clock.advance(seconds=1)
    first = studio.videos.studio(ada, limit=2)
    assert ([video.id for video in first.videos], first.more) == ([made[4], made[3]], True)
    rest = studio.videos.studio(ada, limit=10, before=made[3])
    assert ([video.id for video in rest.videos], rest.more) == (made[2::-1], False)
    bob = studio.a_person()
    assert studio.videos.studio(bob, before=made[3]).videos == ()


def test_anyone_may_report_a_video_and_staff_alone_hides_it(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada, photo=portrait(colour="gold"))
    ip = str(uuid.uuid4())
    studio.videos.report(generation_id=ready.id, reason="It is me.", contact="x@y.z", ip=ip)
    assert studio.look(ada, ready.id).has_files
    (report,) = [r for r in studio.videos.reports() if r.generation_id == ready.id]
    assert (report.reason, report.contact) == ("It is me.", "x@y.z")
    assert studio.videos.decide(generation_id=ready.id, hide=True) == 1
    assert not studio.look(ada, ready.id).has_files
    with pytest.raises(errors.NotFound):
        studio.videos.media(user_id=ada, generation_id=ready.id, kind="video")
    assert ready.id not in {report.generation_id for report in studio.videos.reports()}


def test_a_photo_of_a_hidden_video_is_not_used_again(studio: Studio) -> None:
    ada = studio.a_person()
    photo = portrait(colour="crimson")
    hidden = studio.makes(ada, photo=photo)
    studio.videos.decide(generation_id=hidden.id, hide=True)
    for sent in (photo, photo + b"something behind it"):
        with pytest.raises(errors.InvalidRequest) as refused:
            studio.asks(studio.a_person(), photo=sent)
        assert refused.value.code == "video.photo_blocked"
    with pytest.raises(errors.Conflict):
        studio.videos.remake(user_id=ada, generation_id=hidden.id, request_id=str(uuid.uuid4()))


def test_a_report_that_is_dismissed_changes_nothing(studio: Studio) -> None:
    ada = studio.a_person()
    ready = studio.makes(ada)
    for ip in (str(uuid.uuid4()), str(uuid.uuid4())):
        studio.videos.report(generation_id=ready.id, reason="No.", contact="", ip=ip)
    assert studio.videos.decide(generation_id=ready.id, hide=False) == 2
    assert studio.look(ada, ready.id).has_files


def test_a_video_that_was_hidden_by_mistake_is_back_and_its_photo_may_be_used(
    studio: Studio,
) -> None:
    ada = studio.a_person()
    photo = portrait(colour="teal")
    hidden, sibling = studio.makes(ada, photo=photo), studio.makes(ada, photo=photo)
    studio.videos.decide(generation_id=hidden.id, hide=True)
    # A decision about another video of that photo is none about the photo.
    studio.videos.decide(generation_id=sibling.id, hide=False)
    with pytest.raises(errors.InvalidRequest):
        studio.asks(studio.a_person(), photo=photo)
    studio.videos.decide(generation_id=hidden.id, hide=False)
    assert studio.look(ada, hidden.id).has_files
    assert studio.makes(studio.a_person(), photo=photo).state == "ready"


def test_reports_from_one_place_are_counted_and_have_a_reason(studio: Studio) -> None:
    ready = studio.makes(studio.a_person())
    ip = str(uuid.uuid4())
    for reason in ("", "  ", "x" * 2001):
        with pytest.raises(errors.InvalidRequest):
            studio.videos.report(
                generation_id=ready.id, reason=reason, contact="", ip=str(uuid.uuid4())
            )
    with pytest.raises(errors.NotFound):
        studio.videos.report(generation_id=str(uuid.uuid4()), reason="x", contact="", ip=ip)
    for _ in range(9):
        studio.videos.report(generation_id=ready.id, reason="x", contact="", ip=ip)
    with pytest.raises(errors.RateLimited):
        studio.videos.report(generation_id=ready.id, reason="x", contact="", ip=ip)


@pytest.mark.parametrize(
    "broken",
    [
        "state = 'ready'",
        "state = 'rendering'",
        "ended_at = now()",
        "alive_until = now()",
        "problem_code = 'x'",
        "photo_key = NULL",
        "hold_id = NULL",
        "deleted_at = now()",
        "video_key = 'x', poster_key = 'y'",
        "attempt = 4",
        "progress = 1.1",
        "tier = '4k'",
    ],
)
def test_the_database_refuses_a_video_in_no_possible_state(broken: str, studio: Studio) -> None:
    studio.asks(studio.a_person())
    with (
        pytest.raises(Exception, match=r"violates|ends once"),
        studio.runtime.transaction() as session,
    ):
        session.execute(text(f"UPDATE generations SET {broken} WHERE state = 'queued'"))  # noqa: S608


@pytest.mark.parametrize("broken", ["state = 'queued', ended_at = NULL", "attempt = 0"])
def test_the_database_refuses_a_second_end(broken: str, studio: Studio) -> None:
    ready = studio.makes(studio.a_person())
    with (
        pytest.raises(Exception, match="ends once"),
        studio.runtime.transaction() as session,
    ):
        session.execute(
            text(f"UPDATE generations SET {broken} WHERE id = CAST(:id AS uuid)"),  # noqa: S608
            {"id": ready.id},
        )


def test_staff_reads_and_decides_reports_on_the_command_line(
    studio: Studio,
) -> None:
    ready = studio.makes(studio.a_person(), photo=portrait(colour="orchid"))
    studio.videos.report(
        generation_id=ready.id, reason="Me!\x1b[2J", contact="", ip=str(uuid.uuid4())
    )
    told = subprocess.run(
        [sys.executable, "-m", "talkingphoto.cli", "videos", "reported"],
        env=studio.environment(),
        cwd=settings.PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ready.id in told
    assert "\x1b" not in told
    for arguments, status in ((["hide", ready.id], 0), (["hide", "nothing"], 1)):
        ran = subprocess.run(
            [sys.executable, "-m", "talkingphoto.cli", "videos", *arguments],
            env=studio.environment(),
            cwd=settings.PROJECT_ROOT,
            check=False,
        )
        assert ran.returncode == status
    assert studio.row(ready.id).hidden_at is not None
