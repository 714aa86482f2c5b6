"""The tables of automatic top-ups; migration 0012 holds the trigger that keeps consents."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.foundation.database import Base

_MOMENT = DateTime(timezone=True)
_CURRENCY = "currency ~ '^[a-z]{3}$'"
_THRESHOLD = "threshold BETWEEN 1 AND 50"


class TopUpConsentRow(Base):
    """What somebody agreed to, in the words they were shown; written once."""

    __tablename__ = "top_up_consents"
    __table_args__ = (
        CheckConstraint(_THRESHOLD, name="threshold"),
        CheckConstraint("monthly_cap_minor > 0", name="monthly_cap"),
        CheckConstraint(_CURRENCY, name="currency"),
        Index(None, "user_id", "given_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    version: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    item: Mapped[str] = mapped_column(Text)
    threshold: Mapped[int]
    monthly_cap_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(_MOMENT)
    ip_sealed: Mapped[bytes]


class TopUpSettingRow(Base):
    """What is topped up for one customer, and why no longer."""

    __tablename__ = "top_up_settings"
    __table_args__ = (
        CheckConstraint(_THRESHOLD, name="threshold"),
        CheckConstraint("monthly_cap_minor > 0", name="monthly_cap"),
        CheckConstraint(_CURRENCY, name="currency"),
        CheckConstraint("NOT is_on OR stopped_because = ''", name="stopped_because"),
        Index("ix_top_up_settings_on", "user_id", postgresql_where=text("is_on")),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    consent_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("top_up_consents.id"))
    item: Mapped[str] = mapped_column(Text)
    threshold: Mapped[int]
    monthly_cap_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    is_on: Mapped[bool]
    stopped_because: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(_MOMENT)


class TopUpRow(Base):
    """One intent to charge, stored before Stripe hears of it; `amount_minor` is what it takes."""

    __tablename__ = "top_ups"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'paid', 'failed', 'dropped')", name="state"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_at"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(_CURRENCY, name="currency"),
        UniqueConstraint("user_id", "number"),
        Index("uq_top_ups_open", "user_id", unique=True, postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    number: Mapped[int]
    consent_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("top_up_consents.id"))
    item: Mapped[str] = mapped_column(Text)
    price_id: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    invoice_id: Mapped[str | None] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(_MOMENT)
    ended_at: Mapped[datetime | None] = mapped_column(_MOMENT)
