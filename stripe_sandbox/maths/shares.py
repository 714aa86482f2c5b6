"""Rounding and splitting of minor units, the same way everywhere."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction


def rounded(exact: Fraction) -> int:
    """The nearest whole unit; a half goes away from zero, so that a credit mirrors its charge.

    Stripe publishes "nearest, half up" for its fees (0.025 is 0.03 and 0.024 is 0.02:
    support.stripe.com/questions/rounding-rules-for-stripe-fees), and the table of taxes on the
    same page rounds every line by itself. For negative sums it publishes nothing.
    """
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


def percent(rate: Decimal | str) -> Fraction:
    """The rate as a part of one: ``"7.25"`` is 29/400."""
    return Fraction(Decimal(rate)) / 100


def spread(total: int, weights: Sequence[Fraction | int]) -> tuple[int, ...]:
    """The total in whole parts proportional to the weights, whose sum is exactly the total.

    The units that rounding down leaves over go to the largest remainders, among equal ones to the
    first: the split depends on nothing but its arguments.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("a total is spread over weights that are not negative and not all zero")
    exact = [Fraction(abs(total) * weight) / whole for weight in weights]
    parts = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in by_remainder[: abs(total) - sum(parts)]:
        parts[at] += 1
    return tuple(parts if total >= 0 else [-part for part in parts])
