"""The product and the sandbox of one simulation, as customers, their bank and Stripe see them."""

from __future__ import annotations

import os
import random
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

import stripe

from services.webhook_service import WebhookService
from talkingphoto.foundation import settings
from talkingphoto.integrations.stripe_gateway import StripeGateway
from talkingphoto.runtime import Runtime
from tests.simulation import faults
from tests.simulation.inside import Answer
from tests.simulation.moments import Moment
from tests.simulation.store import Store
from worker.bundle import services_of


class Bank(Protocol):
    """A sandbox, in this process or in one of its own."""

    base: str
    store: Path
    http_client: stripe.HTTPClient | None

    def move_to(self, moment: datetime) -> None:
        """It is that moment at the sandbox, and what was due on the way was done."""

    def post(self, url: str, fields: Mapping[str, str]) -> Answer:
        """A form sent to one of the sandbox's own addresses."""

    def stop(self) -> None:
        """The sandbox has ended."""


class SimulatedRuntime(Runtime):
    """The product's runtime with the simulated clock, seeded ids, and its way to the sandbox."""

    def __init__(
        self, chosen: settings.Settings, *, bank: Bank, clock: Moment, rng: random.Random
    ) -> None:
        super().__init__(chosen, clock=clock, new_id=lambda: seeded_id(rng))
        self._bank = bank

    @cached_property
    def gateway(self) -> StripeGateway:
        """The same door to Stripe, on the sandbox's own way if it has one."""
        return StripeGateway(
            api_key=self.settings.stripe_secret_key.get_secret_value(),
            api_base=self._bank.base,
            webhook_secrets=self.settings.webhook_secrets,
            http_client=self._bank.http_client,
        )


@dataclass
class Done:
    """What people did of which Stripe knows nothing, to be held against what came of it."""

    # What staff gave to whom, by size.
    gifts: dict[str, Counter[int]] = field(default_factory=dict)
    # What each allowed a month's top-ups from when on; nothing when they turned it off.
    caps: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    # Who began a trial with which card.
    trials: dict[str, set[str]] = field(default_factory=dict)


class World:
    """Every service on one runtime, and what lies outside of the product."""

    def __init__(
        self, database_url: str, bank: Bank, *, seed: int, plan: Callable[[Runtime], faults.Build]
    ) -> None:
        self.bank = bank
        self.store = Store(bank.store)
        self.clock = Moment()
        chosen = settings.load(
            {**os.environ, "DATABASE_URL": database_url, "STRIPE_API_BASE": bank.base}
        )
        rng = random.Random(f"ids:{seed}")  # noqa: S311 - a seed is to be repeated, not secret
        self.runtime = SimulatedRuntime(chosen, bank=bank, clock=self.clock, rng=rng)
        build = plan(self.runtime)
        webhooks = WebhookService(self.runtime, handlers=build.handlers, known=build.known)
        self.services = replace(services_of(self.runtime), webhooks=webhooks)
        # What a customer was told and did not get: the amount of a charge, the words of a page.
        self.broken_promises: list[str] = []
        self.staff_id = ""
        self.done = Done()
        self.secret = chosen.webhook_secrets[0]
        # The end of its key tells what the simulation asks from what the product asks.
        self.stripe = stripe.StripeClient(
            f"{chosen.stripe_secret_key.get_secret_value()}_tests",
            base_addresses={"api": bank.base},
            http_client=bank.http_client,
        ).v1

    def move_to(self, moment: datetime) -> None:
        """It is that moment everywhere."""
        self.bank.move_to(moment)
        self.clock.now = moment

    def close(self) -> None:
        """Nothing of it is left open."""
        self.runtime.database.dispose()
        self.store.close()
        self.bank.stop()


def seeded_id(rng: random.Random) -> str:
    """An id as the product makes them, the same for the same seed and place."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
