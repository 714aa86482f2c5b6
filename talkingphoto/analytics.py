"""Events that somebody asked us to count; a customer is known by a keyed hash only."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Uuid

from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

PropertyValue = str | int | bool | None


class TrackedEventRow(Base):
    """One row an event; with a key, the same event twice is one row."""

    __tablename__ = "tracked_events"
    __table_args__ = (Index(None, "name", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    tier: Mapped[str | None]
    customer_hash: Mapped[bytes | None]
    properties: Mapped[dict[str, PropertyValue]] = mapped_column(JSONB)


@dataclass(frozen=True)
class TrackedEvent:
    """What happened, with the facts that reports use beside the free properties."""

    id: str
    name: str
    at: datetime
    key: str | None = None
    amount: Money | None = None
    currency: str | None = None
    tier: str | None = None
    customer_hash: bytes | None = None
    properties: dict[str, PropertyValue] = field(default_factory=dict)

    def says_the_same(self, other: TrackedEventRow) -> bool:
        """True when only the id and the time of the two may differ."""
        mine = (self.name, self.minor, self.currency, self.tier, self.customer_hash)
        theirs = (
            other.name,
            other.amount_minor,
            other.currency,
            other.tier,
            other.customer_hash,
        )
        return mine == theirs and self.properties == other.properties

    @property
    def minor(self) -> int | None:
        """The amount in minor units of its currency."""
        return self.amount.minor if self.amount else None


def customer_hash(email: str, *, secret: str) -> bytes:
    """The same for every spelling of an address, and no way back without the secret."""
    plain = email.strip().casefold()
    return hmac.digest(secret.encode(), f"analytics customer:{plain}".encode(), hashlib.sha256)


def record(session: Session, event: TrackedEvent) -> str:
    """The event is stored and this is its id; with a known key, that of the first one.

    Conflict when the key was used for an event that says something else.
    """
    stored = session.execute(
        insert(TrackedEventRow)
        .values(
            id=UUID(event.id),
            key=event.key,
            name=event.name,
            at=event.at,
            amount_minor=event.minor,
            currency=event.currency,
            tier=event.tier,
            customer_hash=event.customer_hash,
            properties=event.properties,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(TrackedEventRow.id)
    )
    if stored.first() is not None:
        return event.id
    first = session.scalars(select(TrackedEventRow).filter_by(key=event.key)).one()
    if not event.says_the_same(first):
        raise errors.Conflict(
            "analytics.key_reused", "This key was used for another event. Give each its own."
        )
    return str(first.id)
