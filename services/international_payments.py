"""Amounts in the world's currencies, as Stripe takes them."""

from __future__ import annotations

from decimal import Decimal

from talkingphoto.billing import regions
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money


class InternationalPaymentService:
    """Converts, shows and checks amounts; every rule is dated data in billing.regions."""

    def supported_currencies(self) -> tuple[regions.Currency, ...]:
        """Every currency Stripe takes, with its decimals, step and minimum."""
        return regions.currencies()

    def to_minor(self, amount: Decimal | str | int | float, currency: str) -> int:
        """The exact number of minor units; InvalidRequest when the currency has no such amount."""
        return regions.amount(amount, currency).minor

    def from_minor(self, minor: int, currency: str) -> Decimal:
        """The exact number of units behind so many minor units."""
        return _money(minor, currency).decimal()

    def format_amount(self, minor: int, currency: str) -> str:
        """The amount as digits and code, such as `49.99 USD`, the same in every language."""
        return regions.text(_money(minor, currency))

    def minimum_charge(self, currency: str) -> Money | None:
        """The smallest payment; None where Stripe only converts it from the settlement currency."""
        return regions.currency(currency).minimum

    def check_amount(self, wanted: Money) -> None:
        """Returns when Stripe takes that amount; InvalidRequest says what is wrong with it."""
        regions.check_charge(wanted)


def _money(minor: object, currency: str) -> Money:
    rules = regions.currency(currency)
    if type(minor) is not int or abs(minor) > regions.LARGEST_CHARGE_MINOR:
        raise errors.InvalidRequest("money.minor", "Minor units are a whole number of cents.")
    return Money(minor, rules.code)


international_payment_service = InternationalPaymentService()
