"""One attempt at one video: from a claim to a stored file, or to why there is none.

An engine of this machine is watched in place. A hosted one is asked now and then by a job, since a
worker should not sit and wait for somebody else's machine.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from talkingphoto.foundation import errors, jobs
from talkingphoto.generations import queue, reports, rules
from talkingphoto.generations.queue import Claim, Finished, News, Turn
from talkingphoto.generations.rules import Step
from talkingphoto.integrations.video import playback, port
from talkingphoto.rendering import endings
from talkingphoto.runtime import Runtime

log = structlog.get_logger()

WATERMARK = "TalkingPhoto"
# A text is taken when its speech is estimated at 90 seconds at most, and estimates are up to 40 %
# off (tests/engine/test_speech.py); a video that is longer still is one whose making went wrong.
LONGEST_VIDEO_SECONDS = 130.0
_LOOK_EVERY_SECONDS = 0.25
_BEAT_EVERY_SECONDS = 1.0
# A hosted engine's video counts as lost when its next look is so late.
_LOOK_LATE = timedelta(seconds=60)
_MOST_LOOKS = 100_000
_LATE = port.EngineFailure("took_too_long", "fatal", "Making it took too long, so we stopped.")
_LOST = port.EngineFailure("engine_lost", "transient", "The machine that made it went away.")
_STOPPED = port.EngineFailure("worker_stopped", "transient", "The machine that made it stopped.")
_BLOCKED = port.EngineFailure(
    "photo_blocked", "content_rejected", "This photo cannot be used here. Choose another one."
)
_NO_ROOM = port.EngineFailure("no_room", "transient", "There was no room to make the video.")
_BROKEN = port.EngineFailure("video_broken", "transient", "The video came out broken.")


@dataclass(frozen=True)
class Made:
    """The video is stored and waits to be delivered."""

    finished: Finished


@dataclass(frozen=True)
class Failed:
    """No video came of this attempt."""

    failure: port.EngineFailure


@dataclass(frozen=True)
class Canceled:
    """Its owner wanted it stopped, and it is."""


Outcome = Made | Failed | Canceled


class _Over(Exception):
    """This attempt ends here: with an outcome, or without when the video is another's by now."""

    def __init__(self, outcome: Outcome | None) -> None:
        super().__init__()
        self.outcome = outcome


def carry(runtime: Runtime, claim: Claim) -> Outcome | None:
    """How the attempt ended; None when the video is another's by now, or a look will follow."""
    return _guarded(_Attempt(runtime, claim), begin=True)


def look(runtime: Runtime, claim: Claim) -> Outcome | None:
    """The same for a hosted engine that was given the video before."""
    return _guarded(_Attempt(runtime, claim), begin=False)


def _guarded(attempt: _Attempt, *, begin: bool) -> Outcome | None:
    try:
        return attempt.begin() if begin else attempt.look_again()
    except _Over as over:
        return over.outcome
    except port.EngineFault as fault:
        return Failed(fault.failure)
    except errors.Unavailable as fault:  # the storage's
        return Failed(port.EngineFailure(fault.code, "transient", fault.message))
    except OSError:  # no room, or a disk that fails
        log.exception("video.no_room", generation_id=attempt.generation_id)
        return Failed(_NO_ROOM)
    except errors.NotFound as fault:  # the photo was taken away under us
        return Failed(port.EngineFailure(fault.code, "fatal", fault.message))


