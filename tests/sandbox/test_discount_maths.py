"""What coupons take off lines, worked by hand, and what must hold whatever the numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_sandbox.maths import shares
from stripe_sandbox.maths.discounting import Line, Reduction, in_turn, taken_off


def _percent(text: str, *products: str) -> Reduction:
    return Reduction(percent_off=Decimal(text), products=frozenset(products) if products else None)


def _off(amount: int, *products: str) -> Reduction:
    return Reduction(amount_off=amount, products=frozenset(products) if products else None)


# (what is shown, the lines, the coupon, what is taken off each line)
_ONE_COUPON = [
    # 1999 x 20 / 100 = 399.8, so 400.
    ("a percentage", (1999,), _percent("20"), (400,)),
    # 990 x 12.5 / 100 = 123.75, so 124.
    ("a percentage with decimals", (990,), _percent("12.5"), (124,)),
    # 50 x 25 / 100 = 12.5: a half goes up, 13. 49 x 25 / 100 = 12.25 does not: 12.
    ("halves go up", (50, 49), _percent("25"), (13, 12)),
    # 1 x 50 / 100 = 0.5, so 1: all of the line, and no more.
    ("half of one unit is one", (1,), _percent("50"), (1,)),
    # Each line by itself: 33 x 10 / 100 = 3.3, so 3, three times; of the sum 99 it would be 9.9.
    ("each line is rounded by itself", (33, 33, 33), _percent("10"), (3, 3, 3)),
    # The credit of -1500 loses 20 % as well: -300. Net -1200 + 2400 = 1200 = 80 % of 1500.
    ("a credit shrinks by its share", (-1500, 3000), _percent("20"), (-300, 600)),
    # -50 x 25 / 100 = -12.5: away from zero, -13, the mirror of the charge's 13.
    ("a credit mirrors its charge", (-50, 50), _percent("25"), (-13, 13)),
    # 500 x 1000 / 4000 = 125 and 500 x 3000 / 4000 = 375.
    ("a sum in proportion", (1000, 3000), _off(500), (125, 375)),
    # 100 x 1 / 3 = 33.33 each: 33 + 33 + 33 = 99, the one unit left over goes to the first.
    ("the odd unit to the first of equals", (500, 500, 500), _off(100), (34, 33, 33)),
    # 100 x 334 / 1000 = 33.4, 33.3, 33.3: 99 and one over, to the largest remainder .4.
    ("the odd unit to the largest remainder", (333, 334, 333), _off(100), (33, 34, 33)),
    # 5000 is more than the order: all of it, 990 + 10, and no more.
    ("a sum larger than the order", (990, 10), _off(5000), (990, 10)),
    # The credit has no part: 300 x 1000 / 2000 = 150 each, of the two lines that are owed.
    ("a sum passes credits by", (1000, -400, 1000), _off(300), (150, 0, 150)),
    # The order comes to 1000 - 800 = 200, so no more than 200 is taken off.
    ("a sum never makes the order a credit", (1000, -800), _off(500), (200, 0)),
    ("a sum takes nothing off a credit", (-1000, 400), _off(500), (0, 0)),
    # Yen have no minor unit, dinars three digits: 333 x 10 % = 33.3 and 1235 x 10 % = 123.5.
    ("yen and fils are units like cents", (333, 1235), _percent("10"), (33, 124)),
    ("nothing off nothing", (0, 0), _off(500), (0, 0)),
]


@pytest.mark.parametrize(
    ("lines", "coupon", "expected"),
    [case[1:] for case in _ONE_COUPON],
    ids=[c[0] for c in _ONE_COUPON],
)
def test_a_coupon_takes_off_what_was_worked_out_by_hand(
    lines: tuple[int, ...], coupon: Reduction, expected: tuple[int, ...]
) -> None:
    assert taken_off([Line(amount) for amount in lines], coupon) == expected


def test_a_coupon_for_some_products_leaves_other_lines_alone() -> None:
    lines = [Line(1000, "prod_a"), Line(1000, "prod_b"), Line(600, "prod_a", discountable=False)]
    # 10 % of 1000; the last line says that nothing may be taken off it.
    assert taken_off(lines, _percent("10", "prod_a")) == (100, 0, 0)
    assert taken_off(lines, _off(1500, "prod_a")) == (1000, 0, 0)


def test_several_coupons_act_one_after_another_on_what_is_left() -> None:
    # 10000 - 20 % = 8000, and 8000 - 500 = 7500.
    assert in_turn([Line(10000)], [_percent("20"), _off(500)]) == ((2000,), (500,))
    # The other way round: 10000 - 500 = 9500, and 20 % of 9500 is 1900, so 7600.
    assert in_turn([Line(10000)], [_off(500), _percent("20")]) == ((500,), (1900,))
    # Half and half again: 1000, 500, 250; not nothing.
    assert in_turn([Line(1000)], [_percent("50"), _percent("50")]) == ((500,), (250,))


_AMOUNTS = st.integers(-(10**8), 10**8)
_LINES = st.lists(_AMOUNTS, min_size=1, max_size=8)
_COUPONS = st.one_of(
    st.decimals(Decimal("0.01"), 100, places=2).map(lambda rate: Reduction(percent_off=rate)),
    st.integers(1, 10**9).map(_off),
)


@given(_LINES, st.lists(_COUPONS, min_size=1, max_size=3))
def test_what_is_taken_off_never_exceeds_a_line_nor_turns_it_round(
    amounts: list[int], coupons: list[Reduction]
) -> None:
    left = list(amounts)
    for row in in_turn([Line(amount) for amount in amounts], coupons):
        left = [amount - off for amount, off in zip(left, row, strict=True)]
    for amount, rest in zip(amounts, left, strict=True):
        assert min(0, amount) <= rest <= max(0, amount)


@given(_LINES, st.decimals(Decimal("0.01"), 100, places=2))
def test_a_percentage_of_credits_is_the_mirror_of_that_of_charges(
    amounts: list[int], rate: Decimal
) -> None:
    coupon = Reduction(percent_off=rate)
    charged = taken_off([Line(amount) for amount in amounts], coupon)
    credited = taken_off([Line(-amount) for amount in amounts], coupon)
    assert credited == tuple(-off for off in charged)


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=8), st.integers(1, 10**9))
def test_the_shares_of_a_sum_off_add_up_to_it_or_to_the_whole_order(
    amounts: list[int], off: int
) -> None:
    shared = taken_off([Line(amount) for amount in amounts], _off(off))
    assert sum(shared) == min(off, sum(amounts))


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_a_split_adds_up_and_no_part_is_a_unit_away_from_its_share(
    total: int, weights: list[int]
) -> None:
    if not any(weights):
        with pytest.raises(ValueError, match="not all zero"):
            shares.spread(total, weights)
        return
    parts = shares.spread(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
