"""Names of fields that hold card data, in whatever way they are written."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import Literal

Kind = Literal["number", "security_code", "track", "pin", "beside"]

HIDDEN = "(field)"
_WORDS = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_PLAIN = re.compile(r"[^\W\d](?:[\w.\- \[\]]{0,62}\w)?")
_LONGEST_NAME = 100
_MOST_WORDS = 12
# More digits than a name needs could be the very number that was found.
_MOST_DIGITS_SHOWN = 4


def _as(kind: Kind, names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


# Compared with any run of a name's words written together: customerCardNumber holds cardnumber.
_RUNS: dict[str, Kind] = {
    **_as(
        "number",
        """
        pan ccn cardnumber cardnum cardno ccnumber ccnum ccno creditcardnumber creditcardno
        creditcardnum debitcardnumber paymentcardnumber primaryaccountnumber
        """,
    ),
    **_as(
        "security_code",
        """
        cvn cvn2 csc csc2 cav2 cardcid cardcode securitycode cardsecuritycode verificationvalue
        cardverification cardverificationcode cardverificationvalue
        """,
    ),
    **_as(
        "track",
        """
        track1 track2 track3 trackdata track1data track2data fulltrack magstripe magneticstripe
        magstripedata chipdata emvdata iccdata
        """,
    ),
    **_as("pin", "pinblock cardpin atmpin debitpin encryptedpin onlinepin"),
}
# In no other word of any language we know.
_ANYWHERE = ("cvc", "cvv")
# Short names that mean something else inside a longer one.
_WHOLE: dict[str, Kind] = {
    **_as("pin", "pin pincode pinnumber pindata"),
    **_as("number", "creditcard debitcard"),
}
# Below a field named like this, these words alone are enough: {"card": {"number": …}}.
_CARDS = frozenset("card creditcard debitcard paymentcard cc carddetails carddata".split())
_BELOW_CARD: dict[str, Kind] = {
    **_as("number", "number num no"),
    **_as("security_code", "code cid"),
    **_as("track", "track"),
}
# What Stripe gives to everybody, and what says nothing about the digits.
_HARMLESS = frozenset(
    """
    last4 last four brand token tokens masked mask check checks present provided required type
    funding fingerprint country length error errors hint label has is id ids gift loyalty
    """.split()
)
_BESIDE = frozenset(
    """
    exp expiry expiration expdate expirydate expirationdate expmonth expyear expirymonth expiryyear
    expirationmonth expirationyear validthru validuntil cardexpiry cardexp cardexpiration
    cardexpmonth cardexpyear cardexpirydate cardexpirationdate cardholder cardholdername nameoncard
    servicecode
    """.split()
)


def kind_of(name: str, *, parent: str = "") -> Kind | None:
    """What a field of that name holds; None for a harmless one."""
    words = _words(name)
    if not words or not _HARMLESS.isdisjoint(words):
        return None
    whole = "".join(words)
    if is_card(parent) and whole in _BELOW_CARD:
        return _BELOW_CARD[whole]
    if whole in _WHOLE:
        return _WHOLE[whole]
    if any(known in whole for known in _ANYWHERE):
        return "security_code"
    runs = ("".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    return next((kind for run in runs if (kind := _of_run(run))), None)


def is_card(name: str) -> bool:
    """True for the name of a whole card, whose fields decide for themselves."""
    return "".join(_words(name)) in _CARDS


def is_beside(name: str) -> bool:
    """True for what must be protected once it stands beside a card number."""
    return "".join(_words(name)) in _BESIDE


def shown(name: str) -> str:
    """The name as it may be repeated: a plain one as it is, any other only as `(field)`."""
    digits = sum(c.isdigit() for c in name[:_LONGEST_NAME])
    plain = _PLAIN.fullmatch(name) and name.isprintable() and digits <= _MOST_DIGITS_SHOWN
    return name if plain else HIDDEN


def _of_run(run: str) -> Kind | None:
    return _RUNS.get(run) or _RUNS.get(run.rstrip(string.digits))


def _words(name: str) -> list[str]:
    if len(name) > _LONGEST_NAME:
        return []
    plain = unicodedata.normalize("NFKC", name)
    return [word.lower() for word in _WORDS.findall(plain)][:_MOST_WORDS]
