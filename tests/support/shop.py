"""The product in a test: people who sign up, buy, and whose webhooks arrive as the test says."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

from sqlalchemy import text

from services.auth_service import AuthService
from services.change_service import ChangeService
from services.generation_service import GenerationService
from services.invoice_service import InvoiceService
from services.mail_service import MailService
from services.payment_service import PaymentService
from services.reconciliation_service import ReconciliationService
from services.refund_service import RefundService
from services.subscription_service import SubscriptionService
from services.wallet_service import WalletService
from services.webhook_service import WebhookService
from talkingphoto.billing import catalog, ledger
from talkingphoto.events.table import HANDLERS
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.support import proving
from tests.support.clock import TestClock
from tests.support.sandbox import VISA, Event, Paid, SandboxProcess, sign
from worker.bundle import Services, services_of

PASSWORD = "a sentence that nobody else uses"


@dataclass(frozen=True)
class Person:
    """Somebody who signed up."""

    id: str
    email: str


class Shop:
    """Services on one runtime and the sandbox they buy from."""

    def __init__(self, runtime: Runtime, sandbox: SandboxProcess, clock: TestClock) -> None:
        self.runtime = runtime
        self.clock = clock
        self.sandbox = sandbox
        self.auth = AuthService(runtime)
        self.payments = PaymentService(runtime)
        self.webhooks = WebhookService(runtime)
        self.generations = GenerationService(runtime)
        self.reconciliation = ReconciliationService(runtime)
        self.letters = MailService(runtime)
        self.changes = ChangeService(runtime)
        self.refunds = RefundService(runtime)
        self.plans = SubscriptionService(runtime)
        self.wallets = WalletService(runtime)
        self.invoices = InvoiceService(runtime)
        self.key = runtime.settings.stripe_secret_key.get_secret_value()
        self.secret = runtime.settings.webhook_secrets[0]
        self._numbers = count(1)
        self._seen: set[str] = set()

    @property
    def services(self) -> Services:
        """What a worker of this shop calls."""
        return replace(services_of(self.runtime), letters=self.letters)

    def a_person(self) -> Person:
        """Somebody who has just signed up and proved their address."""
        email = f"person{next(self._numbers)}-{uuid.uuid4().hex[:8]}@example.com"
        signed_in = self.auth.register(
            email=email, password=PASSWORD, terms_accepted=True, ip="127.0.0.1", user_agent="test"
        )
        proving.prove(self.runtime, signed_in.user.id)
        return Person(signed_in.user.id, email)

    def sign_in(self, person: Person) -> str:
        """The Cookie header of a browser in which the person is signed in."""
        signed_in = self.auth.sign_in(
            email=person.email, password=PASSWORD, ip="127.0.0.1", user_agent="test"
        )
        return f"__Host-tp_session={signed_in.token}"

    def opens(self, person: Person, item: str, *, request_id: str | None = None) -> str:
        """The hosted page that the person was sent to."""
        return self.payments.start_checkout(
            user_id=person.id, item=item, request_id=request_id or str(uuid.uuid4())
        )

    def pays(self, person: Person, item: str, *, card: str = VISA) -> Paid:
        """The person filled in the hosted page; no webhook has arrived yet."""
        return self.sandbox.pay(self.opens(person, item), card=card)

    def buys(self, person: Person, item: str) -> list[Event]:
        """The person paid and every webhook of it arrived once, in order."""
        paid = self.pays(person, item)
        assert paid.status == 303, paid.page
        events = self.new_events()
        self.deliver(events)
        return events

    def new_events(self) -> list[Event]:
        """The events of the sandbox that no call has returned before, those we ask for."""
        fresh = [
            event
            for event in self.sandbox.events(self.key)
            if event["id"] not in self._seen and event["type"] in HANDLERS
        ]
        self._seen.update(event["id"] for event in fresh)
        return fresh

    def deliver(self, events: Iterable[Event]) -> None:
        """Each event arrives signed and is processed before the next."""
        for event in events:
            self.webhooks.receive(*sign(event, self.secret))
            self.webhooks.process(event["id"])

    @staticmethod
    def payments_price(item: str) -> Money:
        """What the item costs by the price list."""
        return catalog.item(item).price

    def balance(self, person: Person) -> int:
        """What the person can spend."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            return ledger.balance(session, user_id=person.id, now=now).available


def rows(shop: Shop) -> dict[str, int]:
    """How many rows every table of the database has."""
    with shop.runtime.read_only() as session:
        names = session.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        return {
            name: session.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608
            for name in names
        }


def environment(shop: Shop, **more: str) -> dict[str, str]:
    """What makes a process the same product as the shop."""
    return {
        "DATABASE_URL": shop.runtime.database_url,
        "STRIPE_API_BASE": shop.sandbox.base,
        "WORKER": "external",
        **more,
    }
