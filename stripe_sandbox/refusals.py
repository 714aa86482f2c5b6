"""What a bank says when it says no: Stripe's codes, and the words a payer reads."""

from dataclasses import dataclass

_NOTHING = "Nothing was charged. "
_OTHER_CARD = _NOTHING + "Try another card."
_CALL = _NOTHING + "Try another card, or call your bank."
_LATER = "try_again_later"
_NEVER = "do_not_try_again"
_CHECK = "confirm_card_data"


@dataclass(frozen=True)
class Refusal:
    """A bank's no: Stripe's codes and message, and the field and words a payer sees.

    ``blocked`` is a no of fraud prevention: the bank was never asked.
    """

    code: str
    decline_code: str | None
    message: str
    title: str
    advice: str
    field: str = "number"
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    blocked: bool = False
    kind: str = "card_error"


def _declined(
    decline_code: str, title: str, network: str | None, advice_code: str | None = _LATER
) -> Refusal:
    return Refusal(
        "card_declined",
        decline_code,
        "Your card was declined.",
        title,
        _CALL,
        advice_code=advice_code,
        network_decline_code=network,
    )


GENERIC = _declined("generic_decline", "Your bank declined this card.", "05")
INSUFFICIENT_FUNDS = Refusal(
    "card_declined",
    "insufficient_funds",
    "Your card has insufficient funds.",
    "There is not enough money on this card.",
    _OTHER_CARD,
    advice_code=_LATER,
    network_decline_code="51",
)
LOST = _declined("lost_card", "Your bank does not accept this card any more.", "41", _NEVER)
STOLEN = _declined("stolen_card", "Your bank does not accept this card.", "43", _NEVER)
VELOCITY = _declined(
    "card_velocity_exceeded", "This card has reached the limit your bank set.", "61"
)
EXPIRED = Refusal(
    "expired_card",
    None,
    "Your card has expired.",
    "This card has expired.",
    _NOTHING + "Check the date, or try another card.",
    "expiry",
    advice_code=_CHECK,
    network_decline_code="54",
)
INCORRECT_CVC = Refusal(
    "incorrect_cvc",
    None,
    "Your card's security code is incorrect.",
    "The security code is not right.",
    _NOTHING + "Check the digits on the card and type them again.",
    "cvc",
    advice_code=_CHECK,
    network_decline_code="N7",
)
PROCESSING_ERROR = Refusal(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
    "The bank could not process this card just now.",
    _NOTHING + "Try again in a minute, or use another card.",
    advice_code=_LATER,
    network_decline_code="96",
)
ONLY_SAVED = Refusal(
    "card_declined",
    "generic_decline",
    "Your card was declined.",
    "This card can be saved but not charged.",
    _OTHER_CARD,
    advice_code=_LATER,
    network_decline_code="05",
)
AFTER_CONFIRMING = _declined(
    "generic_decline", "Your bank declined this card after you confirmed.", "05"
)
NOT_LOOKED_UP = _declined("generic_decline", "Your bank could not be asked to confirm.", "05")
CONFIRMED_WITHOUT_FUNDS = Refusal(
    "card_declined",
    "insufficient_funds",
    "Your card has insufficient funds.",
    "You confirmed, but there is not enough money on this card.",
    _OTHER_CARD,
    advice_code=_LATER,
    network_decline_code="51",
)
BLOCKED = Refusal(
    "card_declined",
    "fraudulent",
    "Your card was declined.",
    "This payment was not accepted.",
    _OTHER_CARD,
    advice_code=_NEVER,
    blocked=True,
)
AUTHENTICATION_REQUIRED = Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "Your bank could not confirm that it was you.",
    _NOTHING + "Try again, or use another card.",
    network_decline_code="1A",
)
NOT_AUTHENTICATED = Refusal(
    "payment_intent_authentication_failure",
    None,
    "The provided PaymentMethod has failed authentication. You can provide a new PaymentMethod to "
    "attempt to fulfill this PaymentIntent again.",
    "You did not confirm this payment with your bank.",
    _NOTHING + "Try again, or use another card.",
    kind="invalid_request_error",
)
NOT_SET_UP = Refusal(
    "setup_intent_authentication_failure",
    None,
    "The latest attempt to set up the payment method has failed because authentication failed.",
    "You did not confirm this card with your bank.",
    "The card was not saved. Try again, or use another card.",
    kind="invalid_request_error",
)
NOT_A_TEST_CARD = Refusal(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
    "This is not a test card.",
    "Only the test cards listed below work here. Never type a real card number into a sandbox.",
)


def _debit(code: str, message: str, title: str, network: str | None = None) -> Refusal:
    return Refusal(
        code,
        None,
        message,
        title,
        "Nothing was taken. Pay another way.",
        network_decline_code=network,
        kind="invalid_request_error",
    )


