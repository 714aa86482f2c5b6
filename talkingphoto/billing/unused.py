"""What is unused of a payment, and what that is worth: the same figure for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, ledger, payments
from talkingphoto.billing.plan_credits import DripRow
from talkingphoto.foundation.money import Money


@dataclass(frozen=True)
class Unused:
    """What a payment brought, what of it is unused, and the money that stands for that."""

    payment_id: str
    credits: int
    unused: int
    paid: Money
    refundable: Money
    tax: Money
    words: str


@dataclass(frozen=True)
class _Part:
    """A lot, or a month that has not begun."""

    credits: int
    unused: int
    price_minor: int
    tax_minor: int


def of_payment(session: Session, *, payment_id: str, now: datetime) -> Unused:
    """The unused credits of that payment's lots and of the months of its year that have not
    begun, and their exact share of what they cost, rounded half up once on the whole.

    It is never more than is left of the payment; what is held for a video counts as used."""
    payment = payments.get(session, payment_id=payment_id)
    parts = [*_lots(session, payment_id, now=now), *_months_to_come(session, payment_id)]
    currency, left = payment.currency, payment.left
    value = _half_up(sum(_share(part, part.price_minor) for part in parts))
    tax = _half_up(sum(_share(part, part.tax_minor) for part in parts))
    refundable = Money(min(value, left.minor), currency)
    credits, unused = sum(p.credits for p in parts), sum(p.unused for p in parts)
    sold = catalog.ITEMS.get(payment.item)
    name = sold.title if sold else payment.description
    return Unused(
        payment_id=payment.id,
        credits=credits,
        unused=unused,
        paid=payment.amount,
        refundable=refundable,
        tax=Money(min(tax, refundable.minor), currency),
        words=f"{name}, {credits - unused} of {credits} used: refundable {refundable.decimal()}",
    )


def lives(lot: ledger.Lot, *, now: datetime) -> bool:
    """Whether the lot's credits have not run out; those of a frozen one do not."""
    return lot.frozen or lot.usable_until is None or lot.usable_until > now


def _lots(session: Session, payment_id: str, *, now: datetime) -> list[_Part]:
    return [
        _Part(
            credits=lot.credits,
            unused=lot.remaining if lives(lot, now=now) else 0,
            price_minor=lot.price.minor,
            tax_minor=lot.tax.minor if lot.tax else 0,
        )
        for lot in ledger.lots_of(session, reference=payment_id)
        if lot.price is not None
    ]


def _months_to_come(session: Session, payment_id: str) -> list[_Part]:
    rows = session.scalars(select(DripRow).filter_by(reference=payment_id, state="pending"))
    return [_Part(row.credits, row.credits, row.price_minor, row.tax_minor) for row in rows]


def _share(part: _Part, minor: int) -> Fraction:
    return Fraction(minor * part.unused, part.credits)


def _half_up(share: Fraction | int) -> int:
    return int(share + Fraction(1, 2))
