"""The queue in front of one render process: one video at a time, each to an end of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from talkingphoto.integrations.video import children, speeds
from talkingphoto.integrations.video.engine import messages
from talkingphoto.integrations.video.port import (
    ENDED,
    EngineFailure,
    EngineFault,
    JobState,
    RenderRequest,
    Stage,
    Tier,
)

log = structlog.get_logger()

# Seconds of wall time and of processor time per second of video at which a job is given up: three
# to ten times what one takes on two idle cores, because the cores may have other work.
_PATIENCE: Mapping[Tier, float] = {"540p": 6, "720p": 10, "1080p": 20}
_DIED = EngineFailure("engine_died", "transient", "The engine stopped on the way. Try again.")
_LATE = EngineFailure("engine_late", "transient", "The engine took too long. Try again.")
_BUSY = EngineFailure("engine_busy", "quota", "Too many videos are waiting. Try again later.")


@dataclass(frozen=True)
class Limits:
    """When a process or a job is given up, and when a process is replaced by a fresh one."""

    start_seconds: float = 60
    # A render tells its progress five times a second; only saying the text takes longer.
    silent_seconds: float = 60
    spare_seconds: float = 60
    check_seconds: float = 30
    most_waiting: int = 20
    most_kept: int = 200
    jobs_each: int = 50
    # Private memory, in megabytes: twice what 1080p asks for. Above the second one it is replaced.
    memory: int = 1536
    memory_kept: int = 700


class _Job:
    """One video to make, and how far it is."""

    def __init__(self, request: RenderRequest, sink: Path, number: int) -> None:
        self.request = request
        self.sink = sink
        self.number = number
        self.state = JobState("queued")


class Renders:
    """Jobs by id, done in their order by a thread of this process and a process of the engine."""

    def __init__(self, *, log_file: Path, limits: Limits, known: speeds.Speeds) -> None:
        self._log_file = log_file
        self._limits = limits
        self._speeds = known
        self._jobs: dict[str, _Job] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._child: children.Child | None = None
        self._count = 0
        self._done = 0
        self._runner = threading.Thread(target=self._run, name="renders", daemon=True)
        self._runner.start()

    @property
    def process_id(self) -> int | None:
        """The render process, when there is one."""
        child = self._child
        return child.process_id if child and child.alive else None

    def add(self, request: RenderRequest, sink: Path) -> bool:
        """The job waits for its turn; False when it was taken on before and stays as it is.

        One that was canceled or failed for a passing reason is made anew.
        """
        with self._changed:
            known = self._jobs.get(request.job_id)
            if known and not _may_be_tried_again(known.state):
                return False
            waiting = sum(job.state.status == "queued" for job in self._jobs.values())
            if waiting >= self._limits.most_waiting:
                raise EngineFault(_BUSY)
            self._count += 1
            # Taken out first, so that a second try waits behind those that came before it.
            self._jobs.pop(request.job_id, None)
            self._jobs[request.job_id] = _Job(request, sink, self._count)
            self._forget_the_oldest()
            self._changed.notify_all()
            return True

    def state(self, job_id: str) -> JobState | None:
        """How far the job is; None when it is not known here."""
        with self._changed:
            job = self._jobs.get(job_id)
            return job.state if job else None

    def video(self, job_id: str) -> Path | None:
        """Where the finished video of the job lies; None when there is none."""
        with self._changed:
            job = self._jobs.get(job_id)
            return job.sink if job and job.state.status == "succeeded" else None

    def cancel(self, job_id: str) -> None:
        """The job is canceled unless it has ended; its process hears of it."""
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None or job.state.status in ENDED:
                return
            running = job.state.status == "running"
            job.state = JobState("canceled")
            child = self._child
        if not running:
            job.request.photo.path.unlink(missing_ok=True)
        elif child is not None:
            child.tell(messages.Cancel(job.number))

    def forget(self, job_id: str) -> None:
        """The job is canceled if need be, and not known any more."""
        self.cancel(job_id)
        with self._changed:
            self._jobs.pop(job_id, None)

    def close(self) -> None:
        """No job runs and no process is left."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                if job.state.status not in ENDED:
                    job.state = JobState("failed", error=_DIED)
            child = self._child
            self._changed.notify_all()
        if child is not None:
            child.end()
        self._runner.join(self._limits.start_seconds)

    def _forget_the_oldest(self) -> None:
        ended = [name for name, job in self._jobs.items() if job.state.status in ENDED]
        for name in ended[: max(0, len(self._jobs) - self._limits.most_kept)]:
            self._jobs.pop(name).sink.unlink(missing_ok=True)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            started = time.monotonic()
            try:
                child = self._living()
                answer = self._made(child, job)
                self._conclude(job, answer, making_seconds=time.monotonic() - started)
            except children.Gone:
                self._fail(job, _DIED)
            except children.Silent:
                self._fail(job, _LATE)
            except Exception:
                log.exception("engine.host_failed", job_id=job.request.job_id)
                self._fail(job, _DIED)

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._closed:
                for job in self._jobs.values():
                    if job.state.status == "queued":
                        job.state = JobState("running", progress=0.0)
                        return job
                self._changed.wait()
        return None

    def _living(self) -> children.Child:
        """A process that has loaded everything."""
        if self._child is not None and self._child.alive:
            return self._child
        child = children.Child(
            "render", log_file=self._log_file, memory_megabytes=self._limits.memory
        )
        with self._changed:
            self._child, self._done = child, 0
            closed = self._closed
        if closed:
            child.end()
        heard = child.hear(timeout_seconds=self._limits.start_seconds)
        assert isinstance(heard, messages.Ready), "the process says first that it is ready"
        return child

    def _made(self, child: children.Child, job: _Job) -> messages.Rendered | messages.Failed:
        """How the job ended in the process; Gone or Silent when it did not."""
        tier, most = job.request.tier, job.request.max_seconds
        allowed = self._limits.spare_seconds + most * _PATIENCE[tier]
        begun = time.monotonic()
        child.tell(messages.Render(job.number, job.request, job.sink, allowed))
        while (left := begun + allowed - time.monotonic()) > 0:
            heard = child.hear(timeout_seconds=min(left, self._limits.silent_seconds))
            if isinstance(heard, messages.Ready | messages.Examined) or heard.id != job.number:
                continue
            if not isinstance(heard, messages.Progress):
                return heard
            self._note(job, heard.stage, heard.progress, seconds=time.monotonic() - begun)
        raise children.Silent

    def _note(self, job: _Job, stage: Stage, progress: float, *, seconds: float) -> None:
        # Before a tenth is done, a rate says little.
        left = seconds * (1 - progress) / progress if progress > 0.1 else None
        self._move(job, JobState("running", stage, progress, left))

    def _conclude(
        self, job: _Job, answer: messages.Rendered | messages.Failed, *, making_seconds: float
    ) -> None:
        self._done += 1
        if isinstance(answer, messages.Rendered):
            self._speeds.learn(
                job.request.tier, making_seconds=making_seconds, video_seconds=answer.seconds
            )
            self._move(job, JobState("succeeded", "finishing", 1.0))
            worn = self._done >= self._limits.jobs_each
            if worn or answer.peak_megabytes > self._limits.memory_kept:
                self._replace()
        elif answer.failure is not None:
            if answer.failure.kind != "user_input":
                self._replace()
            self._move(job, JobState("failed", error=answer.failure))

    def _fail(self, job: _Job, failure: EngineFailure) -> None:
        log.warning("engine.job_failed", job_id=job.request.job_id, code=failure.code)
        self._replace()
        self._move(job, JobState("failed", error=failure))

    def _replace(self) -> None:
        """The next job gets a fresh process."""
        with self._changed:
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _move(self, job: _Job, state: JobState) -> None:
        with self._changed:
            # What was canceled stays so, whatever its process still says.
            if job.state.status == "running":
                job.state = state
        if state.status != "running":
            job.request.photo.path.unlink(missing_ok=True)
        if state.status == "failed" or job.state.status == "canceled":
            job.sink.unlink(missing_ok=True)


def _may_be_tried_again(state: JobState) -> bool:
    if state.status == "failed":
        return state.error is not None and state.error.kind == "transient"
    return state.status == "canceled"
