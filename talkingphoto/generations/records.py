"""Videos on record: asked for once a request, listed for their owner, forgotten when it is time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from talkingphoto.foundation import errors
from talkingphoto.generations.rules import State, Tier
from talkingphoto.generations.tables import ConsentRow, GenerationRow

LONGEST_PAGE = 100
_TABLE = GenerationRow.__table__
_UNFINISHED = GenerationRow.state.in_(("queued", "rendering"))


@dataclass(frozen=True, kw_only=True)
class NewGeneration:
    """A video to be made; without a hold it is the free remake of another one."""

    id: str
    user_id: str
    text: str
    voice: str
    language: str
    tier: Tier
    watermark: bool
    seed: int
    photo_key: str
    photo_sha256: str
    due_by: datetime
    remake_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A video as it is now; `photo_key`, `video_key` and `poster_key` name what is stored."""

    id: str
    user_id: str
    state: State
    text: str
    voice: str
    language: str
    tier: Tier
    watermark: bool
    seed: int
    hold_id: str | None
    remake_of: str | None
    remade: bool
    photo_key: str | None
    photo_sha256: str
    attempt: int
    engine: str | None
    engine_ref: str | None
    stage: str
    progress: float
    seconds_left: float | None
    claimed_at: datetime | None
    cancel_asked: bool
    problem_code: str | None
    problem_message: str | None
    video_key: str | None
    poster_key: str | None
    video_bytes: int | None
    seconds: float | None
    width: int | None
    height: int | None
    created_at: datetime
    ended_at: datetime | None
    kept_until: datetime | None
    hidden_at: datetime | None


@dataclass(frozen=True)
class Consent:
    """What its owner declared with a photo, and from where."""

    generation_id: str
    user_id: str
    given_at: datetime
    text_version: str
    photo_sha256: str
    ip_sealed: bytes


def add(session: Session, new: NewGeneration, *, now: datetime, wall: datetime) -> bool:
    """The video waits to be made; False when its id, or the remake, is there already."""
    values = {
        "id": UUID(new.id),
        "user_id": UUID(new.user_id),
        "state": "queued",
        "text": new.text,
        "voice": new.voice,
        "language": new.language,
        "tier": new.tier,
        "watermark": new.watermark,
        "seed": new.seed,
        "hold_id": None if new.remake_of else UUID(new.id),
        "remake_of": UUID(new.remake_of) if new.remake_of else None,
        "photo_key": new.photo_key,
        "photo_sha256": new.photo_sha256,
        "attempt": 0,
        "step": "asked",
        "stage": "waiting",
        "progress": 0.0,
        "not_before": wall,
        "cancel_asked": False,
        "created_at": now,
        "due_by": new.due_by,
    }
    added = insert(GenerationRow).values(**values).on_conflict_do_nothing()
    return session.execute(added.returning(GenerationRow.id)).one_or_none() is not None


def record_consent(session: Session, consent: Consent) -> None:
    """The declaration is on record for good."""
    session.add(
        ConsentRow(
            generation_id=UUID(consent.generation_id),
            user_id=UUID(consent.user_id),
            given_at=consent.given_at,
            text_version=consent.text_version,
            photo_sha256=consent.photo_sha256,
            ip_sealed=consent.ip_sealed,
        )
    )
    session.flush()


def find(session: Session, *, generation_id: str) -> Generation | None:
    """The video of that id, whoever's it is; None when there is none, or it was deleted."""
    query = _query().where(
        GenerationRow.id == UUID(generation_id), GenerationRow.deleted_at.is_(None)
    )
    row = session.execute(query).one_or_none()
    return _generation(row) if row else None


def of_user(session: Session, *, user_id: str, generation_id: str) -> Generation:
    """That user's video; NotFound when it is another's, was deleted, or never was."""
    found = find(session, generation_id=generation_id)
    if found is None or found.user_id != str(UUID(user_id)):
        raise unknown()
    return found


def unknown() -> errors.NotFound:
    """The refusal for a video that is not the asker's, or is none."""
    return errors.NotFound("video.unknown", "There is no such video in your studio.")


def recent(
    session: Session, *, user_id: str, limit: int, before: str | None
) -> tuple[Generation, ...]:
    """The user's videos, newest first; `before` is the last id already seen."""
    query = _query().where(
        GenerationRow.user_id == UUID(user_id), GenerationRow.deleted_at.is_(None)
    )
    newest_first = tuple_(GenerationRow.created_at, GenerationRow.id)
    if before is not None:
        seen = select(GenerationRow.created_at, GenerationRow.id).where(
            GenerationRow.id == UUID(before), GenerationRow.user_id == UUID(user_id)
        )
        query = query.where(newest_first < seen.scalar_subquery())
    query = query.order_by(GenerationRow.created_at.desc(), GenerationRow.id.desc())
    rows = session.execute(query.limit(min(limit, LONGEST_PAGE)))
    return tuple(_generation(row) for row in rows)


def unfinished(session: Session, *, user_id: str) -> int:
    """How many videos of the user wait or are being made."""
    query = select(func.count()).where(GenerationRow.user_id == UUID(user_id), _UNFINISHED)
    return session.execute(query).scalar_one()


def ask_to_cancel(session: Session, *, generation_id: str) -> bool:
    """Whoever makes the video will stop; False when nobody is at it."""
    asked = (
        update(GenerationRow)
        .where(GenerationRow.id == UUID(generation_id), GenerationRow.state == "rendering")
        .values(cancel_asked=True)
        .returning(GenerationRow.id)
    )
    return session.execute(asked).one_or_none() is not None


