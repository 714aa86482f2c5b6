"""Who is billed: name, address, tax id and order number, as the next invoice shows them."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing import countries
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base

State = Literal["owed", "told", "refused"]
LONGEST = 120
LONGEST_CODE = 30
_SHORT = frozenset({"postal_code", "tax_id", "po_number"})
LONGEST_SWEEP = 50


@dataclass(frozen=True)
class BillingDetails:
    """Who is billed, and what their bookkeeping wants to see."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    postal_code: str = ""
    state: str = ""
    country: str = ""
    tax_id: str = ""
    po_number: str = ""

    @property
    def addressee(self) -> str:
        """Company and name in one line."""
        return ", ".join(part for part in (self.company, self.name) if part)


class BillingDetailsRow(Base):
    """One row a customer; `state` says whether Stripe has heard of it."""

    __tablename__ = "billing_details"
    __table_args__ = (
        CheckConstraint("state_of_sync IN ('owed', 'told', 'refused')", name="state_of_sync"),
        CheckConstraint("country ~ '^([A-Z]{2})?$'", name="country"),
        Index(
            "ix_billing_details_owed",
            "changed_at",
            postgresql_where=text("state_of_sync = 'owed'"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    company: Mapped[str] = mapped_column(Text)
    line1: Mapped[str] = mapped_column(Text)
    line2: Mapped[str] = mapped_column(Text)
    city: Mapped[str] = mapped_column(Text)
    postal_code: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text)
    tax_id: Mapped[str] = mapped_column(Text)
    po_number: Mapped[str] = mapped_column(Text)
    state_of_sync: Mapped[State] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def checked(given: BillingDetails) -> BillingDetails:
    """The details as they are kept; InvalidRequest names the field that cannot be."""
    clean = replace(given, **{name: value.strip() for name, value in asdict(given).items()})
    for field in fields(clean):
        value = getattr(clean, field.name)
        most = LONGEST_CODE if field.name in _SHORT else LONGEST
        if len(value) > most or any(unicodedata.category(one)[0] == "C" for one in value):
            label = field.name.replace("_", " ")
            raise errors.InvalidRequest(
                "details.text", f"The {label} has at most {most} letters, in one line."
            )
    clean = replace(clean, country=clean.country.upper())
    if clean.country and clean.country not in countries.CODES:
        raise errors.InvalidRequest("details.country", "Choose a country from the list.")
    if (clean.line1 or clean.tax_id) and not clean.country:
        raise errors.InvalidRequest("details.country", "Choose the country as well.")
    return replace(clean, tax_id=_tax_id(clean))


def save(session: Session, *, user_id: str, kept: BillingDetails, now: datetime) -> None:
    """The details are the customer's, and Stripe is to hear of them."""
    values = {**asdict(kept), "state_of_sync": "owed", "changed_at": now}
    session.execute(
        insert(BillingDetailsRow)
        .values(user_id=UUID(user_id), **values)
        .on_conflict_do_update(index_elements=["user_id"], set_=values)
    )


def of_customer(session: Session, *, user_id: str) -> BillingDetails:
    """What the customer told us; empty when they never did."""
    row = session.get(BillingDetailsRow, UUID(user_id), populate_existing=True)
    if row is None:
        return BillingDetails()
    return BillingDetails(
        **{field.name: getattr(row, field.name) for field in fields(BillingDetails)}
    )


def mark(session: Session, *, user_id: str, kept: BillingDetails, state: State) -> None:
    """Stripe has heard of these details, or refused them, unless others were saved meanwhile."""
    same = [getattr(BillingDetailsRow, name) == value for name, value in asdict(kept).items()]
    session.execute(
        update(BillingDetailsRow)
        .where(BillingDetailsRow.user_id == UUID(user_id), *same)
        .values(state_of_sync=state)
    )


def owed(session: Session, *, before: datetime) -> tuple[str, ...]:
    """Whose details Stripe has not heard of, though they were saved before then."""
    rows = session.scalars(
        select(BillingDetailsRow.user_id)
        .where(BillingDetailsRow.state_of_sync == "owed", BillingDetailsRow.changed_at <= before)
        .order_by(BillingDetailsRow.changed_at)
        .limit(LONGEST_SWEEP)
    )
    return tuple(str(row) for row in rows)


def _tax_id(clean: BillingDetails) -> str:
    if not clean.tax_id:
        return ""
    if not countries.is_tax_id(clean.country, clean.tax_id):
        raise errors.InvalidRequest(
            "details.tax_id", "This tax id does not fit the country. Check it for a typing error."
        )
    known = countries.tax_id_type(clean.country) is not None
    return countries.plain_tax_id(clean.tax_id) if known else clean.tax_id
