"""How a sum of minor units is written for people."""

_WITHOUT_MINOR = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DIGITS = frozenset("bhd jod kwd omr tnd".split())
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "brl": "R$"}


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
