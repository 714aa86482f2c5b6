"""One table from the code of a refusal to the sentence a customer reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Field = Literal["email", "password", "terms", "form"]


@dataclass(frozen=True)
class Message:
    """What went wrong, in one sentence, and the field it stands beside."""

    text: str
    field: Field = "form"


_SENTENCES = {
    "auth.mismatch": Message("That e-mail and password do not match. Check both and try again."),
    "auth.email_invalid": Message("Enter a full e-mail address, like name@example.com.", "email"),
    "auth.email_taken": Message(
        "There is an account with this e-mail already. Sign in instead.", "email"
    ),
    "auth.password_short": Message("Use at least 15 characters.", "password"),
    "auth.password_long": Message("Use at most 256 characters.", "password"),
    "auth.password_common": Message("This password is easy to guess. Choose another.", "password"),
    "auth.terms": Message("Please read and accept the terms to create an account.", "terms"),
    "auth.rate_limited": Message("Too many tries. Wait a few minutes and try again."),
    "billing.item_unknown": Message(
        "We do not sell that plan or pack. Nothing was charged. Choose one below."
    ),
    "billing.request_id": Message(
        "That purchase was already started. Nothing was charged again. Choose once more."
    ),
    "billing.already_paid": Message("This is already paid. Nothing was charged again."),
    "billing.checkout_expired": Message(
        "That checkout has expired. Nothing was charged. Choose once more."
    ),
    "billing.catalog_missing": Message(
        "Prices are being set up. Nothing was charged. Try again in a few minutes."
    ),
    "billing.already_subscribed": Message(
        "You have a plan already. Nothing was charged. You can change it on your account page."
    ),
    "code.unknown": Message("We do not know this code. Check its spelling."),
    "code.expired": Message("This code has expired."),
    "code.not_for_this": Message("This code is not for this plan."),
    "code.used_up": Message("This code has been used as often as it could be."),
    "code.first_time_only": Message("This code is for a first purchase only."),
    "code.rate_limited": Message("Too many codes. Wait a quarter of an hour and try again."),
    "portal.rate_limited": Message("You were there often just now. Wait a few minutes."),
    "trial.not_offered": Message("There is no trial of this plan. Choose it without one."),
    "trial.used": Message("You had a trial before. Choose the plan without one."),
    "change.stale": Message(
        "The price has changed since you looked. Nothing was charged. Look at the new one first."
    ),
    "billing.unavailable": Message(
        "We cannot reach our payment partner. Nothing was charged. Try again in a few minutes."
    ),
}
_UNKNOWN = Message("That did not work. Try again in a few minutes.")


def of(code: str) -> Message:
    """The sentence for a code; an unknown code gets a true and general one."""
    return _SENTENCES.get(code, _UNKNOWN)


def codes() -> frozenset[str]:
    """Every code that has a sentence of its own."""
    return frozenset(_SENTENCES)
