"""Who makes which video: claims in a fair order, and moves that only the last claim may make.

Every move names the attempt it belongs to. A worker that was thought dead and comes back moves
nothing, because the attempt is another one by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.orm import Session

from talkingphoto.generations import rules
from talkingphoto.generations.rules import State, Step, Tier
from talkingphoto.generations.tables import GenerationRow

WAKE_TASK = "video.render"
LOOK_TASK = "video.look"
QUEUE = "render"

# Who pays comes before who does not; then whoever has fewest in the works, then whoever was served
# longest ago, then whatever waits longest.
_FAIREST = text("""
    WITH busy AS (
        SELECT user_id, count(*) AS videos FROM generations
        WHERE state = 'rendering' AND alive_until > :wall GROUP BY user_id
    )
    SELECT waiting.id
    FROM generations AS waiting
    LEFT JOIN busy USING (user_id)
    LEFT JOIN LATERAL (
        SELECT max(claimed_at) AS at FROM generations
        WHERE user_id = waiting.user_id
    ) AS served ON true
    WHERE (waiting.state = 'queued' AND waiting.not_before <= :wall
            OR waiting.state = 'rendering' AND waiting.alive_until <= :wall)
        AND NOT waiting.cancel_asked AND waiting.attempt < :most AND waiting.due_by > :now
    ORDER BY waiting.watermark, coalesce(busy.videos, 0), served.at NULLS FIRST,
        waiting.not_before, waiting.id
    LIMIT 1
    FOR UPDATE OF waiting SKIP LOCKED
""")
# Held until the claim is written, so that two workers do not both take a machine's last place.
_COUNTING = text("SELECT pg_advisory_xact_lock(hashtextextended('renders:' || :machine, 0))")
_UNDER_WAY = text("""
    SELECT count(*) FROM generations
    WHERE state = 'rendering' AND machine = :machine AND alive_until > :wall
""")
_HOPELESS = text("""
    SELECT id, attempt, state, user_id, cancel_asked, due_by <= :now AS overdue
    FROM generations
    WHERE state IN ('queued', 'rendering') AND (
        due_by <= :now
        OR state = 'rendering' AND alive_until <= :wall AND (cancel_asked OR attempt >= :most)
    )
    ORDER BY created_at, id LIMIT :limit
""")
# What no worker may claim any more wakes none: it would find nothing and wake the next, and so on.
_NEXT_DUE = text("""
    SELECT min(CASE state WHEN 'queued' THEN not_before ELSE alive_until END)
    FROM generations
    WHERE state IN ('queued', 'rendering')
        AND NOT cancel_asked AND attempt < :most AND due_by > :now
""")


@dataclass(frozen=True)
class Claim:
    """One attempt at one video: whose turn it is, and all that is needed to make it."""

    id: str
    attempt: int
    user_id: str
    text: str
    voice: str
    language: str
    tier: Tier
    watermark: bool
    seed: int
    hold_id: str | None
    photo_key: str
    photo_sha256: str
    claimed_at: datetime
    engine: str | None
    engine_ref: str | None


@dataclass(frozen=True)
class News:
    """What a worker tells of its video: what it did last, the stage and share of it, and by when
    it will speak again."""

    step: Step
    stage: str
    progress: float
    seconds_left: float | None
    alive_until: datetime


@dataclass(frozen=True)
class Turn:
    """Whether the video is still this attempt's, and whether its owner wants it stopped."""

    ours: bool
    cancel: bool


@dataclass(frozen=True)
class Finished:
    """A stored video: its keys, and what is true of its file."""

    video_key: str
    poster_key: str
    sha256: str
    size: int
    seconds: float
    width: int
    height: int


@dataclass(frozen=True)
class Lost:
    """A video that nobody will make, as it was seen."""

    id: str
    attempt: int
    state: Literal["queued", "rendering"]
    user_id: str
    cancel_asked: bool
    overdue: bool


@dataclass(frozen=True)
class Ending:
    """How a video ends without a file: the state it was seen in, and the code and message of why;
    without those its owner wanted it so."""

    id: str
    attempt: int
    state: Literal["queued", "rendering"]
    problem: tuple[str, str] | None


def has_room(session: Session, *, machine: str, most: int, wall: datetime) -> bool:
    """Whether that machine makes fewer videos than it may; others who ask wait until a claim of
    this transaction counts."""
    session.execute(_COUNTING, {"machine": machine})
    under_way: int = session.execute(_UNDER_WAY, {"machine": machine, "wall": wall}).scalar_one()
    return under_way < most


def claim(session: Session, *, now: datetime, wall: datetime, machine: str | None) -> Claim | None:
    """The fairest waiting or abandoned video is this worker's; None when there is none.

    `machine` is where it keeps processor cores busy; None with an engine elsewhere.
    """
    values = {"now": now, "wall": wall, "most": rules.MOST_ATTEMPTS}
    chosen = session.execute(_FAIREST, values).scalar_one_or_none()
    if chosen is None:
        return None
    taken = (
        update(GenerationRow)
        .where(GenerationRow.id == chosen)
        .values(
            state="rendering",
            attempt=GenerationRow.attempt + 1,
            claimed_at=wall,
            alive_until=wall + rules.SILENT,
            machine=machine,
            step="claimed",
            stage="waiting",
            progress=0.0,
            seconds_left=None,
        )
        .returning(GenerationRow.__table__)
    )
    return _claim(session.execute(taken).one())


