"""Currencies as Stripe takes them: decimals, steps and limits, as dated data.

Source of every table: docs.stripe.com/currencies (presentment currencies, minor units, special
cases, minimum and maximum amounts) as gathered on AS_OF. Two places of that page disagree about
UGX; its special case rules.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from talkingphoto.foundation import errors, money
from talkingphoto.foundation.money import Money

AS_OF = date(2026, 11, 22)

_PRESENTMENT = frozenset(
    """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bif bmd bnd bob brl bsd bwp byn bzd cad
    cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd
    hkd hnl htg huf idr ils inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr lrd lsl mad mdl
    mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln pyg
    qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah
    ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
    """.split()
)
# Sent with two decimals for the sake of old integrations, but there is no such coin.
_WHOLE_UNITS = frozenset({"isk", "ugx"})
# Charged with two decimals; a payout must be of whole units.
_WHOLE_PAYOUTS = frozenset({"huf", "twd"})
_MINIMUM = {
    **dict.fromkeys(
        "usd ars aud brl cad chf cop eur idr ils inr nzd php rub sgd zar".split(), "0.50"
    ),
    **{"aed": "2", "czk": "15", "dkk": "2.50", "gbp": "0.30", "hkd": "4", "huf": "175"},
    **{"jpy": "50", "krw": "50", "mxn": "10", "myr": "2", "nok": "3", "pln": "2"},
    **{"ron": "2", "sek": "3", "thb": "10"},
}
# Cards take twelve digits in any currency.
LARGEST_CHARGE_MINOR = 999_999_999_999
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?")
_LARGEST_EXPONENT = 12


@dataclass(frozen=True)
class Currency:
    """How Stripe counts one currency."""

    code: str
    exponent: int
    step_minor: int
    payout_step_minor: int
    minimum: Money | None
    # Three-decimal currencies are left out of the general list: Stripe opens them per account.
    needs_account_support: bool


def currency(code: object) -> Currency:
    """That currency's rules, upper or lower case; InvalidRequest when Stripe does not take it."""
    found = _CURRENCIES.get(code.lower()) if isinstance(code, str) else None
    if found is None:
        raise errors.InvalidRequest(
            "money.currency", "This is not a currency we take. Use a code such as usd or eur."
        )
    return found


def currencies() -> tuple[Currency, ...]:
    """Every currency Stripe takes, by code."""
    return tuple(_CURRENCIES.values())


def amount(value: object, code: object) -> Money:
    """Exactly that many units of the currency; a float counts as the number it is printed as."""
    rules = currency(code)
    number = _number(value)
    if number.adjusted() > _LARGEST_EXPONENT:
        raise _too_large()
    minor = number.scaleb(rules.exponent)
    whole = int(minor)
    if abs(whole) > LARGEST_CHARGE_MINOR:
        raise _too_large()
    has_fraction = rules.code in _WHOLE_UNITS and whole % rules.step_minor
    if minor != whole or has_fraction:
        decimals = 0 if rules.code in _WHOLE_UNITS else rules.exponent
        raise errors.InvalidRequest(
            "money.decimals", f"An amount in {rules.code.upper()} has at most {decimals} decimals."
        )
    return Money(whole, rules.code)


def check_charge(wanted: Money) -> None:
    """Returns when Stripe takes a card payment of that amount; InvalidRequest says what to send."""
    rules = currency(wanted.currency)
    least = rules.minimum or Money(rules.step_minor, rules.code)
    if wanted.minor < least.minor:
        raise errors.InvalidRequest(
            "money.below_minimum", f"The smallest payment is {text(least)}. Nothing was charged."
        )
    if wanted.minor > LARGEST_CHARGE_MINOR:
        raise _too_large()
    if wanted.minor % rules.step_minor:
        raise errors.InvalidRequest(
            "money.step",
            f"A payment in {rules.code.upper()} is a multiple of "
            f"{text(Money(rules.step_minor, rules.code))}. Round the amount.",
        )


def text(shown: Money) -> str:
    """The amount as digits and code (`49.99 USD`), the same in every language."""
    decimals = 0 if shown.currency in _WHOLE_UNITS else money.exponent(shown.currency)
    exact = shown.decimal()
    # A fraction that should not exist is shown rather than hidden by rounding.
    rounded = exact.quantize(Decimal(1).scaleb(-decimals))
    return f"{rounded if rounded == exact else exact:f} {shown.currency.upper()}"


def _number(value: object) -> Decimal:
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, Decimal) and value.is_finite() and _is_short(value):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return Decimal(str(value))
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > LARGEST_CHARGE_MINOR:
            raise _too_large()
        return Decimal(value)
    raise errors.InvalidRequest("money.amount", "An amount is a plain number such as 49.99.")


def _is_short(value: Decimal) -> bool:
    # More digits than the arithmetic keeps would be rounded instead of refused.
    return len(value.as_tuple().digits) <= 24


def _too_large() -> errors.InvalidRequest:
    return errors.InvalidRequest(
        "money.too_large", "The amount has more digits than a card payment can have."
    )


def _step(code: str) -> int:
    if code in _WHOLE_UNITS:
        return 100
    # The partners behind Stripe count to the hundredth: the last digit must be 0.
    return 10 if code in money.THREE_DECIMAL else 1


def _rules(code: str) -> Currency:
    least = _MINIMUM.get(code)
    return Currency(
        code=code,
        exponent=money.exponent(code),
        step_minor=_step(code),
        payout_step_minor=100 if code in _WHOLE_PAYOUTS else _step(code),
        minimum=Money.from_decimal(least, code) if least else None,
        needs_account_support=code in money.THREE_DECIMAL,
    )


_CURRENCIES = {code: _rules(code) for code in sorted(_PRESENTMENT | money.THREE_DECIMAL)}
