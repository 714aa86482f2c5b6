"""How long the credits last at the pace of the last weeks, and what a bigger plan would have cost.

Pure rules: they are told everything and ask nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from talkingphoto.billing import catalog
from talkingphoto.foundation import wording
from talkingphoto.foundation.money import Money

WINDOW = timedelta(days=28)
SHORTEST_WINDOW = timedelta(days=3)
FEWEST_VIDEOS = 2
# A date beyond this would say more than we know.
FURTHEST = timedelta(days=365)


@dataclass(frozen=True)
class Pace:
    """So many videos were made in that time."""

    videos: int
    seconds: int

    @property
    def per_day_tenths(self) -> int:
        """Tenths of a video a day, rounded half up."""
        return (self.videos * 20 * 86400 + self.seconds) // (2 * self.seconds)


@dataclass(frozen=True)
class Usable:
    """Credits that can be spent until then; without an end they stay."""

    credits: int
    until: datetime | None


@dataclass(frozen=True)
class Next:
    """The credits that come by themselves, and when."""

    at: datetime
    credits: int


@dataclass(frozen=True)
class Bought:
    """A plan's month as it was paid, and the packs bought beside it."""

    plan: catalog.Plan | None
    interval: catalog.Interval
    pack_credits: int
    pack_money: Money


@dataclass(frozen=True)
class Forecast:
    """What is used a day, in tenths, and when nothing is left; `words` say it to the customer."""

    per_day_tenths: int
    runs_out_at: datetime | None
    next_credits_at: datetime | None
    words: str


def pace(*, videos: int, joined_at: datetime, now: datetime) -> Pace | None:
    """The pace of the last four weeks, or since somebody joined; None when that says nothing."""
    window = min(WINDOW, now - joined_at)
    if window < SHORTEST_WINDOW or videos < FEWEST_VIDEOS:
        return None
    return Pace(videos=videos, seconds=int(window.total_seconds()))


def runs_out_at(lots: Sequence[Usable], pace: Pace, *, now: datetime) -> datetime | None:
    """When the last of the lots, used in their order, is spent or over; None past a year."""
    moment = now
    furthest = int(FURTHEST.total_seconds()) + 1
    for lot in lots:
        seconds = min(lot.credits * pace.seconds // pace.videos, furthest)
        spent = moment + timedelta(seconds=seconds)
        moment = spent if lot.until is None else max(moment, min(spent, lot.until))
        if moment > now + FURTHEST:
            return None
    return moment


def forecast(
    lots: Sequence[Usable], *, rate: Pace | None, coming: Next | None, now: datetime
) -> Forecast:
    """When nothing is left at that pace, in words that also name what comes before or after."""
    left = sum(lot.credits for lot in lots)
    next_at = coming.at if coming else None
    if left == 0 or rate is None:
        words = " ".join([_left(left), *([_arrive(coming, now=now)] if left == 0 else [])])
        return Forecast(rate.per_day_tenths if rate else 0, None, next_at, words.strip())
    end = runs_out_at(lots, rate, now=now)
    words = f"{_left(left)} {_until(end, coming, now=now)}"
    return Forecast(rate.per_day_tenths, end, next_at, words)


def saving(bought: Bought) -> tuple[catalog.Plan, Money] | None:
    """The cheapest bigger plan that would have covered the packs for less, and by how much."""
    has = bought.plan.monthly_credits if bought.plan else 0
    paid = bought.pack_money
    if bought.plan:
        paid = paid + _month(bought.plan, bought.interval)
    fitting = (
        (plan, paid - _month(plan, bought.interval))
        for plan in catalog.PLANS
        if plan.monthly_credits > has
        and plan.monthly_credits >= has + bought.pack_credits
        and plan.month.currency == paid.currency
    )
    cheaper = [found for found in fitting if bought.pack_credits and found[1].minor > 0]
    return max(cheaper, key=lambda found: found[1].minor, default=None)


def saving_words(bought: Bought) -> str:
    """The sentence that names the saving; empty where there is none."""
    found = saving(bought)
    if found is None:
        return ""
    plan, money = found
    return f"{plan.name} would have saved {wording.amount(money)}."


def day(moment: datetime, *, now: datetime) -> str:
    """The day as it is said now: the year only when it is another one."""
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%B}{year}"


def _month(plan: catalog.Plan, interval: catalog.Interval) -> Money:
    # The larger of the twelve shares: we never promise a saving that is a cent too high.
    return plan.month if interval == "month" else plan.year.split(12)[0]


def _left(left: int) -> str:
    return f"{wording.videos(left)} left." if left else "You have no videos left."


def _arrive(coming: Next | None, *, now: datetime) -> str:
    return (
        f"{wording.videos(coming.credits)} more come on {day(coming.at, now=now)}."
        if coming
        else ""
    )


def _until(end: datetime | None, coming: Next | None, *, now: datetime) -> str:
    if coming is not None and (end is None or end >= coming.at):
        return f"At this pace they last until more come on {day(coming.at, now=now)}."
    if end is None:
        return "At this pace they last for more than a year."
    said = f"At this pace you run out on {day(end, now=now)}."
    return f"{said} More come on {day(coming.at, now=now)}." if coming else said
