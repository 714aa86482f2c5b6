"""Mail that is owed: one row for each message, written with the fact it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation import jobs
from talkingphoto.foundation.database import Base

RECEIPT_TASK = "mail.receipt"
QUEUE = "mail"


class MailRow(Base):
    """One message to one user; the key says which fact it tells of."""

    __tablename__ = "mails"

    key: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Mail:
    """A message that has not been sent yet."""

    key: str
    user_id: str


def queue_receipt(session: Session, *, user_id: str, payment_id: str, now: datetime) -> bool:
    """A receipt for that payment is owed and a worker will send it; False when it was already."""
    key = receipt_key(payment_id)
    made = session.execute(
        insert(MailRow)
        .values(key=key, user_id=UUID(user_id), created_at=now)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(MailRow.key)
    )
    if made.first() is None:
        return False
    job = jobs.Job(task=RECEIPT_TASK, args={"payment_id": payment_id}, queue=QUEUE, key=key)
    return jobs.enqueue(session, job)


def receipt_key(payment_id: str) -> str:
    """The name of the receipt for a payment."""
    return f"receipt:{payment_id}"


def unsent(session: Session, *, key: str) -> Mail | None:
    """The message if it still has to go out."""
    row = session.scalars(select(MailRow).filter_by(key=key, sent_at=None)).one_or_none()
    return Mail(row.key, str(row.user_id)) if row else None


def mark_sent(session: Session, *, key: str, now: datetime) -> None:
    """The message is not sent again."""
    session.execute(
        update(MailRow).where(MailRow.key == key, MailRow.sent_at.is_(None)).values(sent_at=now)
    )
