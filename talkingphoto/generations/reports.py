"""Reports that a video should not be, and photos that are not made to speak again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CompoundSelect, delete, select, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from talkingphoto.generations.tables import (
    BlockedPhotoRow,
    ConsentRow,
    GenerationRow,
    TakedownReportRow,
)

LONGEST_REASON = 2000
LONGEST_CONTACT = 200
LONGEST_LIST = 200


@dataclass(frozen=True)
class Report:
    """What somebody holds against a video, and how they can be answered."""

    id: str
    generation_id: str
    at: datetime
    reason: str
    contact: str


def add(session: Session, report: Report, *, ip_sealed: bytes) -> None:
    """Staff can see the report."""
    session.add(
        TakedownReportRow(
            id=UUID(report.id),
            generation_id=UUID(report.generation_id),
            at=report.at,
            reason=report.reason,
            contact=report.contact,
            ip_sealed=ip_sealed,
        )
    )
    session.flush()


def waiting(session: Session, *, limit: int) -> tuple[Report, ...]:
    """Reports on which nobody has decided, the oldest first."""
    query = (
        select(TakedownReportRow)
        .where(TakedownReportRow.closed_at.is_(None))
        .order_by(TakedownReportRow.at, TakedownReportRow.id)
        .limit(min(limit, LONGEST_LIST))
    )
    return tuple(
        Report(str(row.id), str(row.generation_id), row.at, row.reason, row.contact)
        for row in session.scalars(query)
    )


def close(session: Session, *, generation_id: str, hide: bool, now: datetime) -> int:
    """The reports on the video are decided, and it is hidden or to be seen: how many there were."""
    of_another_mind = GenerationRow.hidden_at.is_(None) == hide
    session.execute(
        update(GenerationRow)
        .where(GenerationRow.id == UUID(generation_id), of_another_mind)
        .values(hidden_at=now if hide else None)
    )
    closed = (
        update(TakedownReportRow)
        .where(
            TakedownReportRow.generation_id == UUID(generation_id),
            TakedownReportRow.closed_at.is_(None),
        )
        .values(closed_at=now)
        .returning(TakedownReportRow.id)
    )
    return len(session.execute(closed).all())


def block_photo(session: Session, *, generation_id: str, reason: str, now: datetime) -> None:
    """The photo of that video is not made to speak again, as it was sent or as we keep it."""
    for sha256 in session.scalars(_digests(generation_id)):
        values = {"sha256": sha256, "reason": reason, "at": now}
        session.execute(insert(BlockedPhotoRow).values(**values).on_conflict_do_nothing())


def unblock_photo(session: Session, *, generation_id: str) -> None:
    """The photo of that video may be used again."""
    session.execute(
        delete(BlockedPhotoRow).where(BlockedPhotoRow.sha256.in_(_digests(generation_id)))
    )


def is_blocked(session: Session, *, sha256: str) -> bool:
    """Whether the photo with that digest may not be used."""
    return session.get(BlockedPhotoRow, sha256) is not None


def _digests(generation_id: str) -> CompoundSelect[tuple[str]]:
    """Of the photo of that video, as it was sent and as we keep it."""
    of = UUID(generation_id)
    return union(
        select(ConsentRow.photo_sha256).where(ConsentRow.generation_id == of),
        select(GenerationRow.photo_sha256).where(GenerationRow.id == of),
    )
