"""C1 and C3: a worker that is killed, wherever it is, loses no video and no credit."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from talkingphoto.foundation import settings
from talkingphoto.integrations.video import playback
from tests.support.studio import Studio

SEEDS = 20
# What a worker is writing down when it is killed: it has done that, and nobody knows of it yet.
# After `commit` the last word was said and not heard.
MOMENTS = ("claimed", "submitted", "half", "rendered", "fetched", "signed", "stored", "ended")
_GATE = 4711
_RENDER_SECONDS = 0.6
_WORKER = (sys.executable, "-m", "tests.support.pocket_worker", "work")
# A door that the product knows nothing of: whoever writes the step waits there until it is killed.
_DOOR = """
    CREATE TABLE door (step text, progress double precision, at_commit boolean);
    INSERT INTO door VALUES ('', 0, false);
    CREATE FUNCTION wait_at_the_door() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM door WHERE step = NEW.step AND progress <= NEW.progress
                AND at_commit = (TG_NAME = 'at_commit')) THEN
            PERFORM pg_advisory_xact_lock_shared(4711);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER at_once AFTER UPDATE OF step ON generations
        FOR EACH ROW EXECUTE FUNCTION wait_at_the_door();
    CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON generations
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_the_door();
"""
_AT_THE_DOOR = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Workers:
    """Processes that are ready before they are needed, so that a kill costs little time."""

    def __init__(self, studio: Studio) -> None:
        self._environment = studio.environment()
        self._ready = [self._spawn() for _ in range(2)]
        self._at_work: list[subprocess.Popen[str]] = []

    def begin(self) -> subprocess.Popen[str]:
        """One more is at work."""
        worker = self._ready.pop(0)
        self._ready.append(self._spawn())
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
        self._at_work.append(worker)
        return worker

    def close(self) -> None:
        """None is left."""
        for worker in (*self._ready, *self._at_work):
            worker.kill()
            worker.wait(timeout=10)

    def _spawn(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_WORKER, str(_RENDER_SECONDS), "render"],
            env=self._environment,
            cwd=settings.PROJECT_ROOT,
            stdin=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def workers(studio: Studio) -> Iterator[Workers]:
    made = Workers(studio)
    yield made
    made.close()


@pytest.fixture
def door(studio: Studio) -> Iterator[psycopg.Connection[Any]]:
    """A connection that keeps the door shut or open."""
    address = make_url(studio.runtime.database_url).set(drivername="postgresql")
    with psycopg.connect(
        address.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(_DOOR)
        yield connection
        connection.execute("DROP TABLE door; DROP FUNCTION wait_at_the_door CASCADE")


def test_c1_c3_twenty_killed_workers_lose_no_video_and_no_credit(
    studio: Studio, workers: Workers, door: psycopg.Connection[Any]
) -> None:
    asked: list[tuple[str, str]] = []
    killed: Counter[str] = Counter()
    for seed in range(SEEDS):
        chance = random.Random(seed)  # noqa: S311 - the same story each time
        moment = MOMENTS[seed] if seed < len(MOMENTS) else chance.choice((*MOMENTS, "commit"))
        keep_busy(studio, asked)
        with shut(door, moment, chance):
            worker = workers.begin()
            wait_for_somebody(door)
            worker.kill()
            worker.wait(timeout=10)
        killed[moment] += 1
        wait_until_gone(door)
        studio.let_lapse()
        studio.videos.sweep()
    workers.begin()
    finish(studio, asked)

    assert killed.total() == SEEDS
    assert set(killed) >= set(MOMENTS)
    states = Counter(studio.look(owner, of).state for owner, of in asked)
    assert set(states) <= {"ready", "failed"}, states
    assert states["ready"] > 0
    assert studio.differences() == ()
    for owner in {owner for owner, _ in asked}:
        ready = [of for user, of in asked if user == owner and studio.look(user, of).has_files]
        assert studio.credits(owner) == (3 - len(ready), 0)
    for owner, of in asked:
        if studio.look(owner, of).state == "ready":
            video = studio.videos.media(user_id=owner, generation_id=of, kind="video")
            assert playback.look(video.path) is not None
    assert kinds_of_holds(studio) == {"settled": states["ready"], "released": states["failed"]}


def test_c3_what_a_killed_worker_had_is_another_s_in_time(
    studio: Studio, workers: Workers, door: psycopg.Connection[Any]
) -> None:
    ada = studio.a_person()
    asked = studio.asks(ada)
    with shut(door, "half", random.Random(0)):  # noqa: S311
        worker = workers.begin()
        wait_for_somebody(door)
        worker.kill()
        worker.wait(timeout=10)
    wait_until_gone(door)
    # The silence is not waited for: it ends within twenty seconds of the last word, and what
    # comes after it has the rest of the 45.
    wall = studio.runtime.wall_clock()
    assert studio.row(asked.id).alive_until - wall <= timedelta(seconds=20)
    studio.let_lapse()
    workers.begin()
    studio.until(lambda: studio.look(ada, asked.id).state == "ready", seconds=25)
    assert studio.row(asked.id).attempt == 2
    assert studio.credits(ada) == (2, 0)


def keep_busy(studio: Studio, asked: list[tuple[str, str]]) -> None:
    """Two videos at least wait or are being made."""
    unfinished = [
        of for owner, of in asked if studio.look(owner, of).state in {"queued", "rendering"}
    ]
    for _ in range(2 - len(unfinished)):
        owner = asked[-1][0] if len(asked) % 3 else studio.a_person()
        asked.append((owner, studio.asks(owner).id))


@contextmanager
def shut(door: psycopg.Connection[Any], moment: str, chance: random.Random) -> Iterator[None]:
    """Whoever writes down that moment waits, until the block is over."""
    step, progress, at_commit = moment, 0.0, moment == "commit"
    if moment == "half":
        step, progress = "submitted", chance.uniform(0.01, 0.4)
    if at_commit:
        step = "ended"
    door.execute("SELECT pg_advisory_lock(%s)", [_GATE])
    door.execute(
        "UPDATE door SET step = %s, progress = %s, at_commit = %s", [step, progress, at_commit]
    )
    try:
        yield
    finally:
        door.execute("UPDATE door SET step = ''")
        door.execute("SELECT pg_advisory_unlock(%s)", [_GATE])


def wait_for_somebody(door: psycopg.Connection[Any]) -> None:
    """Somebody stands at the door."""
    wait(door, lambda count: count > 0)


def wait_until_gone(door: psycopg.Connection[Any]) -> None:
    """The server has noticed that whoever stood at the door is dead."""
    wait(door, lambda count: count == 0)


def wait(door: psycopg.Connection[Any], enough: Any) -> None:
    deadline = time.monotonic() + 30
    while True:
        row = door.execute(_AT_THE_DOOR).fetchone()
        assert row is not None
        if enough(row[0]):
            return
        assert time.monotonic() < deadline, "nobody came to the door"
        time.sleep(0.005)


def finish(studio: Studio, asked: list[tuple[str, str]]) -> None:
    """Every video has ended."""

    def ended() -> bool:
        studio.hurry_all()
        studio.videos.sweep()
        found = {studio.look(owner, of).state for owner, of in asked}
        return found <= {"ready", "failed"}

    studio.until(ended, seconds=30)


def kinds_of_holds(studio: Studio) -> dict[str, int]:
    """How many holds of this test's videos ended in which way."""
    query = text("SELECT state, count(*) FROM holds WHERE created_at = :now GROUP BY state")
    with studio.runtime.read_only() as session:
        return {row[0]: row[1] for row in session.execute(query, {"now": studio.clock.now})}
