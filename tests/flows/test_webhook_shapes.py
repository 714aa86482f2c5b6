"""What Stripe may answer about our customers: each body is one of the sandbox's with one change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from talkingphoto.billing import ledger
from tests.support.proxy import Proxy
from tests.support.sandbox import of_type, sign
from tests.support.shop import Person, Shop
from tests.support.webhooks import made_up_event, results, services_through

Body = dict[str, Any]
Change = Callable[[Body], None]
FREE = 3
EXPANDED = "?expand[]=payments.data.payment.payment_intent"


@dataclass(frozen=True)
class Bought:
    """Somebody who has paid for a plan, what the sandbox says of it, and no webhook so far."""

    person: Person
    invoice: Body
    subscription: Body
    charge: Body
    intent: Body


@pytest.fixture
def bought(shop: Shop) -> Bought:
    """Ada has paid for Starter."""
    ada = shop.a_person()
    shop.pays(ada, "starter:month")
    events = shop.new_events()
    (paid,) = of_type(events, "invoice.paid")
    read = shop.sandbox.read
    invoice = read(shop.key, f"/v1/invoices/{paid['data']['object']['id']}{EXPANDED}")
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    subscription = invoice["parent"]["subscription_details"]["subscription"]
    return Bought(
        ada,
        invoice,
        read(shop.key, f"/v1/subscriptions/{subscription}"),
        read(shop.key, f"/v1/charges/{intent['latest_charge']}"),
        intent,
    )


def happens(shop: Shop, kind: str, body: Body, *, shown: Body | None = None) -> str | None:
    """The event has come about that object, which Stripe shows so, or as told; how it ended."""
    event = made_up_event(kind, body)
    with Proxy(shop.sandbox.base, answers={path_of(body): shown or body}) as odd:
        webhooks = services_through(shop, odd)
        webhooks.receive(*sign(event, shop.secret))
        webhooks.process(event["id"])
    (ended,) = results(shop, [event])
    return ended


def path_of(body: Body) -> str:
    return f"/v1/{body['object']}s/{body['id']}"


def nothing_due(invoice: Body) -> None:
    invoice.update(total=0, amount_due=0, amount_paid=0)
    invoice["payments"]["data"] = []


def trial(invoice: Body) -> None:
    nothing_due(invoice)
    invoice["lines"]["data"][0].update(amount=0, subtotal=0)


def coupon(invoice: Body) -> None:
    nothing_due(invoice)
    line = invoice["lines"]["data"][0]
    line["discount_amounts"] = [{"amount": line["amount"], "discount": "di_1"}]


def no_lines(invoice: Body) -> None:
    invoice["lines"]["data"] = []


def draft(invoice: Body) -> None:
    nothing_due(invoice)
    invoice.update(status="draft", number=None, hosted_invoice_url=None, invoice_pdf=None)
    invoice["status_transitions"] = dict.fromkeys(invoice["status_transitions"])


def sent(invoice: Body) -> None:
    invoice.update(status="open", collection_method="send_invoice", due_date=invoice["created"])
    invoice["payments"]["data"] = []


def below_zero(invoice: Body) -> None:
    nothing_due(invoice)
    line = invoice["lines"]["data"][0]
    line["parent"]["subscription_item_details"]["proration"] = True
    line.update(amount=-500)
    invoice.update(total=-500, billing_reason="subscription_update")
    invoice["total_taxes"] = [{"amount": -80, "tax_behavior": "inclusive"}]


def unknown_reason(invoice: Body) -> None:
    invoice.update(billing_reason="a_reason_of_next_year")


def no_reason(invoice: Body) -> None:
    invoice.update(billing_reason=None)


def unknown_price(invoice: Body) -> None:
    invoice["lines"]["data"][0]["pricing"]["price_details"]["price"] = "price_of_next_year"


def no_price(invoice: Body) -> None:
    invoice["lines"]["data"][0]["pricing"] = None


def more_lines(invoice: Body) -> None:
    ours = invoice["lines"]["data"][0]
    other = {**ours, "id": "il_other", "pricing": None, "amount": 99}
    invoice["lines"]["data"] = [other, ours]


def no_payments(invoice: Body) -> None:
    invoice["payments"] = None


def subscription_gone(invoice: Body) -> None:
    invoice["parent"]["subscription_details"]["subscription"] = "sub_gone"


def no_subscription(invoice: Body) -> None:
    invoice.update(parent=None, billing_reason="manual")


INVOICES: dict[str, tuple[Change, int, str, str]] = {
    # what is odd: the change, the credits it brings, the amount and status on the account page
    "a trial begins": (trial, 0, "0.00", "paid"),
    "a coupon pays for all": (coupon, 30, "0.00", "paid"),
    "without lines": (no_lines, 0, "19.99", "paid"),
    "a draft": (draft, 0, "0.00", "open"),
    "sent, with a due date": (sent, 0, "19.99", "open"),
    "a total below zero": (below_zero, 0, "0.00", "paid"),
    "a reason that is new": (unknown_reason, 0, "19.99", "paid"),
    "without a reason": (no_reason, 0, "19.99", "paid"),
    "a price that is not ours": (unknown_price, 0, "19.99", "paid"),
    "a line without a price": (no_price, 0, "19.99", "paid"),
    "a line of ours among others": (more_lines, 30, "19.99", "paid"),
    "no list of payments": (no_payments, 30, "19.99", "paid"),
    "its subscription is gone": (subscription_gone, 30, "19.99", "paid"),
    "without a subscription": (no_subscription, 0, "19.99", "paid"),
}


@pytest.mark.parametrize("case", INVOICES)
def test_an_invoice_of_any_kind_is_on_record_and_brings_what_it_should(
    shop: Shop, bought: Bought, case: str
) -> None:
    change, credits, amount, status = INVOICES[case]
    change(bought.invoice)
    for kind in ("invoice.payment_failed", "invoice.paid", "invoice.paid"):
        assert happens(shop, kind, bought.invoice) == "done"
    account = shop.payments.account(bought.person.id)
    assert account.credits.available == FREE + credits
    assert [(str(row.total.decimal()), row.status) for row in account.invoices] == [
        (amount, status)
    ]
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()
        drips = session.execute(text("SELECT count(*) FROM drips")).scalar_one()
    assert drips == 0


def status(name: str) -> Change:
    """The subscription has that status."""
    return lambda subscription: subscription.update(status=name)


def second_item(subscription: Body) -> None:
    ours = subscription["items"]["data"][0]
    other = {**ours, "id": "si_other", "price": {**ours["price"], "id": "price_not_ours"}}
    subscription["items"]["data"] = [other, ours]


def no_items(subscription: Body) -> None:
    subscription["items"]["data"] = []


def other_price(subscription: Body) -> None:
    subscription["items"]["data"][0]["price"]["id"] = "price_of_next_year"


def trialing(subscription: Body) -> None:
    first = subscription["items"]["data"][0]
    subscription.update(
        status="trialing",
        trial_start=first["current_period_start"],
        trial_end=first["current_period_end"],
        latest_invoice=None,
        default_payment_method=None,
    )


def sent_by_mail(subscription: Body) -> None:
    subscription.update(collection_method="send_invoice", days_until_due=14)


def paused(subscription: Body) -> None:
    subscription.update(status="paused", status_details={"paused": {"type": "subscription"}})


SUBSCRIPTIONS: dict[str, tuple[Change, str | None]] = {
    # what is odd: the change, the status of the plan on the account page
    "trialing": (trialing, "trialing"),
    "incomplete": (status("incomplete"), None),
    "incomplete and given up": (status("incomplete_expired"), None),
    "unpaid": (status("unpaid"), "unpaid"),
    "paused": (paused, "paused"),
    "a status that is new": (status("a_status_of_next_year"), None),
    "two items": (second_item, "active"),
    "no items": (no_items, None),
    "a price that is not ours": (other_price, None),
    "sent by mail": (sent_by_mail, "active"),
}


@pytest.mark.parametrize("case", SUBSCRIPTIONS)
def test_a_subscription_of_any_kind_is_a_plan_or_is_none(
    shop: Shop, bought: Bought, case: str
) -> None:
    change, expected = SUBSCRIPTIONS[case]
    change(bought.subscription)
    for kind in ("created", "updated", "deleted"):
        assert happens(shop, f"customer.subscription.{kind}", bought.subscription) == "done"
    plan = shop.payments.account(bought.person.id).plan
    assert (plan.status if plan else None) == expected


def test_a_plan_that_was_moved_to_a_price_we_do_not_sell_still_ends(
    shop: Shop, bought: Bought
) -> None:
    assert happens(shop, "customer.subscription.created", bought.subscription) == "done"
    other_price(bought.subscription)
    assert happens(shop, "customer.subscription.updated", bought.subscription) == "done"
    plan = shop.payments.account(bought.person.id).plan
    assert plan is not None
    assert plan.item == "starter:month"
    bought.subscription.update(status="canceled", ended_at=bought.subscription["created"])
    assert happens(shop, "customer.subscription.deleted", bought.subscription) == "done"
    assert shop.payments.account(bought.person.id).plan is None


def test_a_charge_without_a_payment_intent_changes_nothing(shop: Shop, bought: Bought) -> None:
    bought.charge.update(payment_intent=None, amount_refunded=1999, refunded=True)
    assert happens(shop, "charge.refunded", bought.charge) == "ignored"
    assert shop.payments.account(bought.person.id).invoices == ()


def test_a_payment_that_lost_its_customer_is_nobodys(shop: Shop, bought: Bought) -> None:
    shown = {**bought.intent, "customer": None, "last_payment_error": {"code": "expired_card"}}
    happens(shop, "payment_intent.payment_failed", bought.intent, shown=shown)
    with shop.runtime.read_only() as session:
        tries = session.execute(text("SELECT count(*) FROM failed_attempts")).scalar_one()
    assert tries == 0


def test_a_deleted_object_counts_as_gone(shop: Shop, bought: Bought) -> None:
    gone = {"id": bought.subscription["id"], "object": "subscription", "deleted": True}
    kind = "customer.subscription.updated"
    assert happens(shop, kind, bought.subscription, shown=gone) == "ignored"
