"""Taxes of lines, worked by hand, and what must hold whatever the numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_sandbox.maths.taxing import Rate, of_line, on_top


def _plus(percentage: str) -> Rate:
    return Rate(percentage)


def _within(percentage: str) -> Rate:
    return Rate(percentage, inclusive=True)


# (what is shown, the line, its rates, the tax of each, the sum it was taken of)
_CASES = [
    # 1999 x 7.25 / 100 = 144.9275, so 145.
    ("on top", 1999, (_plus("7.25"),), (145,), 1999),
    # Stripe's example of a sale in Illinois: 1000 x 7.75 / 100 = 77.5, and it prints 78.
    ("Stripe's own example on top", 1000, (_plus("7.75"),), (78,), 1000),
    # Stripe's example of a sale to Ireland: 10000 x 23 / 123 = 1869.92, it prints 1870 and 8130.
    ("Stripe's own example within", 10000, (_within("23"),), (1870,), 8130),
    # 2000 x 20 / 120 = 333.33, so 333; 2000 - 333 = 1667.
    ("within", 2000, (_within("20"),), (333,), 1667),
    # 43 x 15 / 100 = 6.45, so 6, and 484 x 15 / 100 = 72.6, so 73: rounded line by line.
    ("a small line", 43, (_plus("15"),), (6,), 43),
    ("another small line", 484, (_plus("15"),), (73,), 484),
    # 10 x 5 / 100 = 0.5: a half goes up. 9 x 5 / 100 = 0.45 does not.
    ("a half goes up", 10, (_plus("5"),), (1,), 10),
    ("just below a half", 9, (_plus("5"),), (0,), 9),
    # 21 x 5 / 105 = 1 exactly, and 20 is left; 11 x 10 / 110 = 1.
    ("exact within", 21, (_within("5"),), (1,), 20),
    # Montreal: 5 % of 2000 is 100, 9.975 % of 2000 is 199.5, so 200; each of the net, not of both.
    ("two on top", 2000, (_plus("5"), _plus("9.975")), (100, 200), 2000),
    # Together 14.975 %: 2299 x 14.975 / 114.975 = 299.43, so 299 and 2000 are left. Split 5 to
    # 9.975: 299 x 5 / 14.975 = 99.83 and 199.17, so 99 + 199 and the one over to .83: 100, 199.
    ("two within are taken out together", 2299, (_within("5"), _within("9.975")), (100, 199), 2000),
    # 1100 x 10 / 110 = 100 within; 3 % of the remaining 1000 is 30 on top.
    ("within first, then on top of the net", 1100, (_plus("3"), _within("10")), (30, 100), 1000),
    # Credits mirror: -1000 x 7.75 / 100 = -77.5, so -78; -10000 x 23 / 123 = -1870.
    ("a credit on top", -1000, (_plus("7.75"),), (-78,), -1000),
    ("a credit within", -10000, (_within("23"),), (-1870,), -8130),
    # 1500 yen x 10 / 110 = 136.36, so 136 yen: no minor unit, no other rule.
    ("yen", 1500, (_within("10"),), (136,), 1364),
    # 12.345 dinars are 12345 fils; 5 % is 617.25, so 617 fils.
    ("dinars of a thousand fils", 12345, (_plus("5"),), (617,), 12345),
    ("no rate, no tax", 1999, (), (), 1999),
    ("a rate of nothing", 1999, (_within("0"), _plus("0")), (0, 0), 1999),
    # 8.875 % of 1999 is 177.41, so 177.
    ("three decimals", 1999, (_plus("8.875"),), (177,), 1999),
]


@pytest.mark.parametrize(
    ("amount", "rates", "taxes", "taxable"),
    [case[1:] for case in _CASES],
    ids=[c[0] for c in _CASES],
)
def test_the_tax_of_a_line_is_what_was_worked_out_by_hand(
    amount: int, rates: tuple[Rate, ...], taxes: tuple[int, ...], taxable: int
) -> None:
    found = of_line(amount, rates)
    assert tuple(tax.amount for tax in found) == taxes
    assert {tax.taxable_amount for tax in found} <= {taxable}


def test_only_what_comes_on_top_is_owed_besides_the_price() -> None:
    rates = (_plus("3"), _within("10"))
    assert on_top(of_line(1100, rates), rates) == 30


_RATES = st.lists(
    st.builds(Rate, st.decimals(0, 100, places=4).map(str), st.booleans()), max_size=5
)


@given(st.integers(-(10**9), 10**9), _RATES)
def test_a_credit_of_the_same_line_has_exactly_the_negative_tax(
    amount: int, rates: list[Rate]
) -> None:
    charged, credited = of_line(amount, rates), of_line(-amount, rates)
    assert [tax.amount for tax in credited] == [-tax.amount for tax in charged]
    assert [tax.taxable_amount for tax in credited] == [-tax.taxable_amount for tax in charged]


@given(st.integers(0, 10**9), _RATES)
def test_net_and_the_taxes_within_are_the_gross_to_the_unit(amount: int, rates: list[Rate]) -> None:
    found = of_line(amount, rates)
    within = sum(tax.amount for tax, rate in zip(found, rates, strict=True) if rate.inclusive)
    assert all(tax.taxable_amount == amount - within for tax in found)
    assert all(tax.amount >= 0 for tax in found)
    together = sum((Decimal(rate.percentage) for rate in rates if rate.inclusive), Decimal(0))
    # Half a unit at most between the whole units and the exact part of the gross.
    assert abs(within * (100 + together) - amount * together) * 2 <= 100 + together
