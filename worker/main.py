"""The worker's loop: in a process of its own, or as a thread of the web process."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass

import procrastinate
import structlog

from talkingphoto import runtime as runtimes
from talkingphoto.foundation import jobs
from worker.tasks import TASKS

log = structlog.get_logger()

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


def run(pace: Pace | None = None) -> None:
    """Jobs are run until the process is told to stop; running ones may end first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    asyncio.run(_serve(runtimes.ready(), stop, pace or Pace()))


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
    asyncio.run(_serve(runtime, threading.Event(), Pace()))


async def _serve(runtime: runtimes.Runtime, stop: threading.Event, pace: Pace) -> None:
    """A worker that begins again after the database was away."""
    while not stop.is_set():
        try:
            await _work(runtime, stop, pace)
        except Exception as fault:  # noqa: BLE001 - whatever ended it, the next one starts afresh
            log.warning("worker.restarting", error=type(fault).__name__)
            await asyncio.sleep(RESTART_SECONDS)


async def _work(runtime: runtimes.Runtime, stop: threading.Event, pace: Pace) -> None:
    app = jobs.build_app(runtime.database_url, TASKS, connections=CONCURRENCY + 3)
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=pace.poll,
                update_heartbeat_interval=pace.heartbeat,
                stalled_worker_timeout=pace.silent,
                shutdown_graceful_timeout=GRACE_SECONDS,
                install_signal_handlers=False,
            )
        )
        rescuer = asyncio.create_task(_rescue(app, runtime, pace))
        watcher = asyncio.create_task(_until(stop))
        log.info("worker.started")
        done, pending = await asyncio.wait(
            {worker, rescuer, watcher}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for task in done:
            task.result()


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
