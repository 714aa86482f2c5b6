"""Money is a whole number of minor units in one currency; it is never a float and never mixes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from talkingphoto.foundation import errors

# Stripe's own list (docs.stripe.com/currencies): the decimals belong to (currency, provider).
ZERO_DECIMAL = frozenset(
    {
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    }
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# Cards take twelve digits (docs.stripe.com/currencies, maximum amounts).
LARGEST_MINOR = 10**12 - 1
# ASCII digits within the precision of Decimal, so nothing is rounded on the way in.
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")


def exponent(currency: str) -> int:
    """Decimals that Stripe counts in one unit of the currency: 0, 2 or 3."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents for usd, whole yen for jpy) of a lower-case ISO currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.minor) is int, "money is a whole number of minor units"
        assert len(self.currency) == 3 and self.currency.isascii() and self.currency.islower(), (
            "a currency is three lower-case letters"
        )

    @classmethod
    def from_decimal(cls, amount: Decimal | str, currency: str) -> Money:
        """The exact amount in minor units; InvalidRequest when it has more decimals than money."""
        code = currency.lower()
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise errors.InvalidRequest("money.currency", "A currency is three letters, as in usd.")
        text = amount if isinstance(amount, str) else f"{amount:f}"
        if not _PLAIN_NUMBER.fullmatch(text):
            raise errors.InvalidRequest("money.amount", "An amount is a plain number.")
        minor = Decimal(text).scaleb(exponent(code))
        whole = int(minor)
        if minor != whole or abs(whole) > LARGEST_MINOR:
            raise errors.InvalidRequest(
                "money.amount", f"An amount in {code} has at most {exponent(code)} decimals."
            )
        return cls(whole, code)

    def decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def percent(self, rate: Decimal | int, *, rounding: Literal["half_up"] = "half_up") -> Money:
        """That many per cent of the amount, rounded to a minor unit away from zero at the half."""
        assert rounding == "half_up" and isinstance(rate, Decimal | int)
        share = (Decimal(self.minor) * Decimal(rate) / 100).quantize(
            Decimal(1), rounding=ROUND_HALF_UP
        )
        return Money(int(share), self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def times(self, count: int) -> Money:
        """The amount so many times."""
        assert type(count) is int
        return Money(self.minor * count, self.currency)

    def split(self, parts: int) -> tuple[Money, ...]:
        """That many shares that differ by one minor unit at most and add up to the amount."""
        assert parts > 0
        small, larger = divmod(self.minor, parts)
        return tuple(Money(small + (n < larger), self.currency) for n in range(parts))

    def _same(self, other: Money) -> Money:
        assert self.currency == other.currency, "currencies do not mix"
        return other
