"""Renewals that a bank refused: who owes what, when it is tried again, and what got it paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, case, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime, Integer, Text, Uuid

from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

Cause = Literal["manual", "mail_link", "new_card", "stripe_retry"]
State = Literal["open", "recovered", "lost"]
Asked = Literal["", "mail", "manual"]
# Whoever came in from a mail and has not paid by then, paid for another reason.
VISIT = timedelta(hours=24)


class FailedInvoiceRow(Base):
    """One invoice of a period that was refused at least once, and what became of it."""

    __tablename__ = "failed_invoices"
    __table_args__ = (
        Index("ix_failed_invoices_user_id", "user_id", postgresql_where=text("state = 'open'")),
        Index(None, "first_failed_at"),
    )

    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    subscription_id: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    first_failed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    first_code: Mapped[str]
    first_method_id: Mapped[str]
    code: Mapped[str]
    card: Mapped[str]
    needs_bank: Mapped[bool]
    next_try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    hosted_url: Mapped[str]
    asked: Mapped[Asked] = mapped_column(Text)
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tries_by_hand: Mapped[int] = mapped_column(Integer)
    state: Mapped[State] = mapped_column(Text)
    cause: Mapped[Cause | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    synced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class LastTry:
    """How the newest try to collect an invoice stands at Stripe."""

    code: str | None = None
    needs_bank: bool = False
    next_try_at: datetime | None = None
    # The card that was refused, or that paid.
    method_id: str = ""
    card: str = ""

    @property
    def failed(self) -> bool:
        """Whether somebody has to do something, or time has to pass."""
        return self.code is not None or self.needs_bank


NOT_TRIED = LastTry()


@dataclass(frozen=True)
class Refused:
    """An invoice of a period as it is at Stripe after a try that failed."""

    invoice_id: str
    user_id: str
    subscription_id: str
    amount: Money
    hosted_url: str
    last_try: LastTry


@dataclass(frozen=True)
class Owing:
    """What a customer owes now."""

    invoice_id: str
    amount: Money
    code: str
    card: str
    needs_bank: bool
    next_try_at: datetime | None
    hosted_url: str
    tries_by_hand: int


@dataclass(frozen=True)
class Failed:
    """One failed invoice in a report."""

    amount: Money
    code: str
    state: State
    cause: Cause | None


def record_refusal(
    session: Session, *, refused: Refused, now: datetime, looked_at: datetime
) -> bool:
    """The invoice is owed as it was seen then; False when a newer look knows better."""
    tried = refused.last_try
    # A try by hand that failed is over; who came in from a mail may try another card.
    still_asked = case((FailedInvoiceRow.asked == "manual", ""), else_=FailedInvoiceRow.asked)
    code = tried.code or "authentication_required"
    values = {
        "amount_minor": refused.amount.minor,
        "currency": refused.amount.currency,
        "code": code,
        "card": tried.card,
        "needs_bank": tried.needs_bank,
        "next_try_at": tried.next_try_at,
        "hosted_url": refused.hosted_url,
        "synced_at": looked_at,
    }
    written = session.execute(
        insert(FailedInvoiceRow)
        .values(
            invoice_id=refused.invoice_id,
            user_id=UUID(refused.user_id),
            subscription_id=refused.subscription_id,
            first_failed_at=now,
            first_code=code,
            first_method_id=tried.method_id,
            asked="",
            tries_by_hand=0,
            state="open",
            **values,
        )
        .on_conflict_do_update(
            index_elements=["invoice_id"],
            set_={**values, "asked": still_asked},
            where=(FailedInvoiceRow.synced_at < looked_at) & (FailedInvoiceRow.state == "open"),
        )
        .returning(FailedInvoiceRow.invoice_id)
    )
    return written.first() is not None


def record_end(
    session: Session, *, invoice_id: str, method_id: str | None, now: datetime, looked_at: datetime
) -> None:
    """An invoice that had failed is recovered by the card `method_id`, or lost with None.

    Whoever asked last is the cause: the customer's own try, their way in from our mail, else
    another card than the one that failed first, else a try that Stripe made by itself."""
    cause = case(
        (FailedInvoiceRow.asked == "manual", "manual"),
        (
            (FailedInvoiceRow.asked == "mail") & (FailedInvoiceRow.asked_at > now - VISIT),
            "mail_link",
        ),
        (FailedInvoiceRow.first_method_id != (method_id or ""), "new_card"),
        else_="stripe_retry",
    )
    # What was given up with its plan can still be paid by who wants to.
    before = ("open",) if method_id is None else ("open", "lost")
    session.execute(
        update(FailedInvoiceRow)
        .where(FailedInvoiceRow.invoice_id == invoice_id, FailedInvoiceRow.state.in_(before))
        .values(
            state="lost" if method_id is None else "recovered",
            cause=None if method_id is None else cause,
            ended_at=now,
            next_try_at=None,
            synced_at=looked_at,
        )
    )


def lose(session: Session, *, subscription_id: str, now: datetime) -> None:
    """What was owed for a plan that is over is not asked for any more."""
    session.execute(
        update(FailedInvoiceRow)
        .where(
            FailedInvoiceRow.subscription_id == subscription_id, FailedInvoiceRow.state == "open"
        )
        .values(state="lost", ended_at=now, next_try_at=None)
    )


def note_asked(session: Session, *, invoice_id: str, asked: Asked, now: datetime) -> None:
    """What the customer did last about an open invoice is known; a try by hand is counted."""
    by_hand = 1 if asked == "manual" else 0
    session.execute(
        update(FailedInvoiceRow)
        .where(FailedInvoiceRow.invoice_id == invoice_id, FailedInvoiceRow.state == "open")
        .values(asked=asked, asked_at=now, tries_by_hand=FailedInvoiceRow.tries_by_hand + by_hand)
    )


def owing(session: Session, *, user_id: str) -> Owing | None:
    """The oldest invoice that the customer owes; None when there is none."""
    row = session.scalars(
        select(FailedInvoiceRow)
        .filter_by(user_id=UUID(user_id), state="open")
        .order_by(FailedInvoiceRow.first_failed_at, FailedInvoiceRow.invoice_id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Owing(
        invoice_id=row.invoice_id,
        amount=Money(row.amount_minor, row.currency),
        code=row.code,
        card=row.card,
        needs_bank=row.needs_bank,
        next_try_at=row.next_try_at,
        hosted_url=row.hosted_url,
        tries_by_hand=row.tries_by_hand,
    )


def between(session: Session, *, begin: datetime, end: datetime, limit: int) -> tuple[Failed, ...]:
    """Every invoice that failed for the first time in that time, the first ones first."""
    rows = session.scalars(
        select(FailedInvoiceRow)
        .where(FailedInvoiceRow.first_failed_at >= begin, FailedInvoiceRow.first_failed_at < end)
        .order_by(FailedInvoiceRow.first_failed_at, FailedInvoiceRow.invoice_id)
        .limit(limit)
    )
    return tuple(
        Failed(Money(row.amount_minor, row.currency), row.first_code, row.state, row.cause)
        for row in rows
    )
