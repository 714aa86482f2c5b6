"""The engine of this machine as the product uses it: jobs that end, processes that come and go."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from talkingphoto.integrations.video import provenance, renders
from talkingphoto.integrations.video.embedded import EmbeddedEngine
from talkingphoto.integrations.video.engine import marks
from talkingphoto.integrations.video.port import EngineFault, EngineRef
from tests.engine.asking import LONG, SHORT, asked, drawing, ended, portrait
from tests.support import synthetic_face
from tests.support.running import wait_until


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """An engine whose processes stay warm between the tests, as a worker's do."""
    made = EmbeddedEngine(folder=tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    """An engine of one test's own, with little patience and little room."""
    limits = renders.Limits(silent_seconds=12, jobs_each=1, most_waiting=2)
    made = EmbeddedEngine(folder=tmp_path / "engine", limits=limits)
    yield made
    made.close()


def frame(path: Path) -> NDArray[np.uint8]:
    """The first picture of a video, blue first."""
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="bgr24"), np.uint8)


@contextmanager
def standing_still(engine: EmbeddedEngine) -> Iterator[None]:
    """However fast the machine is, the video under way is not done inside the block."""
    process_id = engine.process_ids["render"]
    os.kill(process_id, signal.SIGSTOP)
    yield
    os.kill(process_id, signal.SIGCONT)


