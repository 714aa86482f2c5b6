"""How many credits a change within a period brings: pure sums over a subscription's invoices.

Every invoice of the subscription is looked at, in the order of the moments that its lines speak
of: so the answer is the same whichever of them we hear of first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from talkingphoto.billing import catalog
from talkingphoto.foundation import clock
from talkingphoto.foundation.money import Money

MONTHS_IN_YEAR = 12


@dataclass(frozen=True)
class Part:
    """A line of an invoice that sells a plan, or gives back or charges for a part of one."""

    item: catalog.Item
    quantity: int
    amount: Money
    tax_minor: int
    is_proration: bool
    start: datetime
    end: datetime
    # Tells a second year on one invoice from the first.
    mark: str = ""

    @property
    def level(self) -> int:
        """Credits a month that the line stands for."""
        return self.item.credits * self.quantity


@dataclass(frozen=True)
class Bill:
    """An invoice in terms of plans; one that is open raises levels, but brings nothing."""

    id: str
    is_paid: bool
    is_change: bool
    created_at: datetime
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Month:
    """A month of credits: those of a monthly plan are its periods, a year has twelve."""

    number: int
    # Of the whole period: a month ends on its day, whatever shorter months are in between.
    first: datetime
    start: datetime
    end: datetime

    def share(self, level: int, *, at: datetime) -> int:
        """The credits of that level for the rest of the month, rounded down."""
        return level * _seconds(at, self.end) // _seconds(self.start, self.end)

    def share_up(self, level: int, *, at: datetime) -> int:
        """The credits of that level for the rest of the month, rounded up."""
        return -(-level * _seconds(at, self.end) // _seconds(self.start, self.end))


@dataclass(frozen=True)
class Brought:
    """Credits of one month that an invoice brings, and what of its sum was paid for them."""

    bill: Bill
    item: catalog.Item
    month: Month
    # The month has begun: it is a lot at once and no later drip.
    at_once: bool
    credits: int
    price: Money
    tax_minor: int
    # Less than `credits` where a later change gave money back for a month not begun.
    kept: int
    drip_key: str


@dataclass
class _Row:
    item: catalog.Item
    month: Month
    at_once: bool
    floor: int
    credits: int
    mark: str = ""
    kept: int = -1

    def __post_init__(self) -> None:
        self.kept = self.credits

    def lower(self, level: int) -> None:
        """Of the levels that the row adds only those up to this one are left."""
        self.kept = max(0, min(self.kept, level - self.floor))


@dataclass
class _Slot:
    """A month, the level in force at its start or since, and the highest that it has reached."""

    month: Month
    level: int = 0
    highest: int = 0
    rows: list[_Row] = field(default_factory=list)


@dataclass
class _Period:
    part: Part
    slots: list[_Slot]

    def at(self, moment: datetime) -> _Slot | None:
        return next((s for s in self.slots if s.month.start <= moment < s.month.end), None)


@dataclass
class _Step:
    """What one bill changes at one moment: parts that are given back and parts that are sold."""

    bill: Bill
    at: datetime
    back: list[Part]
    sold: list[Part]
    whole: list[Part]
    rows: list[_Row] = field(default_factory=list)


def months_of(part: Part) -> tuple[Month, ...]:
    """The months of credits in the period of a line for a whole one."""
    if part.item.interval != "year":
        return (Month(0, part.start, part.start, part.end),)
    # From the start and not from each other, so that a plan begun on the 31st keeps its day.
    starts = [clock.add_months(part.start, months=n) for n in range(MONTHS_IN_YEAR)]
    ends = [*starts[1:], part.end]
    return tuple(Month(n, part.start, starts[n], ends[n]) for n in range(MONTHS_IN_YEAR))


def drip_key(invoice_id: str, *, month: int, mark: str) -> str:
    """The name of one month of what an invoice paid for a year."""
    return f"drip:{invoice_id}:{month}" + (f":{mark}" if mark else "")


def brought_by(bills: Iterable[Bill]) -> tuple[Brought, ...]:
    """What every paid bill brings, in the order of the moments that they speak of."""
    steps = sorted(
        (step for bill in bills for step in _steps_of(bill)),
        key=_order,
    )
    periods: list[_Period] = []
    for step in steps:
        _take(periods, step)
    return tuple(row for step in steps if step.bill.is_paid for row in _priced(step))


def _order(step: _Step) -> tuple[object, ...]:
    """By the moments spoken of; in one second a period begins before it is changed."""
    return step.at, not step.whole, step.bill.is_change, step.bill.created_at, step.bill.id


def _steps_of(bill: Bill) -> list[_Step]:
    whole = [part for part in bill.parts if not part.is_proration]
    moved = [part for part in bill.parts if part.is_proration]
    if whole and bill.is_change:
        return [_Step(bill, whole[0].start, _back(moved), [], whole)]
    steps = [_Step(bill, part.start, [], [], [part]) for part in whole]
    if not bill.is_change:
        # What waited and is billed with a renewal is for a time that is over.
        return steps
    for at in sorted({part.start for part in moved}):
        now = [part for part in moved if part.start == at]
        steps.append(_Step(bill, at, _back(now), [p for p in now if p.amount.minor >= 0], []))
    return steps


def _back(parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.amount.minor < 0]


def _take(periods: list[_Period], step: _Step) -> None:
    if step.whole:
        carried = _carried(periods, step)
        for part in step.whole:
            carried = _begin(periods, step, part, carried)
    elif step.sold:
        _change(periods, step)


def _carried(periods: list[_Period], step: _Step) -> int:
    """What the time that is given back has brought already; months not begun bring nothing."""
    carried = 0
    for part in step.back:
        period = _period_of(periods, part)
        slot = period.at(part.start) if period else None
        if period is None or slot is None:
            continue
        carried += slot.month.share_up(slot.highest, at=part.start)
        for later in period.slots[slot.month.number + 1 :]:
            _lower(later, 0)
    return carried


def _begin(periods: list[_Period], step: _Step, part: Part, carried: int) -> int:
    slots = []
    for month in months_of(part):
        used = min(part.level, carried)
        carried -= used
        at_once = part.item.interval != "year"
        row = _Row(part.item, month, at_once, 0, part.level - used, part.mark)
        slots.append(_Slot(month, part.level, part.level, [row]))
        step.rows.append(row)
    periods.append(_Period(part, slots))
    return carried


def _change(periods: list[_Period], step: _Step) -> None:
    target = sum(part.level for part in step.sold)
    item = max(step.sold, key=lambda part: part.level).item
    period = _period_of(periods, step.sold[0])
    slot = period.at(step.at) if period else None
    if period is None or slot is None:
        return  # for a time of which we know no whole period: nothing tells what it had brought
    given_back = sum(part.level for part in step.back)
    more = max(0, target - max(given_back, slot.highest))
    credits = slot.month.share(more, at=step.at)
    step.rows.append(_Row(item, slot.month, True, slot.highest, credits))
    slot.level, slot.highest = target, max(slot.highest, target)
    for later in period.slots[slot.month.number + 1 :]:
        base = max(later.level, given_back)
        if target > base:
            row = _Row(item, later.month, False, base, target - base, item.key)
            later.rows.append(row)
            step.rows.append(row)
        _lower(later, target)
        later.level = later.highest = target


def _lower(slot: _Slot, level: int) -> None:
    for row in slot.rows:
        row.lower(level)
    slot.level = slot.highest = min(slot.level, level)


def _period_of(periods: list[_Period], part: Part) -> _Period | None:
    """The newest whole period that ends when the part does."""
    return next((p for p in reversed(periods) if p.part.end == part.end), None)


def _priced(step: _Step) -> Iterable[Brought]:
    rows = [row for row in step.rows if row.credits > 0]
    parts = [*step.back, *step.sold, *step.whole]
    if not rows:
        return
    currency = parts[0].amount.currency
    paid = max(0, sum(part.amount.minor for part in parts))
    tax = min(paid, max(0, sum(part.tax_minor for part in parts)))
    weights = [row.credits for row in rows]
    shares = zip(rows, _split(paid, weights), _split(tax, weights), strict=True)
    for row, price, tax_part in shares:
        yield Brought(
            bill=step.bill,
            item=row.item,
            month=row.month,
            at_once=row.at_once,
            credits=row.credits,
            price=Money(price, currency),
            # Shares are rounded one by one: a tax may not be more than what it is a part of.
            tax_minor=min(tax_part, price),
            kept=row.kept,
            drip_key=drip_key(step.bill.id, month=row.month.number, mark=row.mark),
        )


def _split(total: int, weights: list[int]) -> list[int]:
    """Whole shares by weight that add up to the total."""
    whole, shares, before, seen = sum(weights), [], 0, 0
    for weight in weights:
        seen += weight
        until = total * seen // whole
        shares.append(until - before)
        before = until
    return shares


def _seconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds())
