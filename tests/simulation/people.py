"""Customers: who they are, what they know of their own account, and when they act next."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from talkingphoto.accounts import users
from talkingphoto.billing import catalog, customers, ledger, payments, subscriptions
from tests.simulation.moments import START
from tests.simulation.world import World, seeded_id

# However quiet they are, everybody lives through some months of a year.
_LAST_BEGIN_DAYS = 200
_NO_PASSWORD = "nobody signs in"


@dataclass
class Person:
    """One customer; everything they decide is drawn from a sequence of their own."""

    number: int
    id: str
    rng: random.Random
    acts_at: datetime
    # How long they are quiet between two actions, on average.
    quiet_days: int
    card_fails: bool = False

    @property
    def name(self) -> str:
        """What reports call them."""
        return f"customer {self.number}"

    def new_id(self) -> str:
        """The id of a request of theirs."""
        return seeded_id(self.rng)

    def rests(self, now: datetime) -> None:
        """They act again some days later."""
        days = 1 + int(self.rng.expovariate(1 / self.quiet_days))
        self.acts_at = now + timedelta(days=days)


@dataclass(frozen=True)
class Standing:
    """What the product says of a customer just now."""

    plan: subscriptions.Subscription | None
    stripe_id: str | None
    available: int
    paid: tuple[payments.Payment, ...]


def sign_up(world: World, *, seed: int, count: int, quiet_days: int) -> list[Person]:
    """So many customers with their free credits, who begin to act within some weeks."""
    people = []
    now = world.clock()
    with world.runtime.transaction() as session:
        for number in range(1, count + 1):
            rng = random.Random(f"{seed}:{number}")  # noqa: S311 - to be repeated, not secret
            begins = START + timedelta(days=rng.randrange(min(2 * quiet_days, _LAST_BEGIN_DAYS)))
            person = Person(number, seeded_id(rng), rng, begins, quiet_days)
            user = users.User(person.id, f"customer{number}@example.com", now)
            users.add(session, user=user, password_hash=_NO_PASSWORD)
            customers.ensure(session, user_id=person.id, now=now)
            ledger.grant(session, _free(person.id), now=now)
            people.append(person)
    return people


def standing(world: World, person: Person) -> Standing:
    """What the customer's page would show."""
    now = world.clock()
    with world.runtime.read_only() as session:
        known = payments.recent(session, user_id=person.id)
        return Standing(
            plan=subscriptions.of_customer(session, user_id=person.id),
            stripe_id=customers.of_user(session, user_id=person.id).stripe_customer_id,
            available=ledger.balance(session, user_id=person.id, now=now).available,
            paid=tuple(one for one in known if one.status in {"paid", "partly_refunded"}),
        )


def _free(user_id: str) -> ledger.NewLot:
    return ledger.NewLot(
        key=f"free:{user_id}",
        user_id=user_id,
        source="free",
        credits=catalog.FREE_CREDITS,
        description="Free videos",
    )
