"""What the office says of all customers together: what was got back, and who pays which price."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from talkingphoto import cli
from talkingphoto import runtime as runtimes
from talkingphoto.billing import catalog, customers, recovery, standing, subscriptions
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.flows.test_office import opened, somebody, words

CARD = "Visa ending 4242"
ITEM = "enterprise:year"
OLD, NEW = Money(1_599_99, "usd"), Money(1_999_99, "usd")
NONE_FAILED = "No invoice failed for the first time from"


@pytest.fixture(scope="module")
def product() -> Runtime:
    """The product of this process, as the pages see it."""
    return runtimes.ready()


def a_refused_renewal(
    product: Runtime,
    *,
    minor: int,
    code: str = "insufficient_funds",
    paid: bool = False,
    days_ago: int = 0,
) -> None:
    """Somebody's bank said no to so many pence, and another card has paid them since or not."""
    who, now = somebody()[0], product.clock() - timedelta(days=days_ago)
    seen = datetime.now(UTC)
    refused = recovery.Refused(
        invoice_id=f"in_{uuid.uuid4().hex}",
        user_id=who,
        subscription_id=f"sub_{uuid.uuid4().hex}",
        amount=Money(minor, "gbp"),
        hosted_url="",
        last_try=recovery.LastTry(code=code, method_id="pm_1", card=CARD),
    )
    with product.transaction() as session:
        customers.ensure(session, user_id=who, now=now)
        recovery.record_refusal(session, refused=refused, now=now, looked_at=seen)
        if paid:
            recovery.record_end(
                session,
                invoice_id=refused.invoice_id,
                method_id="pm_2",
                now=now,
                looked_at=seen,
            )


def a_price(product: Runtime, amount: Money) -> str:
    """Whoever buys from now on pays that."""
    price_id = f"price_{uuid.uuid4().hex}"
    with product.transaction() as session:
        catalog.record_price(
            session,
            item_key=ITEM,
            price_id=price_id,
            product_id="talkingphoto_enterprise",
            looked_at=datetime.now(UTC),
            amount=amount,
        )
    return price_id


def buys(product: Runtime, price_id: str, price: Money) -> None:
    """Somebody has a plan at that price."""
    who, now = somebody()[0], product.clock()
    year = timedelta(days=365)
    with product.transaction() as session:
        customers.ensure(session, user_id=who, now=now)
        subscriptions.record(
            session,
            user_id=who,
            facts=subscriptions.SubscriptionFacts(
                id=f"sub_{uuid.uuid4().hex}",
                customer_id=None,
                items=(subscriptions.SubscribedItem(price_id, now, now + year),),
                status="active",
                cancel_at_period_end=False,
                started_at=now,
                ended_at=None,
                standing=standing.Standing(price_id=price_id, price=price),
            ),
            looked_at=datetime.now(UTC),
        )


def test_what_failed_and_what_was_got_back_is_shown_for_each_currency(product: Runtime) -> None:
    who, _ = somebody("support")
    page = opened(who, "Recovery")
    assert NONE_FAILED in words(page)
    for paid in (True, True, False):
        a_refused_renewal(product, minor=19_99, paid=paid)
    page.run()
    said = words(page)
    for expected in (
        "GBP",
        "66.6 % got back",
        "£59.97 (3)",
        "£39.98 (2)",
        "of it by another card",
        "£19.99",
        "insufficient funds",
    ):
        assert expected in said
    assert NONE_FAILED not in said


def test_an_older_failure_is_in_the_ninety_days_and_no_other_period(product: Runtime) -> None:
    who, _ = somebody("support")
    a_refused_renewal(product, minor=77_00, code="lost_card", days_ago=85)
    page = opened(who, "Recovery")
    for period, seen in (("This month", False), ("Last month", False), ("Last 90 days", True)):
        page.radio(key="tp-office-period").set_value(period).run()
        assert not page.exception
        assert ("lost card" in words(page)) is seen, period


def test_the_command_line_says_the_same_of_any_days(
    product: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    a_refused_renewal(product, minor=12_00, days_ago=200)
    day = f"{product.clock() - timedelta(days=200):%Y-%m-%d}"
    assert cli.main(["recovery", "--from", day, "--to", day]) == 0
    failed = "0.0 %: £0.00 of £12.00 that failed (0 of 1 invoices)"
    assert capsys.readouterr().out.splitlines() == [
        f"invoices that failed for the first time from {day} to {day} (UTC)",
        f"gbp: {failed}; £12.00 open, £0.00 lost",
        f"gbp insufficient_funds: {failed}",
    ]
    assert cli.main(["recovery", "--from", "soon"]) == 1
    assert "Write the day as in 2027-03-01." in capsys.readouterr().err


def test_who_pays_an_old_price_is_told_beside_the_price_of_today(product: Runtime) -> None:
    who, _ = somebody("support")
    page = opened(who, "Prices")
    assert "Whoever has a plan pays today's price." in words(page).replace("&#x27;", "'")
    assert "Nobody pays for a plan yet." in words(page)
    before = a_price(product, OLD)
    buys(product, before, OLD)
    now = a_price(product, NEW)
    buys(product, now, NEW)
    buys(product, now, NEW)
    page.run()
    said = words(page)
    old, today = said.split("Today's prices")
    for expected in ("Enterprise by the year", "$1,599.99", "$1,999.99", before, "none is planned"):
        assert expected in old
    assert now in today
    assert ">2<" in today
    assert before not in today
