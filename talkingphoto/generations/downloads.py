"""Which videos reached their owner, and when: written once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.foundation.database import Base

Kind = Literal["saved", "played"]
MOST_ROWS = 5000


class DownloadRow(Base):
    """One file that was asked for from its beginning by its owner."""

    __tablename__ = "downloads"
    __table_args__ = (Index(None, "user_id", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    generation_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("generations.id"))
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"))
    kind: Mapped[Kind] = mapped_column(Text)
    ip_sealed: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Download:
    """A video that its owner saved or played, and from where."""

    id: str
    generation_id: str
    user_id: str
    kind: Kind
    at: datetime
    ip_sealed: bytes | None

    @property
    def place(self) -> str:
        """Where the sealed address belongs."""
        return place_of(self.id)


def place_of(download_id: str) -> str:
    """Where the sealed address of that row belongs."""
    return f"downloads:ip_sealed:{download_id}"


def record(session: Session, download: Download) -> None:
    """The download is on record for good."""
    session.add(
        DownloadRow(
            id=UUID(download.id),
            generation_id=UUID(download.generation_id),
            user_id=UUID(download.user_id),
            kind=download.kind,
            ip_sealed=download.ip_sealed,
            at=download.at,
        )
    )
    session.flush()


def of_user(session: Session, *, user_id: str) -> tuple[Download, ...]:
    """What reached that user, the oldest first."""
    query = select(DownloadRow).filter_by(user_id=UUID(user_id)).limit(MOST_ROWS)
    return tuple(
        Download(
            id=str(row.id),
            generation_id=str(row.generation_id),
            user_id=str(row.user_id),
            kind=row.kind,
            at=row.at,
            ip_sealed=row.ip_sealed,
        )
        for row in session.scalars(query.order_by(DownloadRow.at, DownloadRow.id))
    )