def forget(
    session: Session, *, generation_id: str, now: datetime, deleted: bool
) -> tuple[str, ...] | None:
    """The ended video has no files any more: the keys under which they are still stored. Its money
    facts stay; when its owner `deleted` it, its text goes. None when there is nothing to forget."""
    query = select(_TABLE).where(GenerationRow.id == UUID(generation_id))
    row = session.execute(query).one_or_none()
    if row is None or row.ended_at is None or row.deleted_at is not None:
        return None
    values: dict[str, Any] = {
        "photo_key": None,
        "video_key": None,
        "poster_key": None,
        "forgotten_at": func.coalesce(GenerationRow.forgotten_at, now),
    }
    if deleted:
        values |= {"deleted_at": now, "text": ""}
    session.execute(update(GenerationRow).where(GenerationRow.id == row.id).values(**values))
    return tuple(key for key in (row.photo_key, row.video_key, row.poster_key) if key)


def forget_photo(session: Session, *, generation_id: str) -> str | None:
    """The ended video has no photo any more; the key under which it is still stored."""
    query = select(GenerationRow.photo_key).where(GenerationRow.id == UUID(generation_id))
    key = session.execute(query).scalar_one()
    session.execute(
        update(GenerationRow)
        .where(GenerationRow.id == UUID(generation_id), GenerationRow.ended_at.is_not(None))
        .values(photo_key=None, photo_until=None)
    )
    return key


def with_old_photos(session: Session, *, now: datetime, limit: int) -> tuple[str, ...]:
    """Videos whose photo has been kept long enough, the oldest first."""
    return _ids(
        session,
        select(GenerationRow.id)
        .where(GenerationRow.photo_key.is_not(None), GenerationRow.photo_until <= now)
        .order_by(GenerationRow.photo_until)
        .limit(limit),
    )


def kept_long_enough(session: Session, *, now: datetime, limit: int) -> tuple[str, ...]:
    """Videos that have been kept as long as was promised, the oldest first."""
    return _ids(
        session,
        select(GenerationRow.id)
        .where(GenerationRow.video_key.is_not(None), GenerationRow.kept_until <= now)
        .order_by(GenerationRow.kept_until)
        .limit(limit),
    )


def hold_of(session: Session, *, generation_id: str) -> str | None:
    """The hold of that video; None for a free remake."""
    query = select(GenerationRow.hold_id).where(GenerationRow.id == UUID(generation_id))
    found = session.execute(query).scalar_one()
    return str(found) if found else None


def unpurged(
    session: Session, *, engine: str, only: str | None, limit: int
) -> tuple[tuple[str, str], ...]:
    """Ended videos, or that one, which the engine may still hold, and its name for each; in no
    order, so that those it cannot forget do not stand before the others for good."""
    query = select(GenerationRow.id, GenerationRow.engine_ref).where(
        GenerationRow.engine == engine,
        GenerationRow.engine_ref.is_not(None),
        GenerationRow.ended_at.is_not(None),
    )
    if only is not None:
        query = query.where(GenerationRow.id == UUID(only))
    rows = session.execute(query.order_by(func.random()).limit(limit))
    return tuple((str(row.id), str(row.engine_ref)) for row in rows)


def mark_purged(session: Session, *, generation_id: str) -> None:
    """The engine holds nothing of that video."""
    session.execute(
        update(GenerationRow).where(GenerationRow.id == UUID(generation_id)).values(engine_ref=None)
    )


def visible(session: Session, *, user_id: str, generation_ids: Collection[str]) -> frozenset[str]:
    """Those of the ids that are videos of the user which were not deleted."""
    query = select(GenerationRow.id).where(
        GenerationRow.user_id == UUID(user_id),
        GenerationRow.id.in_([UUID(given) for given in generation_ids]),
        GenerationRow.deleted_at.is_(None),
    )
    return frozenset(_ids(session, query))


def known_keys(session: Session, keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that belong to a video."""
    columns = (GenerationRow.photo_key, GenerationRow.video_key, GenerationRow.poster_key)
    found: set[str] = set()
    for column in columns:
        found |= {key for key in session.scalars(select(column).where(column.in_(keys))) if key}
    return frozenset(found)


def _ids(session: Session, query: Any) -> tuple[str, ...]:
    return tuple(str(found) for found in session.scalars(query))


def _query() -> Any:
    copy = GenerationRow.__table__.alias("copy")
    # In the words of the index, so that it is used.
    counts = text("copy.state NOT IN ('failed', 'canceled')")
    remade = select(copy.c.id).where(copy.c.remake_of == GenerationRow.id, counts).exists()
    return select(_TABLE, remade.label("remade"))


def _generation(row: Any) -> Generation:
    return Generation(
        id=str(row.id),
        user_id=str(row.user_id),
        state=row.state,
        text=row.text,
        voice=row.voice,
        language=row.language,
        tier=row.tier,
        watermark=row.watermark,
        seed=row.seed,
        hold_id=str(row.hold_id) if row.hold_id else None,
        remake_of=str(row.remake_of) if row.remake_of else None,
        remade=row.remade,
        photo_key=row.photo_key,
        photo_sha256=row.photo_sha256,
        attempt=row.attempt,
        engine=row.engine,
        engine_ref=row.engine_ref,
        stage=row.stage,
        progress=row.progress,
        seconds_left=row.seconds_left,
        claimed_at=row.claimed_at,
        cancel_asked=row.cancel_asked,
        problem_code=row.problem_code,
        problem_message=row.problem_message,
        video_key=row.video_key,
        poster_key=row.poster_key,
        video_bytes=row.video_bytes,
        seconds=row.seconds,
        width=row.width,
        height=row.height,
        created_at=row.created_at,
        ended_at=row.ended_at,
        kept_until=row.kept_until,
        hidden_at=row.hidden_at,
    )