def of_attempt(session: Session, *, generation_id: str, attempt: int) -> Claim | None:
    """The claim again, for whoever looks after a hosted engine; None when it is over."""
    query = select(GenerationRow.__table__).where(
        GenerationRow.id == UUID(generation_id),
        GenerationRow.attempt == attempt,
        GenerationRow.state == "rendering",
    )
    row = session.execute(query).one_or_none()
    return _claim(row) if row else None


def of_engine(session: Session, *, engine: str, engine_ref: str) -> tuple[str, int] | None:
    """The video that an engine knows under that name while it is being made, and its attempt."""
    query = select(GenerationRow.id, GenerationRow.attempt).where(
        GenerationRow.engine == engine,
        GenerationRow.engine_ref == engine_ref,
        GenerationRow.state == "rendering",
    )
    row = session.execute(query).one_or_none()
    return (str(row.id), row.attempt) if row else None


def next_due(session: Session, *, now: datetime) -> datetime | None:
    """When, by the machine's clock, the next video can be claimed; None when none is left."""
    values = {"now": now, "most": rules.MOST_ATTEMPTS}
    found: datetime | None = session.execute(_NEXT_DUE, values).scalar_one()
    return found


def submitted(session: Session, *, claim: Claim, engine: str, engine_ref: str) -> bool:
    """The engine's name for the job is kept; False when the video is another's by now."""
    values = {"engine": engine, "engine_ref": engine_ref, "step": "submitted"}
    return _move(session, claim, values) is not None


def tell(session: Session, *, claim: Claim, news: News) -> Turn:
    """The owner can see how far it is, and the worker counts as alive for a while longer."""
    values = {
        "step": news.step,
        "stage": news.stage,
        "progress": news.progress,
        "seconds_left": news.seconds_left,
        "alive_until": news.alive_until,
    }
    row = _move(session, claim, values)
    return Turn(ours=row is not None, cancel=row is not None and row.cancel_asked)


def keep_alive(session: Session, *, claim: Claim, alive_until: datetime) -> None:
    """The worker counts as alive until then, if the video is still its own."""
    _move(session, claim, {"alive_until": alive_until})


def retry_later(session: Session, *, claim: Claim, wall: datetime) -> datetime | None:
    """The video waits for another attempt, and from when; None when it is another's by now, or its
    owner wants it stopped."""
    not_before = wall + rules.retry_wait(claim.attempt)
    values = {"state": "queued", "alive_until": None, "not_before": not_before, "step": "asked"}
    moved = _move(session, claim, values, GenerationRow.cancel_asked.is_(False))
    return not_before if moved is not None else None


def finish(
    session: Session, *, claim: Claim, finished: Finished, now: datetime, days: tuple[int, int]
) -> bool:
    """The video is ready; its photo and itself are kept so many days. False when not ours."""
    photo_days, video_days = days
    values = _ended("ready", now=now, photo_days=photo_days) | {
        "progress": 1.0,
        "video_key": finished.video_key,
        "poster_key": finished.poster_key,
        "video_sha256": finished.sha256,
        "video_bytes": finished.size,
        "seconds": finished.seconds,
        "width": finished.width,
        "height": finished.height,
        "kept_until": now + timedelta(days=video_days),
    }
    return _move(session, claim, values) is not None


def end(session: Session, *, ending: Ending, now: datetime, photo_days: int) -> bool:
    """The video ended without a file; False when it is not as the ending says it was."""
    problem = ending.problem or (None, None)
    values = _ended("failed" if ending.problem else "canceled", now=now, photo_days=photo_days)
    moved = (
        update(GenerationRow)
        .where(
            GenerationRow.id == UUID(ending.id),
            GenerationRow.attempt == ending.attempt,
            GenerationRow.state == ending.state,
        )
        .values(**values, problem_code=problem[0], problem_message=problem[1])
        .returning(GenerationRow.id)
    )
    return session.execute(moved).one_or_none() is not None


def hopeless(session: Session, *, now: datetime, wall: datetime, limit: int) -> tuple[Lost, ...]:
    """Videos that nobody will make: their day is over, or their last worker went silent."""
    values = {"now": now, "wall": wall, "most": rules.MOST_ATTEMPTS, "limit": limit}
    return tuple(
        Lost(str(row.id), row.attempt, row.state, str(row.user_id), row.cancel_asked, row.overdue)
        for row in session.execute(_HOPELESS, values)
    )


def _claim(row: Any) -> Claim:
    return Claim(
        id=str(row.id),
        attempt=row.attempt,
        user_id=str(row.user_id),
        text=row.text,
        voice=row.voice,
        language=row.language,
        tier=row.tier,
        watermark=row.watermark,
        seed=row.seed,
        hold_id=str(row.hold_id) if row.hold_id else None,
        photo_key=row.photo_key,
        photo_sha256=row.photo_sha256,
        claimed_at=row.claimed_at,
        engine=row.engine,
        engine_ref=row.engine_ref,
    )


def _ended(state: State, *, now: datetime, photo_days: int) -> dict[str, Any]:
    return {
        "state": state,
        "ended_at": now,
        "alive_until": None,
        "step": "ended",
        "seconds_left": None,
        "photo_until": now + timedelta(days=photo_days),
    }


def _move(
    session: Session, claim: Claim, values: dict[str, Any], *only: ColumnElement[bool]
) -> Any:
    moved = (
        update(GenerationRow)
        .where(
            GenerationRow.id == UUID(claim.id),
            GenerationRow.attempt == claim.attempt,
            GenerationRow.state == "rendering",
            *only,
        )
        .values(**values)
        .returning(GenerationRow.cancel_asked)
    )
    return session.execute(moved).one_or_none()
