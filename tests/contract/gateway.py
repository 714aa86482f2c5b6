"""The product's door to Stripe at work: every verb once, against a sandbox that writes it down."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from talkingphoto.billing import catalog
from talkingphoto.billing.comparisons import Window
from talkingphoto.billing.details import BillingDetails
from talkingphoto.billing.endings import Why
from talkingphoto.foundation import clock, errors
from talkingphoto.foundation.money import Money
from talkingphoto.integrations.stripe_changes import ChangeOrder, ScheduleOrder
from talkingphoto.integrations.stripe_checkout import CheckoutOrder
from talkingphoto.integrations.stripe_gateway import StripeGateway
from talkingphoto.integrations.stripe_invoices import TopUpOrder
from talkingphoto.integrations.stripe_lifecycle import Rest
from talkingphoto.integrations.stripe_refunds import RefundOrder
from talkingphoto.workflows import saving
from tests.contract import recording
from tests.sandbox.running import GOOD_CARD, Process, Shop, open_shop

# It reads a letter and calls nobody.
_CALLS_NOBODY = {"verify"}
_KEY = "sk_test_of_the_product"
_WHY = Why("too_expensive", "It costs more than it brings.")
_WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))


@dataclass
class Scene:
    """A gateway, somebody who pays, and what they have done so far."""

    gateway: StripeGateway
    payer: Shop
    customer: str = ""
    session: str = ""
    schedule: str = ""
    invoice: str = ""
    last_plan: str = ""

    def sell(self, item: str) -> str:
        """A new session that sells the item to the customer."""
        chosen = catalog.item(item)
        price = self.gateway.ensure_price(chosen, chosen_price_id="").price_id
        order = CheckoutOrder(
            idempotency_key=f"contract:{item}",
            user_id="1",
            request_id="2",
            customer_id=self.customer,
            item=chosen,
            price_id=price,
            success_url="http://localhost:1/success",
            cancel_url="http://localhost:1/cancel",
        )
        return self.gateway.create_checkout(order).id

    def plan(self) -> str:
        """The id of the newest subscription."""
        self.last_plan = str(self.newest("subscriptions").id)
        return self.last_plan

    def newest(self, resource: str) -> Any:
        """The newest object of a kind, as a test reads it."""
        return getattr(self.payer.client.v1, resource).list(params={"limit": 1}).data[0]


def _customer(scene: Scene) -> None:
    scene.customer = scene.gateway.ensure_customer(user_id="1", email="ada@example.com")


def _checkout(scene: Scene) -> None:
    scene.sell("starter:month")
    scene.sell("pack:10")


def _price(scene: Scene) -> None:
    item = catalog.item("pack:10")
    made = scene.gateway.ensure_price(item, chosen_price_id="")
    scene.gateway.ensure_price(item, chosen_price_id=made.price_id)


def _expire(scene: Scene) -> None:
    scene.gateway.expire_checkout(scene.sell("pro:year"))


def _fetch_checkout(scene: Scene) -> None:
    session = scene.sell("starter:month")
    paid = scene.payer.pay(scene.payer.reread(_Named(session)), GOOD_CARD)
    assert paid.ok, paid.text
    scene.gateway.fetch_checkout(session)


def _endpoint(scene: Scene) -> None:
    for _ in range(2):
        scene.gateway.ensure_endpoint(url="http://localhost:9/h", event_types=("invoice.paid",))


def _order(scene: Scene, item: str) -> ChangeOrder:
    standing = scene.gateway.fetch_standing(scene.newest("subscriptions").id)
    assert standing is not None, "there is a plan to change"
    price = scene.gateway.ensure_price(catalog.item(item), chosen_price_id="").price_id
    at = standing.moment(standing.period_start)
    return ChangeOrder(standing.subscription_id, standing.line_id, price, at)


def _schedule(scene: Scene) -> None:
    order = _order(scene, "starter:month")
    standing = scene.gateway.fetch_standing(order.subscription_id)
    assert standing is not None, "there is a plan to change"
    scene.schedule = scene.gateway.schedule_change(
        ScheduleOrder("contract:later", standing, order.price_id, "month")
    )


def _paid(scene: Scene, card: str) -> str:
    """The PaymentIntent of a new payment of ten dollars with that ready-made card."""
    params: Any = {
        "amount": 1000,
        "currency": "usd",
        "payment_method": f"pm_card_{card}",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "confirm": True,
    }
    return str(scene.payer.client.v1.payment_intents.create(params=params).id)


def _refund(scene: Scene) -> None:
    intent, amount = _paid(scene, "visa"), Money(400, "usd")
    scene.gateway.make_refund(RefundOrder("contract", "contract:refund", intent, amount))
    order = RefundOrder("fraud", "contract:fraud", intent, amount, fraudulent=True)
    scene.gateway.make_refund(order)


def _dispute(scene: Scene) -> None:
    _paid(scene, "createDispute")
    scene.gateway.fetch_dispute(scene.newest("disputes").id)


def _warning(scene: Scene) -> None:
    _paid(scene, "createIssuerFraudRecord")
    found = scene.payer.client.v1.radar.early_fraud_warnings.list({"limit": 1}).data[0]
    scene.gateway.fetch_warning(found.id)


def _rest(scene: Scene) -> Rest:
    begins_at = clock.system_clock() + timedelta(days=20)
    return Rest(scene.plan(), begins_at, clock.add_months(begins_at, months=1))


def _move_price(scene: Scene) -> None:
    found = scene.newest("subscriptions")["items"].data[0].price
    other = scene.payer.client.v1.prices.create(
        {
            "product": str(found.product),
            "currency": "usd",
            "unit_amount": 2499,
            "recurring": {"interval": "month"},
        }
    )
    scene.gateway.move_price(
        scene.plan(), from_price_id=found.id, to_price_id=other.id, key="contract:price"
    )


def _promotion_code(scene: Scene) -> None:
    promotion: Any = {"type": "coupon", "coupon": saving.STAY.id}
    scene.payer.client.v1.promotion_codes.create({"promotion": promotion, "code": "WELCOME"})
    assert scene.gateway.find_promotion_code("WELCOME", customer_id=scene.customer)


def _undelivered(scene: Scene) -> None:
    for after in (None, scene.newest("events").id):
        scene.gateway.undelivered_events(
            types=("invoice.paid", "charge.refunded"), since=_WINDOW.since, after=after
        )


def _top_up(scene: Scene, name: str) -> TopUpOrder:
    price = scene.gateway.ensure_price(catalog.item("pack:10"), chosen_price_id="").price_id
    return TopUpOrder(name, "1", scene.customer, "pack:10", price)


def _draft(scene: Scene) -> None:
    scene.invoice = scene.gateway.draft_top_up(_top_up(scene, "first"))


def _pay_with(scene: Scene) -> None:
    card = scene.gateway.saved_card(scene.customer)
    assert card is not None, "a card was saved with the plan"
    scene.gateway.pay_with(
        scene.invoice, payment_method_id=card.payment_method_id, key="contract:pay"
    )


def _owed(scene: Scene) -> None:
    invoice = scene.gateway.draft_top_up(_top_up(scene, "owed"))
    scene.gateway.finish_invoice(invoice, _top_up(scene, "owed"))
    with suppress(errors.PaymentDeclined):  # there is no card to try it with: that is asked too
        scene.gateway.pay_invoice(invoice, idempotency_key="contract:owed")


def _portal(scene: Scene) -> None:
    for card_only in (True, False):
        scene.gateway.open_portal(
            scene.customer, return_url="http://localhost:1/account", card_only=card_only
        )


def _bill_to(scene: Scene) -> None:
    details = BillingDetails(name="Ada", country="DE", tax_id="DE123456789", po_number="7")
    for _ in range(2):
        scene.gateway.bill_to(scene.customer, details)
    scene.gateway.bill_to(scene.customer, BillingDetails(name="Ada"))


@dataclass(frozen=True)
class _Named:
    """What a session is to the payer: its id."""

    id: str


# In this order: later verbs read what earlier ones made.
VERBS: dict[str, Callable[[Scene], object]] = {
    "check": lambda scene: scene.gateway.check(),
    "ensure_price": _price,
    "ensure_endpoint": _endpoint,
    "ensure_customer": _customer,
    "create_checkout": _checkout,
    "expire_checkout": _expire,
    "fetch_checkout": _fetch_checkout,
    "checkout_of_payment": lambda scene: scene.gateway.checkout_of_payment(
        scene.newest("payment_intents").id
    ),
    "fetch_subscription": lambda scene: scene.gateway.fetch_subscription(
        scene.newest("subscriptions").id
    ),
    "fetch_invoice": lambda scene: scene.gateway.fetch_invoice(scene.newest("invoices").id),
    "fetch_invoices": lambda scene: scene.gateway.fetch_invoices(
        scene.newest("subscriptions").id, since=datetime(2026, 1, 1, tzinfo=UTC)
    ),
    "paid_with": lambda scene: scene.gateway.paid_with(scene.newest("payment_intents").id),
    "saved_card": lambda scene: scene.gateway.saved_card(scene.customer),
    "draft_top_up": _draft,
    "find_top_up": lambda scene: scene.gateway.find_top_up(_top_up(scene, "first")),
    "finish_invoice": lambda scene: scene.gateway.finish_invoice(
        scene.invoice, _top_up(scene, "first")
    ),
    "pay_with": _pay_with,
    "close_invoice": lambda scene: scene.gateway.close_invoice(
        scene.gateway.draft_top_up(_top_up(scene, "second"))
    ),
    "pay_invoice": _owed,
    "next_renewal": lambda scene: scene.gateway.next_renewal(scene.plan()),
    "open_portal": _portal,
    "bill_to": _bill_to,
    "fetch_standing": lambda scene: scene.gateway.fetch_standing(scene.newest("subscriptions").id),
    "preview_change": lambda scene: scene.gateway.preview_change(_order(scene, "pro:month")),
    "preview_next": lambda scene: scene.gateway.preview_next(_order(scene, "pro:month")),
    "change_now": lambda scene: scene.gateway.change_now(
        _order(scene, "pro:month"), idempotency_key="contract:now"
    ),
    "schedule_change": _schedule,
    "release_schedule": lambda scene: scene.gateway.release_schedule(scene.schedule),
    "invoice_of_payment": lambda scene: scene.gateway.invoice_of_payment(
        scene.newest("payment_intents").id
    ),
    "fetch_payment": lambda scene: scene.gateway.fetch_payment(scene.newest("payment_intents").id),
    "card_of_charge": lambda scene: scene.gateway.card_of_charge(scene.newest("charges").id),
    "make_refund": _refund,
    "fetch_refund": lambda scene: scene.gateway.fetch_refund(scene.newest("refunds").id),
    "fetch_refunds": lambda scene: scene.gateway.fetch_refunds(scene.newest("charges").id),
    "card_of_plan": lambda scene: scene.gateway.card_of_plan(scene.plan()),
    "fetch_dispute": _dispute,
    "fetch_warning": _warning,
    "pause": lambda scene: scene.gateway.pause(_rest(scene), key="contract:pause"),
    "unpause": lambda scene: scene.gateway.unpause(scene.plan(), key="contract:unpause"),
    "unpause_with_new_period": lambda scene: scene.gateway.unpause_with_new_period(
        scene.plan(), key="contract:restart"
    ),
    "move_price": _move_price,
    "waits_for_invoice": lambda scene: scene.gateway.waits_for_invoice(scene.plan()),
    "ensure_coupon": lambda scene: [scene.gateway.ensure_coupon(saving.STAY) for _ in range(2)],
    "add_coupon": lambda scene: scene.gateway.add_coupon(
        scene.plan(), coupon_id=saving.STAY.id, key="contract:coupon"
    ),
    "find_promotion_code": _promotion_code,
    "add_promotion_code": lambda scene: scene.gateway.add_promotion_code(
        scene.plan(), promotion_code_id=scene.newest("promotion_codes").id, key="contract:code"
    ),
    "end_at_period_end": lambda scene: scene.gateway.end_at_period_end(
        scene.plan(), why=_WHY, key="contract:end"
    ),
    "go_on": lambda scene: scene.gateway.go_on(scene.plan(), key="contract:go_on"),
    "running_plans": lambda scene: scene.gateway.running_plans(scene.customer),
    "is_given_back": lambda scene: scene.gateway.is_given_back(scene.newest("payment_intents").id),
    "give_back": lambda scene: scene.gateway.give_back(
        scene.newest("payment_intents").id, key="contract:give_back"
    ),
    "end_now": lambda scene: scene.gateway.end_now(scene.plan(), why=_WHY, key="contract:now"),
    "end_plan_now": lambda scene: scene.gateway.end_plan_now(scene.last_plan),
    "undelivered_events": _undelivered,
    "list_customers": lambda scene: scene.gateway.list_customers(_WINDOW, after=None),
    "list_subscriptions": lambda scene: scene.gateway.list_subscriptions(_WINDOW, after=None),
    "list_invoices": lambda scene: scene.gateway.list_invoices(_WINDOW, after=None),
    "list_checkouts": lambda scene: scene.gateway.list_checkouts(_WINDOW, after=None),
    "list_payments": lambda scene: scene.gateway.list_payments(_WINDOW, after=None),
    "list_refunds": lambda scene: scene.gateway.list_refunds(_WINDOW, after=None),
    "list_disputes": lambda scene: scene.gateway.list_disputes(_WINDOW, after=None),
    "fetch_customer": lambda scene: scene.gateway.fetch_customer(scene.customer),
    "return_payment": lambda scene: scene.gateway.return_payment(
        scene.newest("payment_intents").id, idempotency_key="contract:back"
    ),
    "fetch_intent": lambda scene: scene.gateway.fetch_intent(scene.newest("payment_intents").id),
}


def not_called() -> list[str]:
    """The verbs of the gateway that have no call here."""
    verbs = {
        name
        for name, _ in inspect.getmembers(StripeGateway, inspect.isfunction)
        if not name.startswith("_")
    }
    return sorted(verbs - VERBS.keys() - _CALLS_NOBODY)


def requests() -> list[recording.Request]:
    """What the gateway sends when every verb is called once."""
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        log = Path(folder) / "requests"
        settings = {recording.VARIABLE: str(log)}
        process = Process(Path(folder), settings=settings).start()
        try:
            gateway = StripeGateway(api_key=_KEY, api_base=process.base, webhook_secrets=())
            scene = Scene(gateway, open_shop(process))
            for verb in VERBS.values():
                verb(scene)
        finally:
            process.stop()
        return recording.read(log)
