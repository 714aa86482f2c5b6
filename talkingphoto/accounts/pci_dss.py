"""What PCI DSS 4.0.1 says about each kind of card data, and what to do instead."""

from __future__ import annotations

import re
from dataclasses import dataclass

from talkingphoto.accounts.card_names import Kind


@dataclass(frozen=True)
class Requirement:
    """One requirement, why it is broken and how to keep it."""

    number: str
    reason: str
    remedy: str


_HOSTED = "Let the customer type it on Stripe's own page"

_OF: dict[Kind, Requirement] = {
    "number": Requirement(
        "3.5.1",
        "A full card number may not be stored readable.",
        f"{_HOSTED} and keep only the brand and the last four digits.",
    ),
    "security_code": Requirement(
        "3.3.1.2",
        "A card's security code may not be kept after authorization, not even encrypted.",
        f"{_HOSTED} and remove the field.",
    ),
    "track": Requirement(
        "3.3.1.1",
        "What is on a card's stripe or chip may not be kept after authorization.",
        "Remove the field; a reader of Stripe's sends it to Stripe alone.",
    ),
    "pin": Requirement(
        "3.3.1.3",
        "A PIN or PIN block may not be kept after authorization, not even encrypted.",
        "Remove the field; a PIN is typed into a terminal only.",
    ),
    "beside": Requirement(
        "3.2.1",
        "Beside a card number this is account data too, to be kept only as long as needed.",
        "Remove the card number; then the brand, last four and expiry may stay.",
    ),
}
_SHOWN = Requirement(
    "3.4.1",
    "A card number is masked wherever it is displayed.",
    "Show the brand and the last four digits only.",
)
_SENT = Requirement(
    "4.2.2",
    "A card number may not be sent by e-mail, chat or SMS without strong encryption.",
    "Send the brand and the last four digits only.",
)
_SHOWING = frozenset("display show print render export receipt".split())
_SENDING = frozenset("email mail sms chat message send notify".split())


def broken_by(kind: Kind, *, operation: str) -> Requirement:
    """The requirement that this kind of data breaks in an operation of that name."""
    words = set(re.findall(r"[a-z]+", operation.lower()))
    if kind == "number" and words & _SHOWING:
        return _SHOWN
    if kind == "number" and words & _SENDING:
        return _SENT
    return _OF[kind]
