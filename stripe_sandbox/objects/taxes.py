"""The taxes of a line, as invoices, credit notes and Checkout Sessions print them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.maths import taxing
from stripe_sandbox.objects import tax_rates

BY_HAND = "not_available"


@dataclass(frozen=True)
class Levy:
    """One tax that applies to a line: a stored tax rate, and Stripe's word for why."""

    rate: Json
    reason: str = BY_HAND

    @property
    def is_none(self) -> bool:
        """True if the levy only says why there is nothing to pay."""
        return self.reason not in (BY_HAND, "standard_rated")


def manual(rates: Iterable[Json]) -> tuple[Levy, ...]:
    """The levies of tax rates somebody chose."""
    return tuple(Levy(rate) for rate in rates)


def of_line(amount: int, levies: Sequence[Levy]) -> list[Json]:
    """What the levies come to on a line's sum after discounts, in the shape of its ``taxes``."""
    rates = [
        taxing.Rate(tax_rates.percentage_of(levy.rate), levy.rate["inclusive"]) for levy in levies
    ]
    return [
        {
            "amount": tax.amount,
            "tax_behavior": "inclusive" if levy.rate["inclusive"] else "exclusive",
            "tax_rate_details": {"tax_rate": levy.rate["id"]},
            "taxability_reason": levy.reason,
            "taxable_amount": 0 if levy.is_none else tax.taxable_amount,
            "type": "tax_rate_details",
        }
        for levy, tax in zip(levies, taxing.of_line(amount, rates), strict=True)
    ]


def total(per_line: Iterable[Sequence[Json]]) -> list[Json]:
    """The taxes of all lines added up by rate and reason, in the shape of ``total_taxes``."""
    sums: dict[tuple[str, str], Json] = {}
    for line in per_line:
        for tax in line:
            key = (tax["tax_rate_details"]["tax_rate"], tax["taxability_reason"])
            if key in sums:
                sums[key]["amount"] += tax["amount"]
                sums[key]["taxable_amount"] += tax["taxable_amount"]
            else:
                sums[key] = dict(tax)
    return list(sums.values())


def on_top(taxes: Iterable[Json]) -> int:
    """What the taxes add to the price."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def inside(taxes: Iterable[Json]) -> int:
    """What of the price is tax."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
