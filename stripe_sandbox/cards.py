"""The test cards: which number is which card, and what ready-made name stands for it."""

import hashlib
from dataclasses import dataclass

from stripe_sandbox import refusals


@dataclass(frozen=True)
class Card:
    """A test card as printed; ``token`` is the part of its ready-made names that is its own."""

    number: str
    brand: str
    token: str
    behaviour: str = "pays"
    country: str = "US"
    funding: str = "credit"
    hint: str = ""
    secure: bool = True  # 3-D Secure can be asked for


def _check_digit(front: str) -> str:
    """The digit that makes the number pass the Luhn check."""
    digits = [int(digit) for digit in reversed(front)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::2]]
    return str(-(sum(digits[1::2]) + sum(doubled)) % 10)


def _own(front: str, brand: str, names: list[str]) -> tuple[Card, ...]:
    """Cards of this sandbox alone, numbered in the order of their names."""
    fronts = [f"{front}{number:05d}" for number in range(1, len(names) + 1)]
    return tuple(
        Card(first + _check_digit(first), brand, f"sandbox_{name}", name)
        for first, name in zip(fronts, names, strict=True)
    )


_BRANDS = (
    Card("4242424242424242", "visa", "visa", hint="Pays (Visa)"),
    Card("4000056655665556", "visa", "visa_debit", funding="debit", hint="Pays (Visa debit)"),
    Card("5555555555554444", "mastercard", "mastercard", hint="Pays (Mastercard)"),
    Card("2223003122003222", "mastercard", "mastercard_2series"),
    Card("5200828282828210", "mastercard", "mastercard_debit", funding="debit"),
    Card("5105105105105100", "mastercard", "mastercard_prepaid", funding="prepaid"),
    Card("378282246310005", "amex", "amex", secure=False),
    Card("371449635398431", "amex", "amex_second", secure=False),
    Card("6011111111111117", "discover", "discover"),
    Card("6011000990139424", "discover", "discover_second"),
    Card("6011981111111113", "discover", "discover_debit", funding="debit"),
    Card("3056930009020004", "diners", "diners"),
    Card("36227206271667", "diners", "diners_14digits"),
    Card("3566002020360505", "jcb", "jcb"),
    Card("6200000000000005", "unionpay", "unionpay"),
)
_COUNTRIES = (
    Card("4000000760000002", "visa", "br", country="BR", hint="Pays (Brazil)"),
    Card("4000003560000008", "visa", "in", country="IN", hint="Pays (India)"),
    Card("4000002760000016", "visa", "de", country="DE", hint="Pays (Germany)"),
    # Also printed for India and Germany; the second fails the Luhn check and is known by list.
    Card("4000000356000002", "visa", "in_printed", country="IN"),
    Card("4000000276000002", "visa", "de_printed", country="DE"),
    Card("4000001240000000", "visa", "ca", country="CA"),
    Card("4000004840008001", "visa", "mx", country="MX"),
    Card("4000000400000008", "visa", "at", country="AT"),
    Card("4000000560000004", "visa", "be", country="BE"),
    Card("4000002080000001", "visa", "dk", country="DK"),
    Card("4000002460000001", "visa", "fi", country="FI"),
    Card("4000002500000003", "visa", "fr", country="FR"),
    Card("4000003720000005", "visa", "ie", country="IE"),
    Card("4000003800000008", "visa", "it", country="IT"),
    Card("4000005280000002", "visa", "nl", country="NL"),
    Card("4000005780000007", "visa", "no", country="NO"),
    Card("4000006160000005", "visa", "pl", country="PL"),
    Card("4000006200000007", "visa", "pt", country="PT"),
    Card("4000007240000007", "visa", "es", country="ES"),
    Card("4000007520000008", "visa", "se", country="SE"),
    Card("4000007560000009", "visa", "ch", country="CH"),
    Card("4000008260000000", "visa", "gb", country="GB"),
    Card("4000000360000006", "visa", "au", country="AU"),
    Card("4000003920000003", "visa", "jp", country="JP"),
    Card("4000005540000008", "visa", "nz", country="NZ"),
    Card("4000007020000003", "visa", "sg", country="SG"),
)
_DECLINES = (
    Card("4000000000000002", "visa", "chargeDeclined", "declined", hint="Bank declines"),
    Card(
        "4000000000009995",
        "visa",
        "chargeDeclinedInsufficientFunds",
        "insufficient_funds",
        hint="Not enough money",
    ),
    Card("4000000000009987", "visa", "chargeDeclinedLostCard", "lost"),
    Card("4000000000009979", "visa", "chargeDeclinedStolenCard", "stolen"),
    Card("4000000000000069", "visa", "chargeDeclinedExpiredCard", "expired", hint="Expired card"),
    Card(
        "4000000000000127",
        "visa",
        "chargeDeclinedIncorrectCvc",
        "incorrect_cvc",
        hint="Wrong security code",
    ),
    Card(
        "4000000000000119",
        "visa",
        "chargeDeclinedProcessingError",
        "processing_error",
        hint="Processing error",
    ),
    Card("4000000000006975", "visa", "chargeDeclinedVelocityLimitExceeded", "velocity"),
    Card(
        "4000000000000341",
        "visa",
        "chargeCustomerFail",
        "attaches_then_fails",
        hint="Can be saved, not charged",
    ),
    Card("4100000000000019", "visa", "radarBlock", "blocked"),
    Card("4000000000004954", "visa", "riskLevelHighest", "blocked"),
    Card("4000000000009235", "visa", "riskLevelElevated", "risky"),
    Card("4000000000000101", "visa", "cvcCheckFail", "cvc_fails"),
    Card("4000000000000036", "visa", "avsZipFail", "zip_fails"),
    Card("4000000000000028", "visa", "avsLine1Fail", "line1_fails"),
    Card("4000000000000010", "visa", "avsFail", "address_fails"),
    Card("4000000000000044", "visa", "avsUnchecked", "address_unchecked"),
)
_ASKING = (
    Card(
        "4000002500003155",
        "visa",
        "authenticationRequiredOnSetup",
        "asks_until_set_up",
        hint="Bank asks to confirm",
    ),
    Card("4000002760003184", "visa", "authenticationRequired", "asks_always"),
    Card(
        "4000003800000446",
        "visa",
        "authenticationRequiredSetupForOffSession",
        "asks_in_session",
    ),
    Card(
        "4000008260003178",
        "visa",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "asks_then_insufficient_funds",
    ),
    Card(
        "4000000000003220",
        "visa",
        "threeDSecure2Required",
        "asks_always",
        hint="Bank always asks to confirm",
    ),
    Card("4000008400001629", "visa", "threeDSecureRequiredChargeDeclined", "asks_then_declined"),
    Card("4000008400001280", "visa", "threeDSecureRequiredProcessingError", "cannot_ask"),
    Card("4000000000003055", "visa", "threeDSecureOptional", "asks_when_told"),
    Card("4000000000003097", "visa", "threeDSecureOptionalProcessingError", "pays"),
)
_AFTERWARDS = (
    Card("4000000000000259", "visa", "createDispute", "disputed", hint="Pays, then is disputed"),
    Card(
        "4000000000002685",
        "visa",
        "createDisputeProductNotReceived",
        "not_received",
        hint="Pays, then is disputed as not received",
    ),
    Card("4000000000001976", "visa", "createDisputeInquiry", "inquired"),
    Card("4000000404000079", "visa", "createMultipleDisputes", "disputed_twice"),
    Card("4000000000005423", "visa", "createIssuerFraudRecord", "warned"),
    Card("4000000000007726", "visa", "pendingRefund", "refunds_later"),
    Card("4000000000005126", "visa", "refundFail", "refund_fails"),
    Card("4000000000000077", "visa", "bypassPending", "available_at_once"),
    Card("4000003720000278", "visa", "bypassPendingInternational", "available_at_once", "IE"),
)
CARDS = (
    *_BRANDS,
    *_COUNTRIES,
    *_DECLINES,
    *_ASKING,
    *_AFTERWARDS,
    *_own("4000990000", "visa", list(refusals.OWN)),
    *_own("5555990000", "mastercard", list(refusals.OWN_MASTERCARD)),
)
_BY_NUMBER = {card.number: card for card in CARDS}
_BY_NAME = {card.token: card for card in CARDS}
# Stripe writes some of these names with the brand and some without.
_BY_NAME |= {f"{card.brand}_{card.token}": card for card in CARDS}
_BY_NAME["amex_threeDSecureNotSupported"] = _BY_NAME["amex"]


def by_number(number: str) -> Card | None:
    """The test card with this number, or None."""
    return _BY_NUMBER.get(number)


def by_token(token: str) -> Card | None:
    """The test card a ready-made name stands for: ``pm_card_visa``, ``tok_visa``; or None."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            return _BY_NAME.get(token.removeprefix(prefix))
    return None


def by_name(name: str) -> Card:
    """The test card whose own name this is."""
    return _BY_NAME[name]


def fingerprint(number: str) -> str:
    """Equal for the same number, and no way back to it: the number itself is never kept."""
    return hashlib.sha256(f"sandbox card {number}".encode()).hexdigest()[:16]


def looks_whole(number: str) -> bool:
    """True for a number that is on the list or passes the Luhn check."""
    if number in _BY_NUMBER:
        return True
    if not (12 <= len(number) <= 19 and number.isascii() and number.isdigit()):
        return False
    return _check_digit(number[:-1]) == number[-1]
