"""The ledger's tables; migrations 0003 and 0009 hold the triggers that keep them true.

A lot is a quantity of credits that came in together, at one price, with one end. A ledger
transaction is one fact about credits; its entries move them between the accounts of a lot and
always sum to zero. `granted` is where credits come from, so it is negative; and so is `owed`,
which says how many credits of the lot were used before they were taken back. What pays a debt
leaves its own lot as `repaid` and is `covered` in the lot of the debt; `forgiven` needs no payer.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation.database import Base

_CREDITS = "credits BETWEEN 1 AND 1000000"


class LotRow(Base):
    """Credits that came in together; `remaining` is moved by the entries' trigger alone.

    `number` counts lots as they were granted, also those of one moment. While `frozen_since` is
    there nothing of the lot can be spent and its time stands still; a trigger moves it with the
    freezes of its payment. `usable_until` never passes `latest_end`.
    """

    __tablename__ = "lots"
    __table_args__ = (
        CheckConstraint("char_length(key) BETWEEN 1 AND 200", name="key"),
        CheckConstraint(
            "source IN ('free', 'plan', 'pack', 'promo', 'goodwill', 'gift')", name="source"
        ),
        CheckConstraint(_CREDITS, name="credits"),
        CheckConstraint("remaining BETWEEN 0 AND credits", name="remaining"),
        CheckConstraint("char_length(reference) <= 200", name="reference"),
        CheckConstraint("char_length(description) <= 500", name="description"),
        CheckConstraint(
            "CASE WHEN price_minor IS NULL THEN currency IS NULL AND tax_minor IS NULL "
            "ELSE price_minor >= 0 AND currency ~ '^[a-z]{3}$' "
            "AND coalesce(tax_minor BETWEEN 0 AND price_minor, true) END",
            name="price",
        ),
        CheckConstraint(
            "(expires_at IS NULL) = (usable_until IS NULL) "
            "AND coalesce(usable_until >= expires_at, true)",
            name="usable_until",
        ),
        CheckConstraint(
            "(expires_at IS NULL) = (latest_end IS NULL) "
            "AND coalesce(usable_until <= latest_end, true)",
            name="latest_end",
        ),
        Index("ix_lots_user_id", "user_id", postgresql_where=text("remaining > 0")),
        Index("ix_lots_reference", "reference", postgresql_where=text("reference <> ''")),
        Index("ix_lots_usable_until", "usable_until", postgresql_where=text("remaining > 0")),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    key: Mapped[str] = mapped_column(Text, unique=True)
    source: Mapped[str] = mapped_column(Text)
    credits: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    price_minor: Mapped[int | None] = mapped_column(BigInteger)
    tax_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    usable_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reference: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    frozen_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    latest_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class HoldRow(Base):
    """Credits put aside for work in progress; which lots they left, its entries say."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint(_CREDITS, name="credits"),
        CheckConstraint("state IN ('held', 'settled', 'released', 'expired')", name="state"),
        CheckConstraint("(state = 'held') = (ended_at IS NULL)", name="ended_at"),
        Index("ix_holds_user_id", "user_id", postgresql_where=text("state = 'held'")),
        Index("ix_holds_expires_at", "expires_at", postgresql_where=text("state = 'held'")),
        Index(
            "ix_holds_settled", "user_id", "ended_at", postgresql_where=text("state = 'settled'")
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    credits: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LedgerTransactionRow(Base):
    """One fact about one customer's credits; `credits` is what was asked for."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('grant', 'hold', 'release', 'settle', 'revoke', 'expire', 'claw_back', "
            "'restore', 'repay', 'forgive')",
            name="kind",
        ),
        CheckConstraint("char_length(key) BETWEEN 1 AND 200", name="key"),
        CheckConstraint("char_length(reason) <= 500", name="reason"),
        CheckConstraint(_CREDITS, name="credits"),
        CheckConstraint("entry_count >= 2", name="entry_count"),
        UniqueConstraint("kind", "key"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    credits: Mapped[int] = mapped_column(BigInteger)
    entry_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LedgerEntryRow(Base):
    """Credits that entered (above zero) or left (below) one account of one lot."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint(
            "account IN ('granted', 'available', 'held', 'spent', 'expired', 'revoked', 'owed', "
            "'repaid', 'covered', 'forgiven')",
            name="account",
        ),
        CheckConstraint("credits <> 0", name="credits"),
        Index(
            "ix_ledger_entries_user_id_id",
            "user_id",
            "id",
            postgresql_include=["account", "credits"],
            postgresql_where=text("account IN ('available', 'owed')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ledger_transactions.id"), index=True
    )
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    account: Mapped[str] = mapped_column(Text)
    lot_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("lots.id"), index=True)
    credits: Mapped[int] = mapped_column(BigInteger)


class FreezeRow(Base):
    """A reason why the lots of one payment cannot be spent, and when it was gone."""

    __tablename__ = "freezes"
    __table_args__ = (
        CheckConstraint("char_length(key) BETWEEN 1 AND 200", name="key"),
        CheckConstraint("char_length(reference) BETWEEN 1 AND 200", name="reference"),
        CheckConstraint("char_length(reason) <= 500", name="reason"),
        Index("ix_freezes_reference", "reference", postgresql_where=text("thawed_at IS NULL")),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    reference: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    frozen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    thawed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DebtRow(Base):
    """Credits that were used before they were taken back; `number` counts debts as they arose."""

    __tablename__ = "debts"
    __table_args__ = (
        CheckConstraint("char_length(key) BETWEEN 1 AND 180", name="key"),
        CheckConstraint(_CREDITS, name="credits"),
        CheckConstraint("still_owed BETWEEN 0 AND credits", name="still_owed"),
        CheckConstraint("char_length(reason) <= 500", name="reason"),
        CheckConstraint("char_length(reference) <= 200", name="reference"),
        Index("ix_debts_user_id", "user_id", postgresql_where=text("still_owed > 0")),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    lot_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("lots.id"), index=True)
    credits: Mapped[int] = mapped_column(BigInteger)
    still_owed: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
