"""What every action stands on: whose turn it is, what they promise each other, what Stripe said."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import stripe

from talkingphoto.billing import payments
from tests.simulation.people import Person, Standing
from tests.simulation.world import World


@dataclass(frozen=True)
class Turn:
    """One customer's turn: where, who, and what their page shows."""

    world: World
    person: Person
    standing: Standing

    @property
    def rng(self) -> random.Random:
        """The customer's own sequence."""
        return self.person.rng

    @property
    def refundable(self) -> list[payments.Payment]:
        """What was paid with money, and not all given back."""
        return [payment for payment in self.standing.paid if payment.payment_intent_id]

    @property
    def has_plan(self) -> bool:
        """Whether a plan runs."""
        return self.standing.plan is not None

    @property
    def is_ending(self) -> bool:
        """Whether the plan runs, and ends with its period."""
        plan = self.standing.plan
        return plan is not None and plan.cancel_at_period_end

    def promise(self, kept: bool, words: str) -> None:
        """A promise that the customer was made; a broken one fails the simulation."""
        if not kept:
            self.world.broken_promises.append(f"promise to {self.person.name}: {words}")


@dataclass(frozen=True)
class Action:
    """Something to do: how likely, when it is possible, and what doing it answers."""

    name: str
    weight: int
    can: Callable[[Turn], bool]
    do: Callable[[Turn], str]


def asked(call: Callable[[], Any]) -> str:
    """Whether Stripe did it, or why it did not."""
    try:
        call()
    except stripe.StripeError as refusal:
        return f"refused, {refusal.code}"
    return "done"
