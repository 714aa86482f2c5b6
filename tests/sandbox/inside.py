"""A sandbox in this process whose time moves only when a test says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.flows import timers
from stripe_sandbox.objects import customers, payment_methods, prices
from stripe_sandbox.policy import Policy
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit
from tests.sandbox.plans import NEW_YEAR, VISA


@dataclass
class Inside:
    """One life that is forgotten at the end; what it does is done at ``now``."""

    database: Any
    now: int
    policy: Policy = field(default_factory=Policy)

    def unit(self) -> Unit:
        """A new unit of work, as a request or a timer has it."""
        return Unit(self.database, self.now, "http://localhost:1", policy=self.policy)

    def do(self, verb: Callable[..., Any], values: Any = None, *more: Any) -> Any:
        """What the verb answers; what it did before a refusal is undone where Stripe does so."""
        unit = self.unit()
        self.database.execute("SAVEPOINT act")
        try:
            answer = verb(unit, {} if values is None else dict(values), *more)
            unit.finish()
        except StripeFault as fault:
            if fault.keeps_effects:
                unit.finish()
            else:
                self.database.execute("ROLLBACK TO act")
            raise
        return answer

    def get(self, object_id: str) -> Any:
        """The object as it is now."""
        return self.unit().find(object_id)

    def all(self, kind: str) -> list[Any]:
        """Every object of the kind, oldest first."""
        return self.unit().select(kind, order="ASC")

    def told(self, kind: str) -> list[Any]:
        """What the events of this type were about, oldest first."""
        return [event["data"]["object"] for event in self.all("event") if event["type"] == kind]

    def wait(self, seconds: float) -> None:
        """So much later, with everything done that was due on the way."""
        until = self.now + int(seconds)
        while (due := timers.next_due(self.database)) is not None and due <= until:
            self.now = max(self.now, due)
            unit = self.unit()
            timers.run_next(unit)
            unit.finish()
        self.now = until

    def price(self, amount: int, interval: str = "month", **extra: Any) -> str:
        """A new price of a product of its own."""
        values = {
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": interval},
            "product_data": {"name": f"Plan at {amount} a {interval}"},
            **extra,
        }
        return str(self.do(prices.create, values)["id"])

    def customer(self, card: str | None = VISA) -> str:
        """A new customer, with a card unless told otherwise."""
        made = str(self.do(customers.create, {"email": "ada@example.com"})["id"])
        if card:
            self.pay_with(made, card)
        return made

    def pay_with(self, customer: str, token: str) -> str:
        """The customer's default method is a new one of this kind."""
        method = self.do(payment_methods.attach, {"customer": customer}, token)["id"]
        settings = {"invoice_settings": {"default_payment_method": method}}
        self.do(customers.update, settings, customer)
        return str(method)


@contextmanager
def life(sandbox: Sandbox, at: int = NEW_YEAR, policy: Policy | None = None) -> Iterator[Inside]:
    """A life from this moment on, of which nothing is left at the end."""
    with sandbox.transaction() as unit:
        unit.database.execute("SAVEPOINT life")
        try:
            yield Inside(unit.database, at, policy or Policy())
        finally:
            unit.database.execute("ROLLBACK TO life")
            unit.database.execute("RELEASE life")
