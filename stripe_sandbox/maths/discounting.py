"""What coupons take off the lines of an order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from stripe_sandbox.maths import shares


@dataclass(frozen=True)
class Line:
    """One line: its sum in minor units (negative for a credit), and whether coupons reach it."""

    amount: int
    product: str | None = None
    discountable: bool = True


@dataclass(frozen=True)
class Reduction:
    """A coupon in one currency: a percentage or a sum, for every product or for those named."""

    percent_off: Decimal | None = None
    amount_off: int | None = None
    products: frozenset[str] | None = None

    def reaches(self, line: Line) -> bool:
        """True if the coupon applies to the line."""
        return line.discountable and (self.products is None or line.product in self.products)


def taken_off(lines: Sequence[Line], coupon: Reduction) -> tuple[int, ...]:
    """What the coupon takes off each line, in their order.

    A percentage is taken of each line by itself and rounded to the nearest unit, halves away from
    zero; of a credit it takes off a negative sum, so that the credit gets smaller by the same
    share. A sum is spread over the lines that are owed in proportion to what they come to, the
    odd units by largest remainder, and is never more than these lines or than the whole order;
    credits have no part in it.
    """
    if coupon.percent_off is not None:
        rate = shares.percent(coupon.percent_off)
        return tuple(
            shares.rounded(line.amount * rate) if coupon.reaches(line) else 0 for line in lines
        )
    weights = [max(0, line.amount) if coupon.reaches(line) else 0 for line in lines]
    whole_order = max(0, sum(line.amount for line in lines))
    total = min(coupon.amount_off or 0, sum(weights), whole_order)
    return shares.spread(total, weights) if total else (0,) * len(lines)


def in_turn(lines: Sequence[Line], coupons: Sequence[Reduction]) -> tuple[tuple[int, ...], ...]:
    """What each coupon takes off each line, one row a coupon: each acts on what is left.

    As at Stripe the order counts: 20 % and then 5.00 off 100.00 leaves 75.00, the other way
    round 76.00.
    """
    rows = []
    for coupon in coupons:
        row = taken_off(lines, coupon)
        lines = [
            replace(line, amount=line.amount - off) for line, off in zip(lines, row, strict=True)
        ]
        rows.append(row)
    return tuple(rows)
