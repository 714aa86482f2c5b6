"""What a payer typed into the card form, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stripe_sandbox import cards
from stripe_sandbox.cards import Card

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_EXPIRY = re.compile(r"(\d{1,2})\s*[/\-. ]\s*(\d{2}|\d{4})\Z")
FIELDS = ("email", "number", "expiry", "cvc", "name", "country", "postal_code")


@dataclass
class Entry:
    """The values as they were typed, what they mean, and a sentence for each wrong field."""

    typed: dict[str, str]
    card: Card | None = None
    expiry: tuple[int, int] = (0, 0)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def wrong(self) -> bool:
        """True if something has to be corrected before anything is tried."""
        return bool(self.errors)


def read(form: Mapping[str, str], now: int, *, by_card: bool, needs_address: bool) -> Entry:
    """The form is read; fields that only a card needs are checked only for a card."""
    entry = Entry({name: form.get(name, "").strip()[:200] for name in FIELDS})
    typed = entry.typed
    if not _EMAIL.match(typed["email"]):
        entry.errors["email"] = "Type an e-mail address, such as name@example.com."
    if by_card:
        _read_card(entry, now)
    if needs_address and not re.fullmatch(r"[A-Za-z]{2}", typed["country"]):
        entry.errors["country"] = "Type the two letters of your country, such as US."
    if needs_address and not typed["postal_code"]:
        entry.errors["postal_code"] = "Type your postal code."
    return entry


def _read_card(entry: Entry, now: int) -> None:
    typed = entry.typed
    number = re.sub(r"[\s-]", "", typed["number"])
    entry.card = cards.by_number(number)
    if not number:
        entry.errors["number"] = "Type the card number."
    elif not cards.looks_whole(number):
        entry.errors["number"] = "This card number is not complete. Check each digit."
    _read_expiry(entry, now)
    digits = 4 if entry.card and entry.card.brand == "amex" else 3
    if not re.fullmatch(rf"[0-9]{{{digits}}}", typed["cvc"]):
        entry.errors["cvc"] = f"Type the {digits} digits of the security code."
    if not typed["name"]:
        entry.errors["name"] = "Type the name as it stands on the card."


def _read_expiry(entry: Entry, now: int) -> None:
    text = entry.typed["expiry"]
    match = _EXPIRY.match(text) or re.match(r"(\d{2})(\d{2})\Z", text)
    month, year = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    year += 2000 if year < 100 else 0
    today = datetime.fromtimestamp(now, UTC)
    if not 1 <= month <= 12:
        entry.errors["expiry"] = "Type the month and year, such as 12 / 34."
    elif (year, month) < (today.year, today.month):
        entry.errors["expiry"] = "This date is past. Check the month and year on the card."
    elif year > today.year + 50:
        entry.errors["expiry"] = "This year is too far away. Check the date on the card."
    entry.expiry = (month, year)
