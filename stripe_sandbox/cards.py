"""The test cards: what each number is, and what the bank says to it."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A bank's no: Stripe's codes and message, and the field and words a payer sees."""

    code: str
    decline_code: str | None
    message: str
    title: str
    advice: str
    field: str = "number"


@dataclass(frozen=True)
class Behaviour:
    """What a card does: its refusal if any, when that comes, and when the bank wants its owner."""

    refusal: Refusal | None = None
    refused_at_attach: bool = True
    authenticate: str = "never"  # or "first": until set up, or "always"


@dataclass(frozen=True)
class Card:
    """A test card as printed; ``token`` is the ready-made payment method that stands for it."""

    number: str
    brand: str
    token: str
    behaviour: str = "pays"
    country: str = "US"
    funding: str = "credit"
    hint: str = ""


_NOTHING = "Nothing was charged. "
_DECLINED = Refusal(
    "card_declined",
    "generic_decline",
    "Your card was declined.",
    "Your bank declined this card.",
    _NOTHING + "Try another card, or call your bank.",
)
BEHAVIOURS = {
    "pays": Behaviour(),
    "declined": Behaviour(_DECLINED),
    "insufficient_funds": Behaviour(
        Refusal(
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
            "There is not enough money on this card.",
            _NOTHING + "Try another card.",
        )
    ),
    "expired": Behaviour(
        Refusal(
            "expired_card",
            None,
            "Your card has expired.",
            "This card has expired.",
            _NOTHING + "Check the date, or try another card.",
            "expiry",
        )
    ),
    "incorrect_cvc": Behaviour(
        Refusal(
            "incorrect_cvc",
            None,
            "Your card's security code is incorrect.",
            "The security code is not right.",
            _NOTHING + "Check the digits on the card and type them again.",
            "cvc",
        )
    ),
    "processing_error": Behaviour(
        Refusal(
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
            "The bank could not process this card just now.",
            _NOTHING + "Try again in a minute, or use another card.",
        )
    ),
    "attaches_then_fails": Behaviour(
        Refusal(
            "card_declined",
            "generic_decline",
            "Your card was declined.",
            "This card can be saved but not charged.",
            _NOTHING + "Try another card.",
        ),
        refused_at_attach=False,
    ),
    "asks_until_set_up": Behaviour(authenticate="first"),
    "asks_always": Behaviour(authenticate="always"),
    "disputed": Behaviour(
        Refusal(
            "card_declined",
            "transaction_not_allowed",
            "The sandbox does not serve disputes yet, so the dispute card cannot pay.",
            "The dispute card cannot pay here.",
            _NOTHING + "This sandbox does not serve disputes yet. Use another test card.",
        )
    ),
}
AUTHENTICATION_REQUIRED = Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "Your bank could not confirm that it was you.",
    _NOTHING + "Try again, or use another card.",
)
NOT_A_TEST_CARD = Refusal(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
    "This is not a test card.",
    "Only the test cards listed below work here. Never type a real card number into a sandbox.",
)

CARDS = (
    Card("4242424242424242", "visa", "visa", hint="Pays (Visa)"),
    Card("4000056655665556", "visa", "visa_debit", funding="debit", hint="Pays (Visa debit)"),
    Card("5555555555554444", "mastercard", "mastercard", hint="Pays (Mastercard)"),
    Card("5200828282828210", "mastercard", "mastercard_debit", funding="debit"),
    Card("378282246310005", "amex", "amex"),
    Card("6011111111111117", "discover", "discover"),
    Card("3056930009020004", "diners", "diners"),
    Card("3566002020360505", "jcb", "jcb"),
    Card("6200000000000005", "unionpay", "unionpay"),
    Card("4000000760000002", "visa", "br", country="BR", hint="Pays (Brazil)"),
    Card("4000003560000008", "visa", "in", country="IN", hint="Pays (India)"),
    Card("4000002760000016", "visa", "de", country="DE", hint="Pays (Germany)"),
    # Also printed for India and Germany; the second fails the Luhn check and is known by list.
    Card("4000000356000002", "visa", "in_printed", country="IN"),
    Card("4000000276000002", "visa", "de_printed", country="DE"),
    Card("4000000000000002", "visa", "chargeDeclined", "declined", hint="Bank declines"),
    Card(
        "4000000000009995",
        "visa",
        "chargeDeclinedInsufficientFunds",
        "insufficient_funds",
        hint="Not enough money",
    ),
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
    Card(
        "4000000000000341",
        "visa",
        "chargeCustomerFail",
        "attaches_then_fails",
        hint="Can be saved, not charged",
    ),
    Card(
        "4000002500003155",
        "visa",
        "authenticationRequiredOnSetup",
        "asks_until_set_up",
        hint="Bank asks to confirm",
    ),
    Card(
        "4000000000003220",
        "visa",
        "threeDSecure2Required",
        "asks_always",
        hint="Bank always asks to confirm",
    ),
    Card("4000000000000259", "visa", "createDispute", "disputed"),
)
_BY_NUMBER = {card.number: card for card in CARDS}
# Stripe writes some of these names with the brand and some without.
_BY_TOKEN = {
    name: card for card in CARDS for name in (f"pm_card_{card.token}", f"pm_card_visa_{card.token}")
}


def by_number(number: str) -> Card | None:
    """The test card with this number, or None."""
    return _BY_NUMBER.get(number)


def by_token(token: str) -> Card | None:
    """The test card a ready-made payment method such as ``pm_card_visa`` stands for, or None."""
    return _BY_TOKEN.get(token)


def fingerprint(number: str) -> str:
    """Equal for the same number, and no way back to it: the number itself is never kept."""
    return hashlib.sha256(f"sandbox card {number}".encode()).hexdigest()[:16]


def looks_whole(number: str) -> bool:
    """True for a number that is on the list or passes the Luhn check."""
    if number in _BY_NUMBER:
        return True
    if not (12 <= len(number) <= 19 and number.isascii() and number.isdigit()):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
