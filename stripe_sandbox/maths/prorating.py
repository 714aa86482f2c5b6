"""Proration to the second: the part of a sum that belongs to the rest of a period.

Stripe's documents: "Stripe prorates down to the second" (billing/subscriptions/prorations). In
flexible billing mode a credit is the unused part of what was debited, not of the present price.
"""

from fractions import Fraction

from stripe_sandbox.maths import shares


def share(amount: int, *, begins: int, ends: int, now: int) -> int:
    """The part of the amount for the time from now to the end; half a unit goes away from zero.

    A moment before the beginning has all of it, one after the end has nothing. A credit is the
    exact opposite of the same debit, so that a change and its inverse cancel out.
    """
    whole = ends - begins
    left = min(max(ends - now, 0), whole)
    if whole <= 0:
        return 0
    return shares.rounded(Fraction(amount * left, whole))
