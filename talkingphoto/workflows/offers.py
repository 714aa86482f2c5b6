"""The price list: what is on offer, and which line of it is the customer's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from talkingphoto.billing import catalog
from talkingphoto.foundation.money import Money


@dataclass(frozen=True)
class PlanOffer:
    """A plan as the price list shows it; Free has no price."""

    key: str
    name: str
    description: str
    monthly_credits: int
    month: Money | None
    year: Money | None
    yearly_saving_percent: int


@dataclass(frozen=True)
class Pricing:
    """The price list, and which line of it is the customer's."""

    plans: tuple[PlanOffer, ...]
    packs: tuple[catalog.Pack, ...]
    current_item: str | None
    renews_at: datetime | None


def plan_offers() -> tuple[PlanOffer, ...]:
    """Every plan on sale, Free first."""
    free = PlanOffer(
        key="free",
        name="Free",
        description=f"{catalog.FREE_CREDITS} video generations, once",
        monthly_credits=catalog.FREE_CREDITS,
        month=None,
        year=None,
        yearly_saving_percent=0,
    )
    paid = (
        PlanOffer(
            key=plan.key,
            name=plan.name,
            description=plan.description,
            monthly_credits=plan.monthly_credits,
            month=plan.month,
            year=plan.year,
            yearly_saving_percent=plan.yearly_saving_percent,
        )
        for plan in catalog.PLANS
    )
    return (free, *paid)
