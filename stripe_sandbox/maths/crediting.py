"""How much of an invoice line's discounts and taxes goes back with a part of the line."""

from fractions import Fraction

from stripe_sandbox.maths import shares


def back(whole: int, *, of: int, until: int, given: int = 0) -> int:
    """What of the whole is still to be given back when ``until`` of ``of`` units have been.

    The whole is a line's discount or tax, ``of`` the line's sum, ``until`` what of the sum has
    been credited with this note included, and ``given`` what earlier notes gave back of the whole.
    So the parts of a line credited bit by bit add up to the line's own discount and tax.
    """
    if of == 0:
        return 0
    return shares.rounded(Fraction(whole * until, of)) - given
