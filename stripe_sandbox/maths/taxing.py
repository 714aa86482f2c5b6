"""The tax of a line, for percentages that come on top of it or are part of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stripe_sandbox.maths import shares


@dataclass(frozen=True)
class Rate:
    """A percentage as text, ``"7.25"``; inclusive if the price already holds it."""

    percentage: str | Decimal
    inclusive: bool = False


@dataclass(frozen=True)
class Tax:
    """What one rate comes to on one line, and the sum it was taken of."""

    amount: int
    taxable_amount: int


def of_line(amount: int, rates: Sequence[Rate]) -> tuple[Tax, ...]:
    """The tax of each rate on a line's sum after discounts, in the order of the rates.

    Inclusive rates are worked out together: the part of all of them in the gross sum is rounded
    once and then split in proportion, so that net and tax always add up to the gross. Exclusive
    rates are each taken of the net. Every line is rounded by itself, to the nearest unit with
    halves away from zero, and invoices add up the lines; a credit of the same sum has exactly
    the negative tax. The currency makes no difference: yen, cents and fils are all units.
    """
    parts = [shares.percent(rate.percentage) for rate in rates]
    inside = [part for part, rate in zip(parts, rates, strict=True) if rate.inclusive]
    together = sum(inside)
    included = shares.rounded(amount * together / (1 + together)) if together else 0
    net = amount - included
    split = iter(shares.spread(included, inside) if together else (0,) * len(inside))
    return tuple(
        Tax(next(split) if rate.inclusive else shares.rounded(net * part), net)
        for part, rate in zip(parts, rates, strict=True)
    )


def on_top(taxes: Sequence[Tax], rates: Sequence[Rate]) -> int:
    """What the payer owes beyond the line's sum: the exclusive taxes."""
    return sum(tax.amount for tax, rate in zip(taxes, rates, strict=True) if not rate.inclusive)
