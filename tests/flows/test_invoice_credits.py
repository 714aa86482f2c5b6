"""Which invoices of a plan bring credits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from talkingphoto.billing import catalog, ledger, plan_credits, subscriptions
from talkingphoto.foundation.clock import add_months
from talkingphoto.foundation.money import Money
from tests.support.shop import Shop

PAID = Money(1999, "usd")


def invoice(shop: Shop, price_id: str, *, number: int = 1) -> subscriptions.InvoiceFacts:
    """A paid invoice over one period of the plan at that price."""
    now = shop.runtime.clock()
    line = subscriptions.InvoiceLine(
        id="il_1",
        price_id=price_id,
        amount=PAID,
        tax_minor=0,
        is_proration=False,
        period_start=now,
        period_end=add_months(now, months=1),
    )
    return subscriptions.InvoiceFacts(
        id=f"in_{number}",
        customer_id="cus_1",
        subscription_id="sub_1",
        status="paid",
        billing_reason="subscription_cycle",
        total=PAID,
        tax_minor=0,
        number=None,
        hosted_url=None,
        pdf_url=None,
        payment_intent_id=None,
        created_at=now,
        paid_at=now,
        lines=(line,),
    )


@pytest.mark.parametrize(
    ("reason", "status", "proration", "credits"),
    [
        ("subscription_create", "paid", False, 30),
        ("subscription_cycle", "paid", False, 30),
        ("subscription_update", "paid", False, 0),
        ("subscription_cycle", "paid", True, 0),
        ("subscription_cycle", "open", False, 0),
        ("manual", "paid", False, 0),
    ],
)
def test_only_a_paid_whole_period_brings_credits_and_once(
    shop: Shop, reason: str, status: str, proration: bool, credits: int
) -> None:
    ada = shop.a_person()
    with shop.runtime.read_only() as session:
        price_id = catalog.current_price_id(session, item_key="starter:month")
    facts = invoice(shop, price_id)
    (line,) = facts.lines
    facts = replace(
        facts,
        billing_reason=reason,
        status=status,
        lines=(replace(line, is_proration=proration),),
    )
    for _ in range(2):
        with shop.runtime.transaction() as session:
            plan_credits.grant_invoice(
                session, user_id=ada.id, facts=facts, now=shop.runtime.clock()
            )
    assert shop.balance(ada) == 3 + credits


def test_one_sweep_after_a_year_grants_and_ends_more_than_one_batch_holds(shop: Shop) -> None:
    ada = shop.a_person()
    invoices = 20
    assert invoices * 11 > plan_credits.MOST_DRIPS
    with shop.runtime.transaction() as session:
        price_id = catalog.current_price_id(session, item_key="starter:year")
        for number in range(invoices):
            facts = invoice(shop, price_id, number=number)
            now = shop.runtime.clock()
            plan_credits.grant_invoice(session, user_id=ada.id, facts=facts, now=now)
    assert shop.balance(ada) == 3 + invoices * 30
    shop.clock.move_to(add_months(shop.runtime.clock(), months=12))
    # Eleven months were granted of each, and of the twelve now granted eleven have ended.
    assert shop.payments.run_due_work() == invoices * (11 * 30 + 11)
    assert shop.balance(ada) == 3 + invoices * 30
    assert shop.payments.run_due_work() == 0
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_a_quantity_that_was_paid_is_granted_and_two_years_on_one_invoice_are_two(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    with shop.runtime.read_only() as session:
        month, year = (
            catalog.current_price_id(session, item_key=f"starter:{each}")
            for each in ("month", "year")
        )
    twice, years = invoice(shop, month, number=1), invoice(shop, year, number=2)
    (line,) = twice.lines
    twice = replace(twice, lines=(replace(line, quantity=2),))
    (line,) = years.lines
    years = replace(years, lines=(line, replace(line, id="il_2")))
    for facts in (twice, years, years):
        with shop.runtime.transaction() as session:
            plan_credits.grant_invoice(
                session, user_id=ada.id, facts=facts, now=shop.runtime.clock()
            )
    assert shop.balance(ada) == 3 + 60 + 2 * 30
