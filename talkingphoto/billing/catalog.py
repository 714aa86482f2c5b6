"""What is for sale: plans, packs, their prices and credits, and the Stripe prices behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import BigInteger, DateTime

from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Base
from talkingphoto.foundation.money import Money

Interval = Literal["month", "year"]

FREE_CREDITS = 3


@dataclass(frozen=True)
class Plan:
    """A subscription: so many credits a month, paid monthly or yearly."""

    key: str
    name: str
    product_name: str
    description: str
    monthly_credits: int
    month: Money
    year: Money

    def price(self, interval: Interval) -> Money:
        """What one interval costs, before tax."""
        return self.month if interval == "month" else self.year

    @property
    def yearly_saving_percent(self) -> int:
        """What a year saves against twelve months, in whole per cent, rounded down."""
        twelve = self.month.times(12)
        return (twelve.minor - self.year.minor) * 100 // twelve.minor


@dataclass(frozen=True)
class Pack:
    """Credits bought once; they do not expire."""

    credits: int
    price: Money

    @property
    def item(self) -> str:
        """The name under which it is bought."""
        return f"pack:{self.credits}"


def _usd(cents: int) -> Money:
    return Money(cents, "usd")


PLANS = (
    Plan(
        key="starter",
        name="Starter",
        product_name="TalkingPhoto Starter",
        description="30 video generations per month",
        monthly_credits=30,
        month=_usd(19_99),
        year=_usd(199_99),
    ),
    Plan(
        key="pro",
        name="Pro",
        product_name="TalkingPhoto Pro",
        description="100 video generations per month",
        monthly_credits=100,
        month=_usd(49_99),
        year=_usd(499_99),
    ),
    Plan(
        key="enterprise",
        name="Enterprise",
        product_name="TalkingPhoto Enterprise",
        description="500 video generations per month",
        monthly_credits=500,
        month=_usd(199_99),
        year=_usd(1_999_99),
    ),
)
PACKS = (Pack(10, _usd(9_90)), Pack(50, _usd(44_50)), Pack(200, _usd(158_00)))


@dataclass(frozen=True)
class Item:
    """One thing with one price: a plan for an interval, or a pack."""

    key: str
    title: str
    product_name: str
    product_key: str
    description: str
    credits: int
    price: Money
    interval: Interval | None

    @property
    def is_plan(self) -> bool:
        """True for a subscription, False for a pack."""
        return self.interval is not None

    @property
    def lookup_key(self) -> str:
        """The name of its price at Stripe; a changed amount is a new price under the same name."""
        return f"talkingphoto_{self.key.replace(':', '_')}"


def _plan_item(plan: Plan, interval: Interval) -> Item:
    return Item(
        key=f"{plan.key}:{interval}",
        title=plan.name,
        product_name=plan.product_name,
        product_key=plan.key,
        description=plan.description,
        credits=plan.monthly_credits,
        price=plan.price(interval),
        interval=interval,
    )


def _pack_item(pack: Pack) -> Item:
    return Item(
        key=pack.item,
        title=f"{pack.credits} videos",
        product_name=f"TalkingPhoto {pack.credits} videos",
        product_key=f"pack_{pack.credits}",
        description=f"{pack.credits} video generations, no expiry",
        credits=pack.credits,
        price=pack.price,
        interval=None,
    )


ITEMS = {
    item.key: item
    for item in (
        *(_plan_item(plan, "month") for plan in PLANS),
        *(_plan_item(plan, "year") for plan in PLANS),
        *(_pack_item(pack) for pack in PACKS),
    )
}


def item(key: str) -> Item:
    """The item of that name; InvalidRequest when nothing of that name is sold."""
    found = ITEMS.get(key)
    if found is None:
        raise errors.InvalidRequest(
            "billing.item_unknown", "This plan or pack does not exist. Choose one from the list."
        )
    return found


def smaller(bigger: Item) -> Item | None:
    """The next smaller plan for the same interval; None for the smallest, and for a pack."""
    same = [one for one in ITEMS.values() if one.is_plan and one.interval == bigger.interval]
    below = [one for one in same if one.credits < bigger.credits] if bigger.is_plan else []
    return max(below, key=lambda one: one.credits, default=None)


class CatalogPriceRow(Base):
    """A Stripe price of an item; old ones stay, since invoices still name them."""

    __tablename__ = "catalog_prices"
    __table_args__ = (
        Index("uq_catalog_prices_current", "item", unique=True, postgresql_where=text("current")),
    )

    price_id: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str]
    product_id: Mapped[str]
    current: Mapped[bool]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    synced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def record_price(
    session: Session,
    *,
    item_key: str,
    price_id: str,
    product_id: str,
    looked_at: datetime,
    amount: Money | None = None,
) -> None:
    """New checkouts of that item use this Stripe price; older ones stay as they were."""
    session.execute(
        update(CatalogPriceRow)
        .where(CatalogPriceRow.item == item_key, CatalogPriceRow.price_id != price_id)
        .values(current=False)
    )
    values = {
        "item": item_key,
        "product_id": product_id,
        "current": True,
        "amount_minor": amount.minor if amount else None,
        "currency": amount.currency if amount else None,
        "synced_at": looked_at,
    }
    session.execute(
        insert(CatalogPriceRow)
        .values(price_id=price_id, **values)
        .on_conflict_do_update(index_elements=["price_id"], set_=values)
    )


def current_price_id(session: Session, *, item_key: str) -> str:
    """The Stripe price to sell the item at; Unavailable before the first sync."""
    found = session.scalars(
        select(CatalogPriceRow.price_id).filter_by(item=item_key, current=True)
    ).one_or_none()
    if found is None:
        raise errors.Unavailable(
            "billing.catalog_missing",
            "Prices are not set up yet. Nothing was charged. Run: talkingphoto catalog sync",
        )
    return found


def product_of(session: Session, *, item_key: str) -> str:
    """The Stripe product that the item is sold as; empty before the first sync."""
    query = select(CatalogPriceRow.product_id).filter_by(item=item_key, current=True)
    return session.scalars(query).one_or_none() or ""


def item_of_price(session: Session, *, price_id: str) -> Item | None:
    """What that Stripe price sells; None when it is none of ours."""
    key = session.scalars(select(CatalogPriceRow.item).filter_by(price_id=price_id)).one_or_none()
    return ITEMS.get(key) if key else None
