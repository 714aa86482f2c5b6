"""Our own receipts for packs: a number without gaps in its year, and whom it was made out to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing import customers, details
from talkingphoto.foundation.database import Base


class ReceiptCounterRow(Base):
    """The last number that was given in a year."""

    __tablename__ = "receipt_counters"
    __table_args__ = (CheckConstraint("last > 0", name="last"),)

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class ReceiptRow(Base):
    """The receipt of a payment: its number, and the buyer as they were then."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("year", "number"),)

    payment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    year: Mapped[int]
    number: Mapped[int]
    buyer: Mapped[dict[str, str]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Receipt:
    """A receipt's number and whom it was made out to."""

    number: str
    buyer: details.BillingDetails


# Under the customer's lock, so that no two of one payment count: a number is never left out.
_ISSUE = text("""
    WITH counted AS (
        INSERT INTO receipt_counters AS counter (year, last)
        SELECT :year, 1 WHERE NOT EXISTS (SELECT FROM receipts WHERE payment_id = :payment_id)
        ON CONFLICT (year) DO UPDATE SET last = counter.last + 1
        RETURNING last
    )
    INSERT INTO receipts (payment_id, user_id, year, number, buyer, at)
    SELECT :payment_id, :user_id, :year, last, CAST(:buyer AS jsonb), :at FROM counted
""")

_NUMBERS = text("SELECT payment_id, year, number FROM receipts WHERE payment_id = ANY(:ids)")


def issue(session: Session, *, payment_id: str, user_id: str, at: datetime) -> Receipt:
    """The payment has a receipt, made out once: a second call answers the first."""
    customers.lock(session, user_id=user_id)
    known = session.get(ReceiptRow, payment_id, populate_existing=True)
    if known is None:
        buyer = details.of_customer(session, user_id=user_id)
        session.execute(
            _ISSUE,
            {
                "payment_id": payment_id,
                "user_id": UUID(user_id),
                "year": at.year,
                "buyer": json.dumps(asdict(buyer)),
                "at": at,
            },
        )
        known = session.get(ReceiptRow, payment_id)
    assert known is not None, "an issued receipt exists"
    return Receipt(f"R-{known.year}-{known.number:06}", details.BillingDetails(**known.buyer))


def numbers(session: Session, *, payment_ids: tuple[str, ...]) -> dict[str, str]:
    """The numbers of those payments that have a receipt of ours."""
    rows = session.execute(_NUMBERS, {"ids": list(payment_ids)})
    return {row.payment_id: f"R-{row.year}-{row.number:06}" for row in rows}
