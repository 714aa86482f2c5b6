"""The moments at which somebody hears from us, and the facts that each message is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from talkingphoto.foundation.money import Money

# payment: an id of `payments`; item: a key of the catalog; money and day: as made below; videos: a
# count; reason: a bank's code; line: a short sentence of ours; id: any id; choice: one of CHOICES.
Kind = Literal["payment", "item", "money", "day", "videos", "reason", "line", "id", "choice"]

OF_CUSTOMERS: Mapping[str, Mapping[str, Kind]] = {
    "receipt": {"payment_id": "payment"},
    "welcome_plan": {"payment_id": "payment", "item": "item", "renews_at": "day"},
    "plan_changed": {"item": "item", "charged": "money", "credits": "videos"},
    "change_scheduled": {"item": "item", "at": "day"},
    "payment_failed": {"payment_id": "payment", "code": "reason", "next_try_at": "day"},
    "bank_asks": {"payment_id": "payment"},
    "plan_cancelled": {"item": "item", "ends_at": "day", "kept": "videos"},
    "plan_resumed": {"item": "item", "renews_at": "day"},
    "plan_paused": {"item": "item", "pauses_at": "day", "resumes_at": "day"},
    "plan_ended": {"item": "item", "ended_at": "day", "kept": "videos"},
    "trial_ending": {"item": "item", "ends_at": "day", "amount": "money", "card": "choice"},
    "trial_refused": {"item": "item"},
    "credits_low": {"left": "videos", "runs_out_at": "day"},
    "credits_expiring": {"credits": "videos", "expires_at": "day"},
    "topped_up": {"payment_id": "payment"},
    "topup_stopped": {"why": "line"},
    "topup_capped": {"cap": "money", "until": "day"},
    "refunded": {"payment_id": "payment", "amount": "money", "credits": "videos"},
    "dispute_opened": {"payment_id": "payment", "amount": "money"},
    "dispute_closed": {"payment_id": "payment", "amount": "money", "outcome": "choice"},
    "gift": {"credits": "videos"},
    "price_changing": {"item": "item", "before": "money", "after": "money", "at": "day"},
    "verify_email": {},
    "renewal_coming": {"item": "item", "at": "day", "amount": "money"},
    "payment_returned": {"amount": "money"},
}
OF_THE_FOUNDER: Mapping[str, Mapping[str, Kind]] = {
    "first_sale": {"payment_id": "payment"},
    "needs_a_hand": {"what": "line", "about": "id"},
}
ALL: Mapping[str, Mapping[str, Kind]] = {**OF_CUSTOMERS, **OF_THE_FOUNDER}
CHOICES = {"card": ("yes", "no"), "outcome": ("won", "lost")}
_LONGEST = 200
_PATTERNS: Mapping[str, str] = {"money": r"-?\d+ [a-z]{3}", "videos": r"\d+", "line": r".+"}
# What may be unknown: there may be no next try, no end of a plan, no forecast.
_MAY_BE_EMPTY = frozenset({"next_try_at", "renews_at", "runs_out_at", "resumes_at", "item", "code"})


def money(amount: Money) -> str:
    """The sum as a fact."""
    return f"{amount.minor} {amount.currency}"


def day(at: datetime | None) -> str:
    """The moment as a fact; empty for none."""
    return at.isoformat() if at else ""


def check(template: str, facts: Mapping[str, str]) -> None:
    """Returns when those are the facts that the moment names, each of its kind."""
    wanted = ALL[template]
    assert set(facts) == set(wanted), f"{template} is told {sorted(wanted)}"
    for name, kind in wanted.items():
        assert _fits(name, kind, facts[name]), f"{template}: {name} is no {kind}"


def _fits(name: str, kind: Kind, value: str) -> bool:
    if not value:
        return name in _MAY_BE_EMPTY
    if len(value) > _LONGEST or not value.isprintable():
        return False
    if kind == "day":
        return datetime.fromisoformat(value).tzinfo is not None
    if kind == "choice":
        return value in CHOICES[name]
    return bool(re.fullmatch(_PATTERNS.get(kind, r"\S+"), value))
