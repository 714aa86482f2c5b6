"""Promotion codes: whether one may be used for a thing, and which were used on a running plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.billing import catalog, reductions
from talkingphoto.billing.payments import PaymentRow
from talkingphoto.foundation import errors, wording
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money


class CodeUseRow(Base):
    """A code that was put on a running plan, once for each plan."""

    __tablename__ = "code_uses"

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    promotion_code_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("customers.user_id"))
    code: Mapped[str]
    state: Mapped[Literal["asked", "done"]] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Promotion:
    """A promotion code as Stripe has it."""

    id: str
    code: str
    is_active: bool
    expires_at: datetime | None
    is_used_up: bool
    customer_id: str | None
    first_time_only: bool
    minimums: tuple[Money, ...]
    coupon: reductions.Coupon


@dataclass(frozen=True)
class Buyer:
    """Who would use a code, as far as codes ask for it."""

    customer_id: str | None
    has_paid: bool


@dataclass(frozen=True)
class CodeOffer:
    """What a code does to a price: before, after, and for how long in words."""

    code: str
    item: str
    before: Money
    after: Money
    words: str


@dataclass(frozen=True)
class Sale:
    """What is to be bought, at which price, as which product at Stripe."""

    item: catalog.Item
    price: Money
    product_id: str


def checked(promotion: Promotion | None, sale: Sale, buyer: Buyer, *, now: datetime) -> CodeOffer:
    """What the code does for that buyer; InvalidRequest with the reason when it does nothing."""
    if promotion is None or promotion.customer_id not in {None, buyer.customer_id}:
        raise _refused("unknown", "We do not know this code. Check it for a typing error.")
    if promotion.is_used_up:
        raise _refused("used_up", "This code has been used as often as it could be.")
    over = promotion.expires_at is not None and promotion.expires_at <= now
    if over or not promotion.is_active or not promotion.coupon.is_valid:
        raise _refused("expired", "This code has expired.")
    if promotion.first_time_only and buyer.has_paid:
        raise _refused("first_time_only", "This code is for a first purchase only.")
    _require_fit(promotion, sale)
    return CodeOffer(
        code=promotion.code,
        item=sale.item.key,
        before=sale.price,
        after=reductions.after(promotion.coupon, sale.price),
        words=reductions.offer_words(promotion.coupon, sale.price, sale.item.interval),
    )


def has_paid(session: Session, *, user_id: str) -> bool:
    """Whether that customer ever paid anything."""
    paid = exists().where(
        PaymentRow.user_id == UUID(user_id),
        PaymentRow.paid_at.is_not(None),
        PaymentRow.amount_minor > 0,
    )
    return bool(session.scalar(select(paid)))


def use(
    session: Session, *, user_id: str, subscription_id: str, promotion: Promotion, now: datetime
) -> bool:
    """The code is to be put on that plan: True for the first to ask, False for who repeats it;
    InvalidRequest when it was there before."""
    asked = session.execute(
        insert(CodeUseRow)
        .values(
            subscription_id=subscription_id,
            promotion_code_id=promotion.id,
            user_id=UUID(user_id),
            code=promotion.code,
            state="asked",
            asked_at=now,
        )
        .on_conflict_do_nothing(index_elements=["subscription_id", "promotion_code_id"])
        .returning(CodeUseRow.code)
    )
    begins = asked.first() is not None
    state = session.scalars(
        select(CodeUseRow.state).filter_by(
            subscription_id=subscription_id, promotion_code_id=promotion.id
        )
    ).one()
    if state == "done":
        raise _refused("used_up", "You have used this code on your plan already.")
    return begins


def used(session: Session, *, subscription_id: str, promotion_code_id: str) -> None:
    """The code is on that plan."""
    session.execute(
        update(CodeUseRow)
        .where(
            CodeUseRow.subscription_id == subscription_id,
            CodeUseRow.promotion_code_id == promotion_code_id,
        )
        .values(state="done")
    )


def _require_fit(promotion: Promotion, sale: Sale) -> None:
    coupon = promotion.coupon
    if coupon.products and sale.product_id not in coupon.products:
        raise _refused("not_for_this", f"This code is not for {sale.item.title}.")
    currencies = {off.currency for off in coupon.sums}
    if coupon.percent is None and sale.price.currency not in currencies:
        raise _refused("not_for_this", "This code is for another currency.")
    if not promotion.minimums:
        return
    least = [one for one in promotion.minimums if one.currency == sale.price.currency]
    if not least or sale.price < least[0]:
        from_sum = f" of at least {wording.amount(least[0])}" if least else " in another currency"
        raise _refused("not_for_this", f"This code is for purchases{from_sum}.")


def _refused(why: str, words: str) -> errors.InvalidRequest:
    return errors.InvalidRequest(f"code.{why}", words)