DEBITS = {
    "account_closed": _debit(
        "account_closed",
        "The customer's bank account has been closed.",
        "This bank account is closed.",
        "R02",
    ),
    "no_account": _debit(
        "no_account",
        "The bank account could not be located.",
        "There is no such bank account.",
        "R03",
    ),
    "bank_insufficient_funds": _debit(
        "insufficient_funds",
        "The customer's account has insufficient funds to cover this payment.",
        "There is not enough money on this account.",
        "R01",
    ),
    "debit_not_authorized": _debit(
        "debit_not_authorized",
        "The customer has notified their bank that this payment was unauthorized.",
        "The owner of this account did not allow the debit.",
        "R10",
    ),
    "invalid_currency": _debit(
        "invalid_currency",
        "The bank was unable to process this payment because of its currency.",
        "This account cannot pay in this currency.",
    ),
    "over_source_limit": _debit(
        "charge_exceeds_source_limit",
        "The payment exceeds the weekly volume limit of this account.",
        "This account has paid as much as it may this week.",
    ),
    "over_weekly_limit": _debit(
        "charge_exceeds_weekly_limit",
        "The payment exceeds the weekly number of payments of this account.",
        "This account has paid as often as it may this week.",
    ),
    "debit_fails": _debit(
        "payment_intent_payment_attempt_failed",
        "The payment failed.",
        "The bank refused the debit.",
    ),
}
DEBIT_CANCELED = _debit(
    "payment_intent_canceled", "The debit was canceled.", "This debit was canceled."
)

# Of the sandbox alone: each decline code under its own name, for who writes retries. In a row the
# decline code, what the network says, Stripe's advice; the error's code is the same as the decline
# code where Stripe has one of that name.
_CODES: tuple[tuple[str, str | None, str | None], ...] = (
    ("approve_with_id", "60", _LATER),
    ("call_issuer", "01", _LATER),
    ("card_not_supported", "57", _NEVER),
    ("card_velocity_exceeded", "61", _LATER),
    ("currency_not_supported", "57", _NEVER),
    ("do_not_honor", "05", _LATER),
    ("duplicate_transaction", "94", _LATER),
    ("expired_card", "54", _CHECK),
    ("fraudulent", "59", _NEVER),
    ("generic_decline", "05", _LATER),
    ("incorrect_cvc", "N7", _CHECK),
    ("incorrect_number", "14", _CHECK),
    ("insufficient_funds", "51", _LATER),
    ("invalid_account", "14", _CHECK),
    ("invalid_amount", "13", _LATER),
    ("issuer_not_available", "91", _LATER),
    ("lost_card", "41", _NEVER),
    ("merchant_blacklist", None, _NEVER),
    ("new_account_information_available", "79", _CHECK),
    ("no_action_taken", "21", _LATER),
    ("not_permitted", "57", _NEVER),
    ("pickup_card", "04", _NEVER),
    ("pin_try_exceeded", "75", _NEVER),
    ("previously_declined_do_not_retry", None, _NEVER),
    ("processing_error", "96", _LATER),
    ("reenter_transaction", "19", _LATER),
    ("restricted_card", "62", _NEVER),
    ("revocation_of_all_authorizations", "R3", _NEVER),
    ("revocation_of_authorization", "R1", _NEVER),
    ("security_violation", "63", _NEVER),
    ("service_not_allowed", "57", _NEVER),
    ("stolen_card", "43", _NEVER),
    ("stop_payment_order", "R0", _NEVER),
    ("transaction_not_allowed", "57", _NEVER),
    ("try_again_later", "92", _LATER),
    ("withdrawal_count_limit_exceeded", "65", _LATER),
)
_OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "incorrect_number", "processing_error"})
# Mastercard's advice to merchants: new data, later, never, ended by the owner, or after 1 hour,
# 1, 2, 4, 6, 8 and 10 days.
_MAC = {
    "01": _CHECK,
    "02": _LATER,
    "03": _NEVER,
    "21": _NEVER,
    **dict.fromkeys(("24", "25", "26", "27", "28", "29", "30"), _LATER),
}


def _own(decline_code: str, network: str | None, advice_code: str | None) -> Refusal:
    words = decline_code.replace("_", " ")
    own_code = decline_code in _OWN_CODES
    return Refusal(
        decline_code if own_code else "card_declined",
        None if own_code else decline_code,
        f"Your card was declined ({words}).",
        f"Your bank declined this card: {words}.",
        _OTHER_CARD,
        advice_code=advice_code,
        network_decline_code=network,
    )


def _mastercard(advice: str, advice_code: str) -> Refusal:
    return Refusal(
        "card_declined",
        "do_not_honor",
        "Your card was declined.",
        f"Your bank declined this card with Mastercard's advice {advice}.",
        _OTHER_CARD,
        advice_code=advice_code,
        network_decline_code="79",
        network_advice_code=advice,
    )


OWN = {f"declines_{row[0]}": _own(*row) for row in _CODES}
OWN_MASTERCARD = {
    f"declines_mac_{advice}": _mastercard(advice, advice_code)
    for advice, advice_code in _MAC.items()
}
