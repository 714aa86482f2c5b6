"""The worker's loop: in a process of its own, or as a thread of the web process."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import procrastinate
import structlog

from talkingphoto import runtime as runtimes
from talkingphoto.foundation import jobs
from talkingphoto.generations import queue as videos
from worker.tasks import TASKS

log = structlog.get_logger()

Share = Literal["all", "main", "render"]

CONCURRENCY = 4
CLEAN_EVERY_RESCUES = 720
GRACE_SECONDS = 10.0
RESTART_SECONDS = 2.0


@dataclass(frozen=True)
class Pace:
    """How often the worker looks, in seconds; one that was silent too long counts as dead, and
    its jobs go to another one within silent + rescue_every + poll."""

    # Jobs announce themselves; this finds one whose word came in the middle of a look.
    poll: float = 0.5
    heartbeat: float = 5.0
    silent: float = 20.0
    rescue_every: float = 5.0


_thread_lock = threading.Lock()
_thread: threading.Thread | None = None


def run(pace: Pace | None = None, *, share: Share = "all") -> None:
    """That share of the jobs is run until the process is told to stop; running ones may end first,
    but for videos, which go back into the queue."""
    runtime = runtimes.ready()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runtime.stopping.set())
    asyncio.run(_serve(runtime, pace or Pace(), share))


def start_thread(runtime: runtimes.Runtime) -> None:
    """This process runs jobs in one thread, however often this is called."""
    global _thread
    with _thread_lock:
        if _thread is not None and _thread.is_alive():
            return
        _thread = threading.Thread(
            target=_run_thread, args=(runtime,), name="embedded-worker", daemon=True
        )
        _thread.start()


def _run_thread(runtime: runtimes.Runtime) -> None:
    asyncio.run(_serve(runtime, Pace(), "all"))


async def _serve(runtime: runtimes.Runtime, pace: Pace, share: Share) -> None:
    """A worker that begins again after the database was away."""
    while not runtime.stopping.is_set():
        try:
            await _work(runtime, pace, share)
        except Exception as fault:  # noqa: BLE001 - whatever ended it, the next one starts afresh
            log.warning("worker.restarting", error=type(fault).__name__)
            await asyncio.sleep(RESTART_SECONDS)


async def _work(runtime: runtimes.Runtime, pace: Pace, share: Share) -> None:
    crews = _crews(share, embedded=runtime.engine.info().mode == "embedded")
    # For each crew what it runs, and one connection each to listen, to fetch and to be alive.
    connections = sum(crew.jobs + 3 for crew in crews)
    app = jobs.build_app(runtime.database_url, TASKS, connections=connections)
    async with app.open_async():
        workers = {asyncio.create_task(_crew_at_work(app, crew, pace)) for crew in crews}
        rescuer = asyncio.create_task(_rescue(app, runtime, pace))
        watcher = asyncio.create_task(_until(runtime.stopping))
        log.info("worker.started")
        done, pending = await asyncio.wait(
            {*workers, rescuer, watcher}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for task in done:
            task.result()


@dataclass(frozen=True)
class _Crew:
    """Who runs the jobs of some queues, and how many of them at once."""

    queues: tuple[str, ...]
    jobs: int


def _crews(share: Share, *, embedded: bool) -> list[_Crew]:
    # The embedded engine of a process makes one video after the other; a hosted one is only asked.
    renders = 1 if embedded else CONCURRENCY
    others = tuple(sorted({task.queue for task in TASKS.values()} - {videos.QUEUE}))
    crews = {"main": _Crew(others, CONCURRENCY), "render": _Crew((videos.QUEUE,), renders)}
    return [crew for name, crew in crews.items() if share in {name, "all"}]


async def _crew_at_work(app: procrastinate.App, crew: _Crew, pace: Pace) -> None:
    await app.run_worker_async(
        queues=list(crew.queues),  # a tuple would reach PostgreSQL as a row
        concurrency=crew.jobs,
        fetch_job_polling_interval=pace.poll,
        update_heartbeat_interval=pace.heartbeat,
        stalled_worker_timeout=pace.silent,
        shutdown_graceful_timeout=GRACE_SECONDS,
        install_signal_handlers=False,
    )


async def _rescue(app: procrastinate.App, runtime: runtimes.Runtime, pace: Pace) -> None:
    """Not itself a job in the queue it rescues, so a stuck queue cannot stop it."""
    turn = 0
    while True:
        now = runtime.wall_clock()
        await jobs.rescue_stalled(app, TASKS, silent_seconds=pace.silent, now=now)
        if turn % CLEAN_EVERY_RESCUES == 0:
            await jobs.clean_up(app)
        turn += 1
        await asyncio.sleep(pace.rescue_every)


async def _until(stop: threading.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.1)
