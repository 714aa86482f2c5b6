"""How many credits a subscription whose plan was changed may have brought, month by month.

Reckoned from the lines of its paid invoices alone, and not as the product does it: a list of
months, each with the level it began at, and what later changes put on top or took along.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from talkingphoto.billing import catalog
from talkingphoto.foundation import clock

_YEAR = 12


@dataclass(frozen=True)
class Line:
    """A line of a paid invoice that sells a plan, or a part of one, or gives a part back."""

    item: catalog.Item
    amount_minor: int
    is_proration: bool
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Paid:
    """A paid invoice of a subscription."""

    created_at: datetime
    is_change: bool
    whole_period: bool
    lines: tuple[Line, ...]


@dataclass
class _Month:
    start: datetime
    end: datetime
    level: int
    highest: int = 0

    def part(self, credits: int, *, since: datetime) -> int:
        """The share of the credits for the rest of the month, rounded down."""
        return credits * _seconds(self.end - since) // _seconds(self.end - self.start)


def entitled(bills: Iterable[Paid], *, now: datetime) -> int:
    """The credits that were paid for by now; rounding may leave a customer one less for each
    change."""
    months: list[_Month] = []
    extra = 0
    for bill in sorted(bills, key=lambda bill: bill.created_at):
        whole = [line for line in bill.lines if not line.is_proration]
        parts = [line for line in bill.lines if line.is_proration]
        if whole and bill.is_change:
            extra -= sum(_taken_along(months, part) for part in parts if part.amount_minor < 0)
        if whole and (bill.whole_period or bill.is_change):
            months += [month for line in whole for month in _months(line)]
        elif bill.is_change:
            extra += sum(_raised(months, part) for part in parts if part.amount_minor >= 0)
    return extra + sum(month.level for month in months if month.start <= now)


def _months(line: Line) -> list[_Month]:
    level = line.item.credits
    if line.item.interval != "year":
        return [_Month(line.start, line.end, level, level)]
    starts = [clock.add_months(line.start, months=number) for number in range(_YEAR)]
    ends = [*starts[1:], line.end]
    return [_Month(start, end, level, level) for start, end in zip(starts, ends, strict=True)]


def _taken_along(months: list[_Month], part: Line) -> int:
    """What the given-back time had brought already counts for the time that is bought."""
    taken = 0
    for month in months:
        if month.start <= part.start < month.end:
            taken += month.part(month.highest, since=part.start)
        elif part.start < month.start < part.end:
            month.level = 0
    return taken


def _raised(months: list[_Month], part: Line) -> int:
    raised = 0
    for month in months:
        if month.start <= part.start < month.end:
            more = max(0, part.item.credits - month.highest)
            raised += month.part(more, since=part.start)
            month.highest = max(month.highest, part.item.credits)
        elif part.start < month.start < part.end:
            month.level = month.highest = part.item.credits
    return raised


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
