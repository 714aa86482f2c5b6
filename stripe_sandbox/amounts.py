"""Sums of minor units: how they are written for people, and which can be charged."""

from stripe_sandbox.api import errors

_WITHOUT_MINOR = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DIGITS = frozenset("bhd jod kwd omr tnd".split())
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "brl": "R$"}
# The smallest charge, in minor units, of the currencies for which Stripe names one.
_SMALLEST = {
    **dict.fromkeys("usd ars aud brl cad chf cop eur idr ils inr nzd php rub sgd zar".split(), 50),
    "aed": 200,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "jpy": 50,
    "krw": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}
_LARGEST = 99_999_999
_LARGER = {"idr": 999_999_999_999, "cop": 9_999_999_999, "inr": 999_999_999}
# Counted in hundredths by Stripe, and yet without parts.
_WHOLE_ONLY = frozenset({"isk", "ugx"})


def exponent(currency: str) -> int:
    """The number of digits after the point that Stripe counts in for this currency."""
    if currency in _WITHOUT_MINOR:
        return 0
    return 3 if currency in _THREE_DIGITS else 2


def written(amount: int, currency: str) -> str:
    """The sum as a person reads it: ``$1,999.99``, ``¥500``, ``12.00 CHF``."""
    digits = exponent(currency)
    whole, part = divmod(abs(amount), 10**digits)
    number = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
    minus = "-" if amount < 0 else ""
    sign = _SIGNS.get(currency)
    return f"{minus}{sign}{number}" if sign else f"{minus}{number} {currency.upper()}"


def smallest(currency: str) -> int:
    """The smallest sum that can be charged in this currency."""
    return _SMALLEST.get(currency, 1)


def check(amount: int, currency: str, param: str = "amount") -> None:
    """The sum can be charged; else Stripe's refusal says which bound it breaks."""
    least = smallest(currency)
    if amount < least:
        raise errors.invalid(
            f"Amount must be at least {written(least, currency)} {currency}",
            code="amount_too_small",
            param=param,
        )
    most = _LARGER.get(currency, _LARGEST)
    if amount > most:
        raise errors.invalid(
            f"Amount must be no more than {written(most, currency)}",
            code="amount_too_large",
            param=param,
        )
    step = 100 if currency in _WHOLE_ONLY else 10 if currency in _THREE_DIGITS else 1
    if amount % step:
        raise errors.invalid(
            f"Invalid amount: {currency} is charged in steps of {step}", param=param
        )
