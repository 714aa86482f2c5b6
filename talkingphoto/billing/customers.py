"""A user as somebody who pays: one Stripe customer each, and the row that locks their money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Uuid

from talkingphoto.foundation.database import Base


class CustomerRow(Base):
    """One row a user, made at sign-up; Stripe's id arrives with the first checkout."""

    __tablename__ = "customers"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), primary_key=True)
    stripe_customer_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Customer:
    """Who pays, here and at Stripe."""

    user_id: str
    stripe_customer_id: str | None


def ensure(session: Session, *, user_id: str, now: datetime) -> Customer:
    """The customer of that user, made if there was none."""
    session.execute(
        insert(CustomerRow)
        .values(user_id=UUID(user_id), created_at=now)
        .on_conflict_do_nothing(index_elements=["user_id"])
    )
    return of_user(session, user_id=user_id)


def of_user(session: Session, *, user_id: str) -> Customer:
    """The customer of a user who has one."""
    found = session.scalars(select(CustomerRow).filter_by(user_id=UUID(user_id))).one()
    return _customer(found)


def of_stripe(session: Session, *, stripe_customer_id: str) -> Customer | None:
    """Whose Stripe customer that is; None when it is not one of ours."""
    found = session.scalars(
        select(CustomerRow).filter_by(stripe_customer_id=stripe_customer_id)
    ).one_or_none()
    return _customer(found) if found else None


def attach(session: Session, *, user_id: str, stripe_customer_id: str) -> Customer:
    """The user has a Stripe customer: this one, or the one that another request attached first."""
    session.execute(
        update(CustomerRow)
        .where(CustomerRow.user_id == UUID(user_id), CustomerRow.stripe_customer_id.is_(None))
        .values(stripe_customer_id=stripe_customer_id)
    )
    return of_user(session, user_id=user_id)


def lock(session: Session, *, user_id: str) -> None:
    """Nobody else changes this customer's money until the transaction ends."""
    session.execute(
        select(CustomerRow.user_id).filter_by(user_id=UUID(user_id)).with_for_update()
    ).one()


def _customer(row: CustomerRow) -> Customer:
    return Customer(str(row.user_id), row.stripe_customer_id)
