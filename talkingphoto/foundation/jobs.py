"""Later work as rows of the same database: queued in the business transaction or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
import procrastinate.jobs
import structlog
from procrastinate import exceptions, manager, retry
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from talkingphoto.foundation import errors

log = structlog.get_logger()

# A job that died with its worker is tried again this often before it is given up.
MOST_RESCUES = 5
KEEP_FINISHED_HOURS = 24
LONGEST_WAIT_SECONDS = 3600
_KEY_INDEX = "procrastinate_jobs_queueing_lock_idx_v1"
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, 0, :lock, :key, "
    "CAST(:args AS jsonb), :due_at)::procrastinate_job_to_defer_v1])"
)

Verb = Callable[..., None]


@dataclass(frozen=True)
class Task:
    """A name in the queue and the verb behind it; `gave_up` hears of the last failed try, and two
    that are to run `alone` follow one another."""

    name: str
    verb: Verb
    queue: str = "default"
    most_tries: int = 8
    # What cannot be reached says nothing against the job: some three hours of tries.
    most_tries_in_an_outage: int = 14
    first_wait_seconds: int = 2
    cron: str | None = None
    alone: bool = False
    gave_up: Callable[..., None] | None = None


@dataclass(frozen=True)
class Job:
    """What to enqueue: jobs carry ids, not facts; `key` allows one waiting job of that name."""

    task: str
    args: Mapping[str, str | int]
    queue: str = "default"
    key: str | None = None
    lock: str | None = None
    due_at: datetime | None = None


def enqueue(session: Session, job: Job) -> bool:
    """The job will run after this transaction commits; False when its key is waiting already."""
    values = {
        "queue": job.queue,
        "task": job.task,
        "lock": job.lock,
        "key": job.key,
        "args": json.dumps(dict(job.args)),
        "due_at": job.due_at,
    }
    if job.key is None:
        session.execute(_DEFER, values)
        return True
    try:
        # A duplicate key aborts the transaction unless it happens in a savepoint.
        with session.begin_nested():
            session.execute(_DEFER, values)
    except IntegrityError as fault:
        if _KEY_INDEX not in str(fault.orig):
            raise
        return False
    return True


def build_app(
    database_url: str, tasks: Mapping[str, Task], *, connections: int
) -> procrastinate.App:
    """A procrastinate app that runs these tasks; open it after any fork."""
    conninfo = make_url(database_url).set(drivername="postgresql")
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=conninfo.render_as_string(hide_password=False),
            min_size=1,
            max_size=connections,
        )
    )
    app.job_manager = _Jobs(app.connector)
    for task in tasks.values():
        _register(app, task)
    return app


class _Jobs(manager.JobManager):
    """A job that is to wait again is gone instead when another of its key waits: that one will do
    the same, and the database lets no two of them wait."""

    async def retry_job(self, job: procrastinate.jobs.Job, *args: Any, **chosen: Any) -> None:
        try:
            await super().retry_job(job, *args, **chosen)
        except exceptions.UniqueViolation as fault:
            if fault.constraint_name != _KEY_INDEX:
                raise
            ended = procrastinate.jobs.Status.ABORTED
            await self.finish_job(job, status=ended, delete_job=True)


def _register(app: procrastinate.App, task: Task) -> None:
    def run(context: procrastinate.JobContext, /, **args: Any) -> None:
        args.pop("timestamp", None)
        try:
            task.verb(**args)
        except Exception as fault:
            _report(task, context.job, fault, args)
            raise

    registered: Any = app.task(
        name=task.name,
        queue=task.queue,
        pass_context=True,
        retry=_Backoff(task),
        lock=task.name if task.alone else None,
    )(run)
    if task.cron is not None:
        app.periodic(cron=task.cron)(registered)


def _report(
    task: Task, job: procrastinate.jobs.Job, fault: Exception, args: dict[str, Any]
) -> None:
    kind = type(fault).__name__
    log.warning("job.failed", task=task.name, job_id=job.id, tries=job.attempts + 1, error=kind)
    if _was_last_try(task, job, fault) and task.gave_up is not None:
        task.gave_up(**args, error=kind)


def _was_last_try(task: Task, job: procrastinate.jobs.Job, fault: BaseException) -> bool:
    away = isinstance(fault, errors.Unavailable)
    most = task.most_tries_in_an_outage if away else task.most_tries
    return job.attempts + 1 >= most


class _Backoff(retry.BaseRetryStrategy):
    """Waits 2, 4, 8 … seconds; a waiting retry yields to newer jobs that share its lock."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> procrastinate.RetryDecision | None:
        if _was_last_try(self._task, job, exception):
            return None
        wait = min(self._task.first_wait_seconds * 2**job.attempts, LONGEST_WAIT_SECONDS)
        # A lower priority keeps one failing job from blocking its customer's other jobs.
        return procrastinate.RetryDecision(retry_in={"seconds": wait}, priority=-1 - job.attempts)


async def rescue_stalled(
    app: procrastinate.App, tasks: Mapping[str, Task], *, silent_seconds: float, now: datetime
) -> int:
    """Jobs whose worker went silent wait for another one, or are given up after several rescues."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_seconds))
    for job in stalled:
        if job.attempts >= MOST_RESCUES:
            task = tasks.get(job.task_name)
            if task is not None and task.gave_up is not None:
                # Before the job ends: should this fail, the next rescue finds the job again.
                await asyncio.to_thread(task.gave_up, **job.task_kwargs, error="WorkerLost")
            await app.job_manager.finish_job(
                job, status=procrastinate.jobs.Status.FAILED, delete_job=False
            )
            log.error("job.given_up", task=job.task_name, job_id=job.id)
        else:
            await app.job_manager.retry_job(job, retry_at=now)
            log.warning("job.rescued", task=job.task_name, job_id=job.id)
    return len(stalled)


async def clean_up(app: procrastinate.App) -> None:
    """Finished jobs older than a day are gone; failed ones stay for a person to read."""
    await app.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)
