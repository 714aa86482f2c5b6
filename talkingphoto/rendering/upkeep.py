"""What runs by the clock: lost videos end, waiting ones wake a worker, old files go."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog

from talkingphoto.foundation import errors, jobs
from talkingphoto.generations import queue, records
from talkingphoto.generations.queue import Lost
from talkingphoto.integrations.storage import Storage, Stored
from talkingphoto.integrations.video import port
from talkingphoto.rendering import endings
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
_BATCH = 200
# A million files: far more than are kept, since what is beyond would never be looked at.
_TIDY_BATCH = 1000
_MOST_BATCHES = 1000
# An engine that does not answer takes half a minute each time, and other sweeps wait for this one.
_MOST_PURGES_FAILED = 3
# A file without a video may be one whose video is just being written down.
_ORPHAN_AFTER = timedelta(hours=1)
_COPIES_LIVE = timedelta(days=1)
_FULL_WAIT = timedelta(seconds=2)
_LOST = ("engine_lost", "Making it failed three times. Your video is back.")


def end_lost(runtime: Runtime) -> int:
    """Every video that nobody will make has ended, and its credit is back: how many."""
    now, wall = runtime.clock(), runtime.wall_clock()
    ended = 0
    with runtime.read_only() as session:
        lost = queue.hopeless(session, now=now, wall=wall, limit=_BATCH)
    for video in lost:
        problem = None if video.cancel_asked and not video.overdue else _reason(video)
        ending = queue.Ending(video.id, video.attempt, video.state, problem)
        ended += endings.end(runtime, ending, user_id=video.user_id, now=now)
    return ended


def wake_for_rest(runtime: Runtime, *, full: bool = False) -> None:
    """One job will look for the next video as soon as one can be claimed, if any is unfinished; a
    little later when this machine is `full`, for another one may have room."""
    now, wall = runtime.clock(), runtime.wall_clock()
    with runtime.transaction() as session:
        due_at = queue.next_due(session, now=now)
        if due_at is not None:
            soonest = wall + _FULL_WAIT if full else wall
            jobs.enqueue(session, wake_job(key="rest", due_at=max(due_at, soonest)))


def wake_job(*, key: str, due_at: datetime | None = None) -> jobs.Job:
    """The job that lets a worker claim a video; one of a key waits at a time."""
    return jobs.Job(
        task=queue.WAKE_TASK,
        args={},
        queue=queue.QUEUE,
        key=f"{queue.WAKE_TASK}:{key}",
        due_at=due_at,
    )


def forget_old(runtime: Runtime) -> int:
    """Photos and videos that were kept as long as was promised are gone: how many."""
    now, gone = runtime.clock(), 0
    with runtime.read_only() as session:
        photos = records.with_old_photos(session, now=now, limit=_BATCH)
        videos = records.kept_long_enough(session, now=now, limit=_BATCH)
    for generation_id in photos:
        with runtime.transaction() as session:
            key = records.forget_photo(session, generation_id=generation_id)
        gone += _delete(runtime.storage, [key] if key else [])
    for generation_id in videos:
        gone += forget(runtime, generation_id=generation_id, now=now, deleted=False)
    return gone


def forget(runtime: Runtime, *, generation_id: str, now: datetime, deleted: bool) -> bool:
    """Nothing is stored of the ended video any more; False when nothing could be forgotten."""
    with runtime.transaction() as session:
        keys = records.forget(session, generation_id=generation_id, now=now, deleted=deleted)
    if keys is None:
        return False
    # Should this be cut short, `tidy` finds files that belong to no video.
    _delete(runtime.storage, keys)
    return True


def purge(runtime: Runtime, *, only: str | None = None) -> int:
    """The engine keeps neither photo nor video of what has ended, or of that one: of how many it
    forgot them. After a few failures the rest is left to the next sweep."""
    engine, purged, failed = runtime.engine, 0, 0
    with runtime.read_only() as session:
        left = records.unpurged(session, engine=engine.info().id, only=only, limit=_BATCH)
    for generation_id, ref in left:
        try:
            engine.purge(port.EngineRef(engine.info().id, ref))
        except port.EngineFault as fault:
            log.warning("video.not_purged", generation_id=generation_id, code=fault.failure.code)
            failed += 1
            if failed == _MOST_PURGES_FAILED:
                break
            continue
        with runtime.transaction() as session:
            records.mark_purged(session, generation_id=generation_id)
        purged += 1
    return purged


def tidy(runtime: Runtime) -> int:
    """Files that belong to no video, and left-overs of broken work, are gone: how many."""
    wall = runtime.wall_clock()
    gone = runtime.storage.tidy(before=wall - _COPIES_LIVE)
    old = (found for found in runtime.storage.stored() if found.since < wall - _ORPHAN_AFTER)
    for batch in _batches(old):
        keys = [found.key for found in batch]
        with runtime.read_only() as session:
            known = records.known_keys(session, keys)
        gone += _delete(runtime.storage, [key for key in keys if key not in known])
    return gone + _clear(runtime.work_folder(), before=wall - _COPIES_LIVE)


def _clear(folder: Path, *, before: datetime) -> int:
    """What processes that died have left in the folder is gone: files and whole folders."""
    gone = 0
    for place in folder.iterdir():
        # Whoever is at work may remove its own between two of our looks.
        with suppress(FileNotFoundError):
            if place.stat().st_mtime >= before.timestamp():
                continue
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink()
            gone += 1
    return gone


def _reason(video: Lost) -> tuple[str, str]:
    return endings.OVERDUE if video.overdue else _LOST


def _delete(storage: Storage, keys: Iterable[str]) -> int:
    deleted = 0
    for key in keys:
        try:
            storage.delete(key)
            deleted += 1
        except errors.Unavailable as fault:
            log.warning("video.file_left", code=fault.code)
    return deleted


def _batches(found: Iterator[Stored]) -> Iterator[list[Stored]]:
    for _ in range(_MOST_BATCHES):
        batch = list(islice(found, _TIDY_BATCH))
        if not batch:
            return
        yield batch
