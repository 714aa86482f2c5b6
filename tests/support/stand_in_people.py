"""More people for the stand-in: one for each state a plan can be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from talkingphoto.foundation import errors
from tests.support.stand_in import (
    ACCOUNTS,
    HOSTILE,
    LIVING,
    MONTH,
    NOW,
    PAID,
    STAFF,
    STARTER,
    AccountView,
    CreditsView,
    PendingChange,
    PlanView,
    usd,
)

AWAY = "away"
BANK = "http://localhost/bank"
DOWN = PendingChange("starter:month", "Starter", "month", usd(1999), 30, NOW + MONTH / 2)
PRO = PlanView(
    "pro:month", "Pro", "active", usd(4999), "month", 100, NOW + MONTH / 2, False,
    card="Visa ending 4242",
)  # fmt: skip
LEFT = CreditsView(98, 2, 88, 10, 0, NOW + MONTH, 88, NOW + MONTH / 2, 100)
ON_PRO = replace(LIVING, plan=PRO, credits=LEFT)


def on(plan: PlanView, credits: CreditsView = LEFT) -> AccountView:
    """An account that is on that plan."""
    return replace(ON_PRO, plan=plan, credits=credits)


PEOPLE: dict[str, AccountView] = {
    "pro": ON_PRO,
    STAFF: ON_PRO,
    AWAY: ON_PRO,
    "stale": ON_PRO,
    "declined": ON_PRO,
    "asked": ON_PRO,
    "pending": replace(ON_PRO, change=DOWN),
    "waiting-bank": replace(ON_PRO, change_pay_url=BANK),
    "bank": on(replace(PRO, status="past_due")),
    "due": on(replace(PRO, status="past_due")),
    "leaving": on(PRO),
    "left": on(replace(PRO, cancel_at_period_end=True)),
    "trial": on(replace(PRO, status="trialing", trial_ends_at=NOW + timedelta(days=5))),
    "trial-bare": on(
        replace(PRO, status="trialing", card="", trial_ends_at=NOW + timedelta(days=5))
    ),
    "paused": on(replace(PRO, pauses_at=NOW - MONTH, resumes_at=NOW + MONTH)),
    "pausing": on(replace(PRO, pauses_at=NOW + MONTH / 2, resumes_at=NOW + 1.5 * MONTH)),
    "yearly": on(
        replace(
            STARTER,
            item="starter:year",
            price=usd(19999),
            interval="year",
            current_period_end=NOW + 12 * MONTH,
            card="Mastercard ending 4444",
        )
    ),
    "discounted": on(replace(PRO, price=usd(3999), discount="20 % off for 3 months")),
    "trying": replace(ON_PRO, plan=None),
    "low": on(PRO, replace(LEFT, available=19, held=0, from_plan=19, bought=0)),
    "out": on(PRO, CreditsView(0, next_credits_at=NOW + MONTH / 2, next_credits=100)),
    "owing": on(PRO, replace(LEFT, available=0, from_plan=0, bought=0, held=0)),
    "returning": replace(ON_PRO, invoices=PAID),
    "literal": replace(
        on(replace(PRO, name=HOSTILE, discount=HOSTILE, card=HOSTILE)),
        change=replace(DOWN, name=HOSTILE),
    ),
}
ACCOUNTS.update(PEOPLE)


def unless_away(user_id: str | None) -> None:
    """Returns for everybody but the one who looks while the payment partner does not answer."""
    if user_id == AWAY:
        raise errors.Unavailable("billing.unavailable", "no answer")
