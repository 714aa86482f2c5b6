"""The card that may be charged while its owner is away, as Stripe showed it last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation.database import Base


class SavedCardRow(Base):
    """One row a customer; without a payment method there is no card."""

    __tablename__ = "saved_cards"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    payment_method_id: Mapped[str | None]
    brand: Mapped[str]
    last4: Mapped[str]
    synced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class SavedCard:
    """A card at Stripe, by the words on it."""

    payment_method_id: str
    brand: str
    last4: str


def record(session: Session, *, user_id: str, card: SavedCard | None, looked_at: datetime) -> None:
    """The customer's card is known as it was seen then, unless something newer is known."""
    values = {
        "payment_method_id": card.payment_method_id if card else None,
        "brand": card.brand if card else "",
        "last4": card.last4 if card else "",
        "synced_at": looked_at,
    }
    session.execute(
        insert(SavedCardRow)
        .values(user_id=UUID(user_id), **values)
        .on_conflict_do_update(
            index_elements=["user_id"], set_=values, where=SavedCardRow.synced_at < looked_at
        )
    )


def of_customer(session: Session, *, user_id: str) -> SavedCard | None:
    """The card that can be charged; None when we know of none."""
    row = session.get(SavedCardRow, UUID(user_id), populate_existing=True)
    if row is None or row.payment_method_id is None:
        return None
    return SavedCard(row.payment_method_id, row.brand, row.last4)


def is_known(session: Session, *, user_id: str) -> bool:
    """Whether we ever looked which card that customer has."""
    return session.get(SavedCardRow, UUID(user_id)) is not None
