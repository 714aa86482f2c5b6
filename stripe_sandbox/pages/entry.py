"""What a payer typed into a form about themselves and their card, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stripe_sandbox import Json, cards, tax_id_formats
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.cards import Card
from stripe_sandbox.objects import tax_ids

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_EXPIRY = re.compile(r"(\d{1,2})\s*[/\-. ]\s*(\d{2}|\d{4})\Z")
_PHONE = re.compile(r"\+?[0-9 ()/.-]{5,30}\Z")
ADDRESS = ("country", "postal_code", "line1", "line2", "city", "state")
FIELDS = (
    *("email", "number", "expiry", "cvc", "name", *ADDRESS),
    *("phone", "business_name", "tax_id_type", "tax_id", "code"),
)
TICKS = ("terms", "promotions", "save_card", "prefer")


@dataclass(frozen=True)
class Asked:
    """Which parts of the form have to be filled in."""

    email: bool = True
    card: bool = True
    address: bool = False
    phone: bool = False
    terms: bool = False
    # never, optional, or if_supported: for countries whose businesses have one.
    tax_id: str = "never"


@dataclass
class Entry:
    """The values as they were typed, what they mean, and a sentence for each wrong field."""

    typed: dict[str, str]
    card: Card | None = None
    expiry: tuple[int, int] = (0, 0)
    errors: dict[str, str] = field(default_factory=dict)
    ticked: frozenset[str] = frozenset()

    @property
    def wrong(self) -> bool:
        """True if something has to be corrected before anything is tried."""
        return bool(self.errors)

    @property
    def country(self) -> str:
        """The country as it was typed, in capitals; empty if that is none."""
        typed = self.typed.get("country", "").upper()
        return typed if re.fullmatch(r"[A-Z]{2}", typed) else ""

    @property
    def tax_id(self) -> Json | None:
        """The tax id that was typed, in the API's shape."""
        kind, value = self.typed.get("tax_id_type"), self.typed.get("tax_id")
        return {"type": kind, "value": value} if kind and value else None

    def address(self) -> Json:
        """The address as far as it was typed; its country is else that of the card, or US."""
        given = {name: self.typed.get(name) or None for name in ADDRESS}
        return {**given, "country": self.country or (self.card.country if self.card else "US")}


def read(form: Mapping[str, str], now: int, asked: Asked) -> Entry:
    """The form is read; only what was asked for is checked."""
    entry = Entry(
        {name: form.get(name, "").strip()[:200] for name in FIELDS},
        ticked=frozenset(name for name in TICKS if form.get(name)),
    )
    typed = entry.typed
    if asked.email and not _EMAIL.match(typed["email"]):
        entry.errors["email"] = "Type an e-mail address, such as name@example.com."
    if asked.card:
        _read_card(entry, now)
    if asked.address and not entry.country:
        entry.errors["country"] = "Type the two letters of your country, such as US."
    if asked.address and not typed["postal_code"]:
        entry.errors["postal_code"] = "Type your postal code."
    if asked.phone and not _PHONE.match(typed["phone"]):
        entry.errors["phone"] = "Type your phone number with its country, such as +1 415 555 0100."
    if asked.terms and "terms" not in entry.ticked:
        entry.errors["terms"] = "Agree to go on."
    _read_tax_id(entry, asked.tax_id)
    return entry


def known(address: Json | None, **others: str | None) -> Entry:
    """A form filled in beforehand with what is known."""
    parts = {name: (address or {}).get(name) or "" for name in ADDRESS}
    return Entry({**parts, **{name: value or "" for name, value in others.items()}})


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


def _read_tax_id(entry: Entry, asked: str) -> None:
    kind, value = entry.typed["tax_id_type"], entry.typed["tax_id"]
    if asked == "never":
        return
    if not value:
        if asked == "if_supported" and tax_id_formats.known_in(entry.country):
            entry.errors["tax_id"] = "Type the tax ID of your business."
        return
    if kind not in tax_id_formats.TYPES:
        entry.errors["tax_id_type"] = "Choose what kind of tax ID this is."
        return
    try:
        tax_ids.check(kind, value, "tax_id")
    except StripeFault:
        entry.errors["tax_id"] = "This is not how a tax ID of this kind is written. Check it."
