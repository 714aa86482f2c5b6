"""The tables of videos; migration 0007 holds the trigger that lets each end once.

Times by the product's clock say when something was asked for, ended, or is to be forgotten. Times
by the machine's own (`not_before`, `claimed_at`, `alive_until`) say who is at work: a worker's
silence is measured in seconds that really passed.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation.database import Base

_MOMENT = DateTime(timezone=True)


class GenerationRow(Base):
    """One video: its id is the request's, and its hold has the same id.

    `attempt` counts the workers that took it; only the last of them may change it. `step` is what
    that worker did last.
    """

    __tablename__ = "generations"
    __table_args__ = (
        Index(
            "uq_generations_remake_of",
            "remake_of",
            unique=True,
            postgresql_where=text("state NOT IN ('failed', 'canceled')"),
        ),
        Index(None, "user_id", "created_at", "id"),
        Index(
            "ix_generations_waiting",
            "created_at",
            "id",
            postgresql_where=text("state IN ('queued', 'rendering')"),
        ),
        Index(None, "engine_ref"),
        Index(
            "ix_generations_photo_until",
            "photo_until",
            postgresql_where=text("photo_key IS NOT NULL"),
        ),
        Index(
            "ix_generations_kept_until",
            "kept_until",
            postgresql_where=text("video_key IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    state: Mapped[str]
    text: Mapped[str]
    voice: Mapped[str]
    language: Mapped[str]
    tier: Mapped[str]
    watermark: Mapped[bool]
    seed: Mapped[int]
    hold_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("holds.id"), unique=True)
    remake_of: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("generations.id"))
    photo_key: Mapped[str | None]
    photo_sha256: Mapped[str]
    attempt: Mapped[int]
    engine: Mapped[str | None]
    engine_ref: Mapped[str | None]
    step: Mapped[str]
    stage: Mapped[str]
    progress: Mapped[float] = mapped_column(DOUBLE_PRECISION)
    seconds_left: Mapped[float | None] = mapped_column(DOUBLE_PRECISION)
    not_before: Mapped[datetime] = mapped_column(_MOMENT)
    claimed_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    alive_until: Mapped[datetime | None] = mapped_column(_MOMENT)
    machine: Mapped[str | None]
    cancel_asked: Mapped[bool]
    problem_code: Mapped[str | None]
    problem_message: Mapped[str | None]
    video_key: Mapped[str | None]
    poster_key: Mapped[str | None]
    video_sha256: Mapped[str | None]
    video_bytes: Mapped[int | None] = mapped_column(BigInteger)
    seconds: Mapped[float | None] = mapped_column(DOUBLE_PRECISION)
    width: Mapped[int | None]
    height: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(_MOMENT)
    due_by: Mapped[datetime] = mapped_column(_MOMENT)
    ended_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    photo_until: Mapped[datetime | None] = mapped_column(_MOMENT)
    kept_until: Mapped[datetime | None] = mapped_column(_MOMENT)
    hidden_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    forgotten_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    deleted_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class ConsentRow(Base):
    """Who declared for which photo, in which words, that it may be made to speak."""

    __tablename__ = "consents"

    generation_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("generations.id"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"))
    given_at: Mapped[datetime] = mapped_column(_MOMENT)
    text_version: Mapped[str]
    photo_sha256: Mapped[str]
    ip_sealed: Mapped[bytes | None]


class TakedownReportRow(Base):
    """Somebody says that a video should not be; open until staff has decided."""

    __tablename__ = "takedown_reports"
    __table_args__ = (
        CheckConstraint("char_length(reason) BETWEEN 1 AND 2000", name="reason"),
        CheckConstraint("char_length(contact) <= 200", name="contact"),
        Index(None, "generation_id"),
        Index("ix_takedown_reports_at", "at", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    generation_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("generations.id"))
    at: Mapped[datetime] = mapped_column(_MOMENT)
    reason: Mapped[str]
    contact: Mapped[str]
    ip_sealed: Mapped[bytes | None]
    closed_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class BlockedPhotoRow(Base):
    """A photo that is not made to speak again, known by the SHA-256 of its bytes alone."""

    __tablename__ = "blocked_photos"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(_MOMENT)
