"""What a change within a period brings: pure sums, in whatever order the invoices are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from talkingphoto.billing import catalog, step_maths
from talkingphoto.billing.step_maths import Bill, Brought, Part
from talkingphoto.foundation.clock import add_months
from talkingphoto.foundation.money import Money

START = datetime(2027, 1, 31, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLANS = ("starter", "pro", "enterprise")


def usd(cents: int) -> Money:
    return Money(cents, "usd")


def whole(item: str, *, start: datetime = START, paid: bool = True, change: bool = False) -> Bill:
    """The invoice of a whole period."""
    sold = catalog.item(item)
    end = add_months(start, months=12 if sold.interval == "year" else 1)
    part = Part(sold, 1, sold.price, 0, False, start, end)
    return Bill(f"in_{item}_{start:%d%H}", paid, change, start, (part,))


def change(
    old: str, new: str, *, at: datetime, period: Bill, paid: bool = True, name: str = ""
) -> Bill:
    """The invoice of a change of price within a period, as Stripe prorates it."""
    (base,) = period.parts
    left = Fraction((base.end - at) // SECOND, (base.end - base.start) // SECOND)
    before, after = catalog.item(old), catalog.item(new)
    back = usd(-round(before.price.minor * left))
    parts = (
        Part(before, 1, back, 0, True, at, base.end),
        Part(after, 1, usd(round(after.price.minor * left)), 0, True, at, base.end),
    )
    return Bill(name or f"in_{new}_{at.timestamp()}", paid, True, at, parts)


def lots(*bills: Bill) -> list[tuple[str, int]]:
    """What the changes among the bills bring at once."""
    found = step_maths.brought_by(bills)
    return [(one.item.key, one.credits) for one in found if one.at_once and one.bill.is_change]


def half(period: Bill) -> datetime:
    (base,) = period.parts
    return base.start + (base.end - base.start) / 2


def test_half_a_month_of_the_difference_is_brought_and_rounded_down() -> None:
    base = whole("starter:month")
    middle = half(base)
    assert lots(base, change("starter:month", "pro:month", at=middle, period=base)) == [
        ("pro:month", 35)
    ]
    later = middle + timedelta(seconds=1)
    assert lots(base, change("starter:month", "pro:month", at=later, period=base)) == [
        ("pro:month", 34)
    ]
    (part,) = base.parts
    last = part.end - timedelta(seconds=1)
    assert lots(base, change("starter:month", "pro:month", at=last, period=base)) == []


def test_down_then_up_brings_nothing_a_second_time() -> None:
    base = whole("pro:month")
    moments = [START + timedelta(days=day) for day in (3, 5, 8)]
    down = change("pro:month", "starter:month", at=moments[0], period=base)
    up = change("starter:month", "pro:month", at=moments[1], period=base)
    further = change("pro:month", "enterprise:month", at=moments[2], period=base)
    assert lots(base, down, up) == []
    assert [key for key, _ in lots(further, up, base, down)] == ["enterprise:month"]


def test_what_is_not_paid_brings_nothing_and_still_raises_the_level() -> None:
    base = whole("starter:month")
    unpaid = change("starter:month", "pro:month", at=START, period=base, paid=False)
    assert lots(base, unpaid) == []
    again = change("starter:month", "pro:month", at=START + timedelta(days=1), period=base)
    assert lots(base, unpaid, again) == []


def test_a_month_that_becomes_a_year_brings_what_its_rest_had_not() -> None:
    base = whole("pro:month")
    middle = half(base)
    sold = whole("pro:year", start=middle, change=True)
    (part,) = base.parts
    back = Part(catalog.item("pro:month"), 1, usd(-2500), 0, True, middle, part.end)
    year = Bill(sold.id, True, True, middle, (*sold.parts, back))
    brought = [one for one in step_maths.brought_by((year, base)) if one.bill.id == year.id]
    assert [one.credits for one in brought] == [50, *[100] * 11]
    assert sum(one.price.minor for one in brought) == 49999 - 2500
    assert brought[0].month.end == add_months(middle, months=1)


def test_a_years_upgrade_brings_its_difference_month_by_month_until_money_goes_back() -> None:
    base = whole("starter:year")
    at = add_months(START, months=2) + timedelta(days=1)
    up = change("starter:year", "pro:year", at=at, period=base)
    found = [one for one in step_maths.brought_by((base, up)) if one.bill is up]
    assert [one.credits for one in found] == [found[0].credits, *[70] * 9]
    assert found[0].at_once and 60 < found[0].credits < 70
    assert sum(one.price.minor for one in found) == sum(p.amount.minor for p in up.parts)
    down = change("pro:year", "starter:year", at=at + timedelta(days=40), period=base)
    kept = [one.kept for one in step_maths.brought_by((down, up, base)) if one.bill is up]
    assert kept[1:] == [70, *[0] * 8]


@st.composite
def months(draw: st.DrawFn) -> list[Bill]:
    """A month and changes in it, up and down, paid or not."""
    plan = draw(st.sampled_from(PLANS))
    base = whole(f"{plan}:month")
    (part,) = base.parts
    seconds = int((part.end - part.start).total_seconds())
    moments = sorted(draw(st.sets(st.integers(0, seconds - 1), max_size=6)))
    bills = [base]
    for number, moment in enumerate(moments):
        other = draw(st.sampled_from([name for name in PLANS if name != plan]))
        paid = draw(st.booleans()) or other == "starter"
        at = part.start + timedelta(seconds=moment)
        bills.append(
            change(
                f"{plan}:month",
                f"{other}:month",
                at=at,
                period=base,
                paid=paid,
                name=f"in_{number}",
            )
        )
        plan = other
    return bills


@settings(max_examples=150, deadline=None)
@given(bills=months(), data=st.data())
def test_no_sequence_brings_more_than_the_highest_plan_for_the_time_it_was_there(
    bills: list[Bill], data: st.DataObject
) -> None:
    found = step_maths.brought_by(bills)
    assert sum(one.credits for one in found) <= most(bills)
    keys = [one.item.key for one in found if one.bill.is_change]
    assert len(keys) == len(set(keys)), "once a price"
    shuffled = data.draw(st.permutations(bills))
    assert sorted(map(facts, step_maths.brought_by(shuffled))) == sorted(map(facts, found))
    # What is known by then is never contradicted by what is told later.
    known = step_maths.brought_by(bills[: data.draw(st.integers(1, len(bills)))])
    assert {facts(one) for one in known} <= {facts(one) for one in found}


def facts(one: Brought) -> tuple[str, str, int, int]:
    return one.bill.id, one.item.key, one.credits, one.price.minor


def most(bills: list[Bill]) -> Fraction:
    """The highest level so far, counted by the second over the month."""
    (base,) = bills[0].parts
    total, level, since = Fraction(0), base.level, base.start
    for bill in bills[1:]:
        at = bill.parts[0].start
        total += level * Fraction(int((at - since).total_seconds()))
        level, since = max(level, bill.parts[1].level), at
    total += level * Fraction(int((base.end - since).total_seconds()))
    return total / int((base.end - base.start).total_seconds())
