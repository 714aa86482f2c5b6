"""What a payer pays with on a page: a saved method, a card just typed, a bank debit.

The fields are those of ``templates/fields.html``: ``number``, ``expiry``, ``cvc``, ``name``;
``saved`` (the id of a saved method, or ``new``); ``method`` (``bank_arrives``, ``bank_bounces``).
"""

from collections.abc import Mapping, Sequence

from stripe_sandbox import Json, cards, refusals
from stripe_sandbox.api import lists
from stripe_sandbox.objects import instruments, payment_methods
from stripe_sandbox.pages import words
from stripe_sandbox.pages.entry import Entry
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit

HINTS = tuple(card for card in cards.CARDS if card.hint)
_DEBITS = ("bank_arrives", "bank_bounces")
_ACCOUNTS = {
    "us_bank_account": {"bank_arrives": "000123456789", "bank_bounces": "000111111116"},
    "sepa_debit": {
        "bank_arrives": "DE89370400440532013000",
        "bank_bounces": "DE62370400440532013001",
    },
}
# The refusal itself stands above the form; the field only says what to do with it.
_BESIDE = {
    "number": "Use another card.",
    "expiry": "Check the date.",
    "cvc": "Check the security code.",
}


def debit_in(kinds: Sequence[str]) -> str | None:
    """The kind of bank debit among these kinds, or None."""
    return next((kind for kind in kinds if kind in _ACCOUNTS), None)


def is_debit(form: Mapping[str, str], kinds: Sequence[str]) -> bool:
    """True if one of the buttons for a bank debit was pressed, and debits can pay."""
    return debit_in(kinds) is not None and form.get("method") in _DEBITS


def picked(form: Mapping[str, str], saved: Sequence[Json]) -> Json | None:
    """The saved method that was picked, or None; a button for a bank debit counts for more."""
    if form.get("method") in _DEBITS:
        return None
    return next((body for body in saved if body["id"] == form.get("saved")), None)


def given(
    unit: Unit, form: Mapping[str, str], typed: Entry, kinds: Sequence[str]
) -> Json | Refusal:
    """A new payment method for what was typed or pressed, or the words why there is none."""
    name = typed.typed["name"] or typed.typed["email"]
    billing = {
        **instruments.NO_BILLING,
        "address": typed.address(),
        "email": typed.typed["email"] or None,
        "name": name,
        "phone": typed.typed["phone"] or None,
    }
    if is_debit(form, kinds):
        number = _ACCOUNTS[str(debit_in(kinds))][form["method"]]
        return payment_methods.from_account(unit, number, billing)
    if typed.card is None:
        return refusals.NOT_A_TEST_CARD
    return payment_methods.from_card(unit, typed.card, typed.expiry, billing, with_cvc=True)


def of_customer(
    unit: Unit, customer_id: str | None, redisplay: Sequence[str] | None = None
) -> list[Json]:
    """The methods the customer has saved, newest first; only those that may be shown again."""
    if customer_id is None:
        return []
    found = unit.select("payment_method", lists.equal({"customer": customer_id}, "customer"), 20)
    return [body for body in found if redisplay is None or body["allow_redisplay"] in redisplay]


def choices(saved: Sequence[Json]) -> list[tuple[str, str]]:
    """The saved methods as a payer picks one: id and words."""
    return [(body["id"], in_full(body)) for body in saved]


def in_full(body: Json) -> str:
    """The method with its date: Visa ending 4242, expires 12 / 34."""
    date = words.expiry(body)
    return words.method(body) + (f", expires {date}" if date else "")


def beside(typed: Entry, refusal: Refusal | None) -> dict[str, str]:
    """A mark on the field the refusal is about, if something was typed there."""
    if refusal is None or not typed.typed.get(refusal.field):
        return {}
    return {refusal.field: _BESIDE[refusal.field]}