class _Attempt:
    def __init__(self, runtime: Runtime, claim: Claim) -> None:
        self._runtime = runtime
        self._engine = runtime.engine
        self._claim = claim
        self._hosted = self._engine.info().mode == "hosted"
        self.generation_id = claim.id

    def begin(self) -> Outcome | None:
        with self._runtime.read_only() as session:
            if reports.is_blocked(session, sha256=self._claim.photo_sha256):
                return Failed(_BLOCKED)
        with self._beating(), self._runtime.storage.reading(self._claim.photo_key) as photo:
            ref = self._engine.submit(self._request(photo))
        with self._runtime.transaction() as session:
            ours = queue.submitted(session, claim=self._claim, engine=ref.engine, engine_ref=ref.id)
        if not ours:
            return self._leave(ref, None)
        if self._hosted:
            self._look_later(port.JobState("queued"))
            return None
        return self._watch(ref)

    def look_again(self) -> Outcome | None:
        claim = self._claim
        assert claim.engine is not None and claim.engine_ref is not None
        ref = port.EngineRef(claim.engine, claim.engine_ref)
        try:
            state = self._engine.poll(ref)
        except port.EngineFault as fault:
            if fault.failure.kind != "transient":
                raise
            state = port.JobState("running")  # not heard, so ask again: the deadline ends it
        if state.status in port.ENDED:
            return self._ended(ref, state)
        self._obey(ref, self._look_later(state))
        return None

    def _request(self, photo: Path) -> port.RenderRequest:
        claim = self._claim
        return port.RenderRequest(
            job_id=claim.id,
            photo=port.BlobRef(photo, claim.photo_sha256),
            text=claim.text,
            language=claim.language,
            voice=claim.voice,
            tier=claim.tier,
            watermark=WATERMARK if claim.watermark else None,
            seed=claim.seed,
            max_seconds=LONGEST_VIDEO_SECONDS,
        )

    def _watch(self, ref: port.EngineRef) -> Outcome | None:
        for _ in range(_MOST_LOOKS):
            state = self._engine.poll(ref)
            if state.status in port.ENDED:
                return self._ended(ref, state)
            self._obey(ref, self._tell("submitted", state))
            if self._runtime.stopping.wait(_LOOK_EVERY_SECONDS):
                return self._leave(ref, Failed(_STOPPED))
        return self._leave(ref, Failed(_LATE))

    def _obey(self, ref: port.EngineRef, turn: Turn) -> None:
        """Returns when the attempt may go on."""
        if not turn.ours:
            raise _Over(self._leave(ref, None))
        if turn.cancel:
            raise _Over(self._leave(ref, Canceled()))
        late = self._claim.claimed_at + rules.deadline(self._claim.tier)
        if self._runtime.wall_clock() > late:
            raise _Over(self._leave(ref, Failed(_LATE)))

    def _leave(self, ref: port.EngineRef, outcome: Outcome | None) -> Outcome | None:
        """Nothing more is made of it; but a hosted engine's job is the same for every attempt, so
        when the video is another's by now the job is too."""
        if outcome is not None or not self._hosted:
            self._engine.cancel(ref)
        return outcome

    def _ended(self, ref: port.EngineRef, state: port.JobState) -> Outcome | None:
        if state.status == "succeeded":
            return self._collect(ref)
        turn = self._tell("rendered", state)
        if not turn.ours:
            return None
        if turn.cancel:
            return Canceled()
        return Failed(state.error or _LOST)

    def _collect(self, ref: port.EngineRef) -> Outcome | None:
        done = port.JobState("running", "finishing", 1.0)
        work = self._runtime.work_folder()
        with tempfile.TemporaryDirectory(dir=work) as folder, self._beating():
            path = Path(folder) / "video.mp4"
            self._obey(ref, self._tell("rendered", done))
            self._engine.fetch(ref, path)
            self._obey(ref, self._tell("fetched", done))
            seen = playback.look(path)
            if seen is None:
                return Failed(_BROKEN)
            self._runtime.provenance.sign(path)
            self._obey(ref, self._tell("signed", done))
            made = self._store(path, Path(folder) / "poster.jpg", seen)
            try:
                self._obey(ref, self._tell("stored", done))
            except _Over:
                endings.discard(self._runtime, made.finished)
                raise
            return made

    def _store(self, path: Path, poster: Path, seen: playback.Seen) -> Made:
        poster.write_bytes(seen.poster)
        storage = self._runtime.storage
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        finished = Finished(
            video_key=storage.put(path, "video"),
            poster_key=storage.put(poster, "poster"),
            sha256=sha256,
            size=path.stat().st_size,
            seconds=seen.seconds,
            width=seen.width,
            height=seen.height,
        )
        return Made(finished)

    def _tell(self, step: Step, state: port.JobState) -> Turn:
        alive_until = self._runtime.wall_clock() + rules.SILENT
        with self._runtime.transaction() as session:
            return queue.tell(session, claim=self._claim, news=_news(step, state, alive_until))

    def _look_later(self, state: port.JobState) -> Turn:
        wall = self._runtime.wall_clock()
        due_at = wall + rules.look_wait(wall - self._claim.claimed_at)
        news = _news("submitted", state, due_at + _LOOK_LATE)
        with self._runtime.transaction() as session:
            turn = queue.tell(session, claim=self._claim, news=news)
            if turn.ours:
                job = look_job(self._claim.id, self._claim.attempt)
                jobs.enqueue(session, replace(job, due_at=due_at))
        return turn

    @contextmanager
    def _beating(self) -> Iterator[None]:
        """While we wait for one long step we count as alive."""
        over = threading.Event()
        beats = threading.Thread(target=self._beat, args=(over,), daemon=True)
        beats.start()
        try:
            yield
        finally:
            over.set()
            beats.join()

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(_BEAT_EVERY_SECONDS):
            alive_until = self._runtime.wall_clock() + rules.SILENT
            try:
                with self._runtime.transaction() as session:
                    queue.keep_alive(session, claim=self._claim, alive_until=alive_until)
            except SQLAlchemyError as fault:  # the next beat may come through
                log.warning(
                    "video.beat_missed", generation_id=self._claim.id, error=type(fault).__name__
                )


def look_job(generation_id: str, attempt: int, *, hinted: bool = False) -> jobs.Job:
    """The job that asks a hosted engine how far a video is; two for one video do not meet, and one
    waits at a time, or two when a hint came before its turn."""
    # However often somebody hints, and each look is followed by another, there are no more of them.
    why = "hint" if hinted else "turn"
    return jobs.Job(
        task=queue.LOOK_TASK,
        args={"generation_id": generation_id, "attempt": attempt},
        queue=queue.QUEUE,
        key=f"{queue.LOOK_TASK}:{why}:{generation_id}:{attempt}",
        lock=f"video:{generation_id}",
    )


def _news(step: Step, state: port.JobState, alive_until: datetime) -> News:
    progress = min(1.0, max(0.0, state.progress or 0.0))
    return News(step, state.stage, progress, state.seconds_left, alive_until)