def is_gone(process_id: int) -> bool:
    """Whether no such process runs."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may go while it is looked at
        return True


def test_a_photo_and_a_text_become_a_marked_video_that_can_be_signed(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    ref = engine.submit(asked(tmp_path, job_id="whole", watermark="TalkingPhoto"))
    told = [engine.poll(ref)]

    def succeeded() -> bool:
        told.append(engine.poll(ref))
        return told[-1].status == "succeeded"

    wait_until(succeeded, why=lambda: str(told[-1]))
    progress = [state.progress for state in told if state.progress is not None]
    assert progress == sorted(progress)
    assert {state.stage for state in told} >= {"frames", "finishing"}
    path = tmp_path / "video.mp4"
    made = engine.fetch(ref, path)
    assert (made.width, made.height) == (540, 540)
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert 0.8 < made.seconds < 3
    mark, brand = marks.stamps(width=540, height=540, watermark="TalkingPhoto")
    for stamp in (mark, brand):
        tall, wide = stamp.kept.shape[:2]
        seen = frame(path)[stamp.top : stamp.top + tall, stamp.left : stamp.left + wide]
        assert seen.max() - seen.min() > 120
    provenance.Provenance(folder=tmp_path / "c2pa", certificate=None, key=None).sign(path)
    facts = provenance.read_back(path)
    assert facts is not None and facts.state == "Valid"
    video, making = engine.estimate(text=SHORT, voice="en-heart", tier="540p")
    assert 0.5 < video < 3 and making > 0


def test_a_paid_video_has_the_ai_mark_and_no_brand(engine: EmbeddedEngine, tmp_path: Path) -> None:
    paths = []
    for name, brand in (("paid", None), ("free", "TalkingPhoto")):
        ref = engine.submit(asked(tmp_path, job_id=name, watermark=brand))
        assert ended(engine, ref).status == "succeeded"
        paths.append(tmp_path / f"{name}.mp4")
        engine.fetch(ref, paths[-1])
    paid, free = (frame(path).astype(int) for path in paths)
    assert np.abs(paid[460:, :250] - free[460:, :250]).mean() < 2
    assert np.abs(paid[460:, 350:] - free[460:, 350:]).max() > 80


def test_a_job_submitted_twice_is_one_job_and_the_same_order_the_same_file(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    request = asked(tmp_path, job_id="twice")
    first, second = engine.submit(request), engine.submit(request)
    assert first == second
    assert ended(engine, first).status == "succeeded"
    assert engine.submit(request) == first
    assert engine.poll(first).status == "succeeded"
    again = engine.submit(asked(tmp_path, job_id="again"))
    ended(engine, again)
    sums = {engine.fetch(ref, tmp_path / "v.mp4").sha256 for ref in (first, again)}
    assert len(sums) == 1


def test_a_check_says_why_not_and_what_would_speak(engine: EmbeddedEngine) -> None:
    seen = engine.check(photo=portrait(), text=SHORT, voice="en-heart")
    assert seen.failures == () and seen.photo is not None
    assert seen.photo.preview.startswith(b"\xff\xd8")
    assert "540p" in seen.photo.tiers
    two = synthetic_face.png(synthetic_face.two_people())
    found = [
        engine.check(photo=photo, text=text, voice="en-heart").failures
        for photo, text in ((b"a text file named .png", "Hi"), (two, ""), (None, "🙂🙂"))
    ]
    assert [len(failures) for failures in found] == [1, 2, 1]
    codes = [failure.code for failures in found for failure in failures]
    assert codes == ["not_an_image", "several_faces", "text_empty", "text_unspeakable"]


def test_a_check_does_not_wait_for_a_video(engine: EmbeddedEngine, tmp_path: Path) -> None:
    ref = engine.submit(asked(tmp_path, job_id="long", text=LONG))
    drawing(engine, ref)
    with standing_still(engine):
        assert engine.check(photo=portrait(), text=SHORT, voice="en-heart").failures == ()
        assert engine.poll(ref).status == "running"
        engine.cancel(ref)


def test_a_canceled_job_stops_at_the_next_picture_and_the_process_goes_on(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    ref = engine.submit(asked(tmp_path, job_id="canceled", text=LONG))
    waiting = engine.submit(asked(tmp_path, job_id="waiting", text=LONG))
    drawing(engine, ref)
    worker = engine.process_ids["render"]
    with standing_still(engine):
        for each in (waiting, ref):
            engine.cancel(each)
            assert engine.poll(each).status == "canceled"
            with pytest.raises(EngineFault):
                engine.fetch(each, tmp_path / "none.mp4")
    following = engine.submit(asked(tmp_path, job_id="following"))
    assert ended(engine, following).status == "succeeded"
    assert engine.process_ids["render"] == worker
    assert engine.poll(ref).status == "canceled"


def test_a_canceled_job_asked_for_again_is_made_whatever_its_first_try_still_does(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    request = asked(tmp_path, job_id="changed mind", text=LONG)
    drawing(engine, engine.submit(request))
    engine.cancel(EngineRef("embedded", request.job_id))
    ref = engine.submit(replace(request, text=SHORT))
    assert ended(engine, ref).status == "succeeded"
    assert engine.fetch(ref, tmp_path / "video.mp4").seconds < 3


def test_a_photo_without_a_face_fails_for_a_reason_of_the_customers(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    blank = synthetic_face.png(np.full((400, 400, 3), 128, np.uint8))
    state = ended(engine, engine.submit(asked(tmp_path, job_id="blank", photo=blank)))
    assert state.error is not None
    assert (state.status, state.error.code, state.error.kind) == ("failed", "no_face", "user_input")


def test_a_video_longer_than_allowed_is_not_begun(engine: EmbeddedEngine, tmp_path: Path) -> None:
    request = replace(asked(tmp_path, job_id="longer", text=LONG), max_seconds=5)
    error = ended(engine, engine.submit(request)).error
    assert error is not None and error.code == "video_too_long"


def test_nothing_is_left_of_a_purged_job(own: EmbeddedEngine, tmp_path: Path) -> None:
    ref = own.submit(asked(tmp_path, job_id="purged"))
    assert ended(own, ref).status == "succeeded"
    left = [path for path in (tmp_path / "engine").rglob("*") if path.is_file()]
    assert [path.name for path in left if path.name in {"photo", "video.mp4"}] == ["video.mp4"]
    own.purge(ref)
    names = {path.name for path in (tmp_path / "engine").rglob("*")}
    assert not names & {"photo", "video.mp4"}
    error = own.poll(ref).error
    assert error is not None and error.kind == "transient"


def test_a_process_killed_on_the_way_fails_its_job_for_now_and_the_next_one_works(
    own: EmbeddedEngine, tmp_path: Path
) -> None:
    request = asked(tmp_path, job_id="killed", text=LONG)
    ref = own.submit(request)
    drawing(own, ref)
    os.kill(own.process_ids["render"], signal.SIGKILL)
    error = ended(own, ref).error
    assert error is not None and (error.code, error.kind) == ("engine_died", "transient")
    again = own.submit(replace(request, text=SHORT))
    assert again == ref
    assert ended(own, again).status == "succeeded"


def test_a_process_that_hangs_is_replaced(own: EmbeddedEngine, tmp_path: Path) -> None:
    ref = own.submit(asked(tmp_path, job_id="hung", text=LONG))
    drawing(own, ref)
    hung = own.process_ids["render"]
    os.kill(hung, signal.SIGSTOP)
    error = ended(own, ref).error
    assert error is not None and (error.code, error.kind) == ("engine_late", "transient")
    wait_until(lambda: is_gone(hung))
    assert ended(own, own.submit(asked(tmp_path, job_id="next"))).status == "succeeded"


def test_a_process_is_replaced_after_its_share_of_jobs(own: EmbeddedEngine, tmp_path: Path) -> None:
    workers: list[int | None] = [None]
    for name in ("first", "second"):
        ref = own.submit(asked(tmp_path, job_id=name, text=SHORT))
        wait_until(lambda: own.process_ids.get("render") not in workers)
        workers.append(own.process_ids.get("render"))
        assert ended(own, ref).status == "succeeded"


def test_more_than_can_wait_are_turned_away(own: EmbeddedEngine, tmp_path: Path) -> None:
    drawing(own, own.submit(asked(tmp_path, job_id="0", text=LONG)))
    with standing_still(own):
        for number in (1, 2):
            own.submit(asked(tmp_path, job_id=str(number)))
        with pytest.raises(EngineFault) as refused:
            own.submit(asked(tmp_path, job_id="3"))
    assert refused.value.failure.kind == "quota"


def test_a_check_whose_process_is_killed_may_be_asked_again(own: EmbeddedEngine) -> None:
    own.check(photo=None, text=SHORT, voice="en-heart")
    killed = own.process_ids["check"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: is_gone(killed))
    assert own.check(photo=None, text=SHORT, voice="en-heart").failures == ()


def test_a_process_that_may_use_no_memory_ends_nobody_but_itself(tmp_path: Path) -> None:
    small = EmbeddedEngine(folder=tmp_path / "engine", limits=renders.Limits(memory=60))
    with pytest.raises(EngineFault) as refused:
        small.check(photo=portrait(), text=SHORT, voice="en-heart")
    assert refused.value.failure.kind == "transient"
    error = ended(small, small.submit(asked(tmp_path))).error
    assert error is not None and error.kind == "transient"
    small.close()


def test_what_the_dead_left_is_removed_and_what_the_living_hold_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    left = folder / "left-by-the-dead"
    left.mkdir(parents=True)
    (left / "photo").write_bytes(b"somebody's face")
    living, late = EmbeddedEngine(folder=folder), EmbeddedEngine(folder=folder)
    living.check(photo=None, text=SHORT, voice="en-heart")
    assert not left.exists()
    held = {path for path in folder.iterdir() if path.is_dir()}
    late.check(photo=None, text=SHORT, voice="en-heart")
    assert held < {path for path in folder.iterdir() if path.is_dir()}
    for engine in (living, late):
        processes = engine.process_ids.values()
        engine.close()
        assert all(is_gone(number) for number in processes)
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_an_engine_says_what_it_can_do_without_a_process(tmp_path: Path) -> None:
    engine = EmbeddedEngine(folder=tmp_path / "engine")
    told = engine.info()
    assert (told.mode, told.max_chars) == ("embedded", 600)
    assert told.voices[0].id == "en-heart" and told.voices[1].basic
    assert engine.parse_webhook({}, b"") is None
    assert engine.poll(EngineRef("embedded", "unknown")).status == "failed"
    assert engine.process_ids == {}
    engine.close()


def test_c8_a_check_without_room_on_the_disk_may_be_asked_again(tmp_path: Path) -> None:
    (tmp_path / "engine").write_bytes(b"no folder, so that nothing can be written in it")
    with pytest.raises(EngineFault) as refused:
        EmbeddedEngine(folder=tmp_path / "engine").check(
            photo=portrait(), text=SHORT, voice="en-heart"
        )
    assert refused.value.failure.kind == "transient"
