"""Why a bank said no: what the customer is told, and whether asking again makes sense.

Codes and classes follow docs.stripe.com/declines/codes and Stripe's list of non-retryable codes;
network advice is Mastercard's merchant advice code. The network is trusted over Stripe's advice,
and that over the decline code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

DeclineClass = Literal["A", "B", "C", "D", "E", "F", "G", "H"]
Source = Literal["network_advice_code", "advice_code", "decline_code", "default"]

# The one sentence for lost, stolen and suspected cards too: it must not tell them apart.
NEUTRAL = "Your bank declined this card. Nothing was charged. Try another card, or call your bank."

_CHECK_NUMBER = (
    "This card number is not right. Nothing was charged. Check the number, or use another card."
)
_CHECK_CODE = (
    "The security code is not right. Nothing was charged. "
    "Check the three or four digits on the card and try again."
)
_CHECK_EXPIRY = (
    "The expiry date is not right. Nothing was charged. Check the date on the card and try again."
)
_LIMIT = (
    "This card has reached its limit for now. Nothing was charged. "
    "Try again later, or use another card."
)
_FUNDS = (
    "Your bank said there was not enough money on this card. Nothing was charged. "
    "Try again later, or use another card."
)
_TECHNICAL = (
    "Your bank could not be reached. Nothing was charged. "
    "Try again in a few minutes, or use another card."
)

_CLASS_OF: dict[str, DeclineClass] = {
    "incorrect_number": "A",
    "lost_card": "A",
    "stolen_card": "A",
    "pickup_card": "A",
    "revocation_of_authorization": "A",
    "revocation_of_all_authorizations": "A",
    "authentication_required": "A",
    "highest_risk_level": "A",
    "transaction_not_allowed": "A",
    "expired_card": "B",
    "invalid_account": "B",
    "invalid_number": "B",
    "invalid_cvc": "B",
    "incorrect_cvc": "B",
    "invalid_expiry_month": "B",
    "invalid_expiry_year": "B",
    "new_account_information_available": "B",
    "card_not_supported": "B",
    "currency_not_supported": "B",
    "stop_payment_order": "C",
    "fraudulent": "C",
    "merchant_blacklist": "C",
    "restricted_card": "C",
    "security_violation": "C",
    "service_not_allowed": "C",
    "not_permitted": "C",
    "insufficient_funds": "D",
    "partner_insufficient_funds": "D",
    "card_velocity_exceeded": "D",
    "withdrawal_count_limit_exceeded": "D",
    "do_not_honor": "E",
    "generic_decline": "E",
    "no_action_taken": "E",
    "call_issuer": "E",
    "card_declined": "E",
    "processing_error": "F",
    "issuer_not_available": "F",
    "try_again_later": "F",
    "reenter_transaction": "F",
    "approve_with_id": "F",
    "duplicate_transaction": "F",
    "previously_declined_do_not_retry": "G",
    "invalid_pin": "H",
    "pin_try_exceeded": "H",
    "offline_pin_required": "H",
}

# A code that is not here gets the neutral sentence.
_SENTENCE_OF = {
    "incorrect_number": _CHECK_NUMBER,
    "authentication_required": (
        "Your bank asks you to confirm this payment. Nothing was charged. "
        "Confirming takes a minute."
    ),
    # Our own risk check said no: the bank knows nothing of it.
    "highest_risk_level": (
        "This card could not be accepted. Nothing was charged. Try another card, or write to us."
    ),
    "transaction_not_allowed": (
        "This card cannot be used for this kind of payment. Nothing was charged. "
        "Use another card, or call your bank."
    ),
    "expired_card": "This card has expired. Nothing was charged. Use another card.",
    "invalid_account": (
        "Your bank has no open account for this card. Nothing was charged. "
        "Use another card, or call your bank."
    ),
    "invalid_number": _CHECK_NUMBER,
    "invalid_cvc": _CHECK_CODE,
    "incorrect_cvc": _CHECK_CODE,
    "invalid_expiry_month": _CHECK_EXPIRY,
    "invalid_expiry_year": _CHECK_EXPIRY,
    "new_account_information_available": (
        "Your bank has new details for this card. Nothing was charged. "
        "Enter the card again, or use another one."
    ),
    "card_not_supported": (
        "This card cannot be used for this kind of payment. Nothing was charged. Use another card."
    ),
    "currency_not_supported": (
        "This card cannot pay in this currency. Nothing was charged. Use another card."
    ),
    "insufficient_funds": _FUNDS,
    "partner_insufficient_funds": _FUNDS,
    "card_velocity_exceeded": _LIMIT,
    "withdrawal_count_limit_exceeded": _LIMIT,
    "processing_error": (
        "The payment could not be processed. Nothing was charged. "
        "Try again in a few minutes, or use another card."
    ),
    "issuer_not_available": _TECHNICAL,
    "try_again_later": _TECHNICAL,
    "reenter_transaction": _TECHNICAL,
    "approve_with_id": _TECHNICAL,
    "duplicate_transaction": (
        "A payment of the same amount was made with this card a moment ago. "
        "Nothing was charged again. Look at your account before you try once more."
    ),
    "previously_declined_do_not_retry": (
        "Your bank declined this card before. Nothing was charged. "
        "Use another card, or try this one again in three days."
    ),
    "invalid_pin": (
        "The PIN is not right. Nothing was charged. Use another card, or call your bank."
    ),
    "pin_try_exceeded": (
        "This card is locked after too many PIN entries. Nothing was charged. "
        "Use another card, or call your bank."
    ),
    "offline_pin_required": (
        "This card works only with its PIN in a terminal. Nothing was charged. Use another card."
    ),
}

# Whatever else is advised: the bank cannot help with the one and waits for the other.
_ALWAYS_SAID = frozenset({"highest_risk_level", "authentication_required"})

# None: never again with this card as it is. The later tries belong to the retry schedule.
_FIRST_RETRY: dict[DeclineClass, timedelta | None] = {
    "A": None,
    "B": None,
    "C": None,
    "D": timedelta(days=3),
    "E": timedelta(days=2),
    "F": timedelta(hours=1),
    "G": timedelta(days=3),
    "H": None,
}


@dataclass(frozen=True)
class _Advice:
    """What an advice allows: a decline code in `agrees` keeps its own, finer class."""

    agrees: frozenset[DeclineClass]
    otherwise: DeclineClass
    wait: timedelta | None = None


_LATER: frozenset[DeclineClass] = frozenset({"D", "E", "F", "G"})
_NEVER: frozenset[DeclineClass] = frozenset({"A", "B", "C", "H"})
_ADVICE = {
    "confirm_card_data": _Advice(frozenset({"B"}), "B"),
    "do_not_try_again": _Advice(_NEVER, "A"),
    "try_again_later": _Advice(_LATER, "E"),
}
_NETWORK_ADVICE = {
    "01": _Advice(frozenset({"B"}), "B"),
    "02": _Advice(_LATER, "E", timedelta(hours=72)),
    "03": _Advice(_NEVER, "A"),
    "21": _Advice(frozenset({"C"}), "C"),
    "24": _Advice(_LATER, "E", timedelta(hours=1)),
    "25": _Advice(_LATER, "E", timedelta(hours=24)),
    "26": _Advice(_LATER, "E", timedelta(days=2)),
    "27": _Advice(_LATER, "E", timedelta(days=4)),
    "28": _Advice(_LATER, "E", timedelta(days=6)),
    "29": _Advice(_LATER, "E", timedelta(days=8)),
    "30": _Advice(_LATER, "E", timedelta(days=10)),
}


@dataclass(frozen=True)
class DeclineAdvice:
    """What one decline means for the customer and for us."""

    decline_class: DeclineClass
    sentence: str
    customer_must_act: bool
    worth_retrying: bool
    # How long to leave the same card alone; None when it is not worth retrying.
    wait: timedelta | None
    # An equal payment may have gone through: look for it before any retry.
    check_first: bool
    decided_by: Source


def explain(
    decline_code: str | None,
    *,
    advice_code: str | None = None,
    network_advice_code: str | None = None,
) -> DeclineAdvice:
    """What the most trusted code that we understand says; an unknown decline is class E."""
    code = _normal(decline_code)
    own = _CLASS_OF.get(code, "E")
    advice, source = _decider(code, _normal(advice_code), _normal(network_advice_code))
    decided = own if advice is None or own in advice.agrees else advice.otherwise
    wait = _FIRST_RETRY[decided]
    if advice and advice.wait:
        wait = advice.wait
    return DeclineAdvice(
        decline_class=decided,
        sentence=_sentence(code, own=own, wait=wait),
        customer_must_act=wait is None,
        worth_retrying=wait is not None,
        wait=wait,
        check_first=code == "duplicate_transaction",
        decided_by=source,
    )


def reason(decline_code: str | None, *, card: str = "") -> str:
    """Why the bank said no, in one sentence that names the card, if it is known.

    Without the advice of the checkout page: here nobody has a card in hand."""
    sentence = explain(decline_code).sentence.partition(" Nothing was charged")[0]
    if not card:
        return sentence
    return sentence.replace("This card", card).replace("this card", card)


def _normal(code: str | None) -> str:
    return code.strip().lower() if code else ""


def _decider(code: str, advice_code: str, network: str) -> tuple[_Advice | None, Source]:
    # Some gateways drop the leading zero of the two digits.
    if found := _NETWORK_ADVICE.get(network.zfill(2)):
        return found, "network_advice_code"
    if found := _ADVICE.get(advice_code):
        return found, "advice_code"
    return None, "decline_code" if code in _CLASS_OF else "default"


def _sentence(code: str, *, own: DeclineClass, wait: timedelta | None) -> str:
    """The code's own words while they promise no more than was decided, else the neutral ones."""
    if code in _ALWAYS_SAID or _keeps_promise(own, wait):
        return _SENTENCE_OF.get(code, NEUTRAL)
    return NEUTRAL


def _keeps_promise(own: DeclineClass, wait: timedelta | None) -> bool:
    promised = _FIRST_RETRY[own]
    if promised is None or wait is None:
        return promised == wait
    # Funds are said to come "later", which is any time; the others say when.
    return own == "D" or wait <= promised
