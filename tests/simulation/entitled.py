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
    paid_at: datetime
    is_change: bool
    whole_period: bool
    lines: tuple[Line, ...]


@dataclass
class _Month:
    """A month of a period that was bought at once; the period ends at `until`."""

    start: datetime
    end: datetime
    until: datetime
    level: int
    highest: int = 0

    def part(self, credits: int, *, since: datetime) -> int:
        """The share of the credits for the rest of the month, rounded down."""
        return credits * _seconds(self.end - since) // _seconds(self.end - self.start)


def entitled(bills: Iterable[Paid], *, now: datetime) -> int:
    """The credits that were paid for by now; rounding may leave a customer one less for each
    change."""
    periods: list[list[_Month]] = []
    extra = 0
    for bill in sorted(bills, key=lambda bill: bill.created_at):
        if bill.paid_at > now:
            continue
        whole = [line for line in bill.lines if not line.is_proration]
        parts = [line for line in bill.lines if line.is_proration]
        if whole and bill.is_change:
            extra -= sum(_taken_along(periods, part) for part in parts if part.amount_minor < 0)
        if whole and (bill.whole_period or bill.is_change):
            periods += [_months(line) for line in whole]
        elif bill.is_change:
            extra += sum(_raised(periods, part) for part in parts if part.amount_minor >= 0)
    begun = (month for months in periods for month in months if month.start <= now)
    return extra + sum(month.level for month in begun)


def _months(line: Line) -> list[_Month]:
    level = line.item.credits
    if line.item.interval != "year":
        return [_Month(line.start, line.end, line.end, level, level)]
    starts = [clock.add_months(line.start, months=number) for number in range(_YEAR)]
    ends = [*starts[1:], line.end]
    return [_Month(*span, line.end, level, level) for span in zip(starts, ends, strict=True)]


def _touched(periods: list[list[_Month]], part: Line) -> list[_Month]:
    """The months of the period that is changed. A time may have been bought twice: what was left
    of a month was given back for a year that began, and such a month is over."""
    found = [months for months in periods if months[-1].until == part.end]
    return [month for month in found[-1] if month.end > part.start] if found else []


def _taken_along(periods: list[list[_Month]], part: Line) -> int:
    """What the given-back time had brought already counts for the time that is bought."""
    taken = 0
    for month in _touched(periods, part):
        if month.start <= part.start:
            taken += month.part(month.highest, since=part.start)
        else:
            month.level = 0
    return taken


def _raised(periods: list[list[_Month]], part: Line) -> int:
    raised = 0
    for month in _touched(periods, part):
        if month.start <= part.start:
            more = max(0, part.item.credits - month.highest)
            raised += month.part(more, since=part.start)
            month.highest = max(month.highest, part.item.credits)
        else:
            month.level = month.highest = part.item.credits
    return raised


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
