"""M10: what was shown is what is charged, to the cent, at any moment of a year of changes."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from talkingphoto.billing import catalog, changes, ledger
from tests.support.clocked import Clocked
from tests.support.shop import Shop

UPWARD = ("starter:month", "pro:month", "enterprise:month", "enterprise:year")
DAY = 24 * 3600


def terms(shop: Shop, draw: random.Random) -> dict[str, Any]:
    """Taxes and discounts that the plan is paid under."""
    client = shop.sandbox.client(shop.key).v1
    chosen: dict[str, Any] = {}
    if draw.random() < 0.7:
        rate: Any = {"display_name": "VAT", "inclusive": draw.random() < 0.4}
        rate["percentage"] = draw.choice((7.7, 19, 21))
        made = client.tax_rates.create(rate)
        chosen["default_tax_rates"] = [made.id]
    if draw.random() < 0.6:
        off: Any = {"percent_off": draw.choice((10, 33.3, 50)), "duration": "forever"}
        chosen["discounts"] = [{"coupon": client.coupons.create(off).id}]
    return chosen


@pytest.mark.parametrize("seed", range(3))
def test_m10_every_confirmed_charge_is_the_one_that_was_shown(shop: Shop, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - the same moments in every run
    start = draw.choice(("starter:month", "starter:year"))
    ada = Clocked(shop, start, **terms(shop, draw))
    way = UPWARD[1:] if start.endswith("month") else ("pro:year", "enterprise:year")
    for item in way:
        ada.lives(seconds=draw.randrange(1, 25 * DAY))
        ada.hears()
        shop.payments.run_due_work()
        ada.client.v1.customers.update(ada.customer, {"balance": draw.choice((0, -700, 250))})
        before = shop.balance(ada.person)
        seen = shop.changes.preview(user_id=ada.person.id, item=item)
        lines = sum(line.amount.minor for line in seen.lines)
        assert lines == seen.charge_today.minor
        made = shop.changes.confirm(
            user_id=ada.person.id, token=seen.token, request_id=str(uuid.uuid4())
        )
        assert (made.state, made.charged) == ("done", seen.charge_today), f"seed {seed}"
        assert ada.charged()[: bool(seen.charge_today.minor)] == [seen.charge_today.minor] * bool(
            seen.charge_today.minor
        )
        assert shop.balance(ada.person) - before == made.credits_added == seen.credits_now
        ada.hears()
        assert shop.balance(ada.person) - before == made.credits_added
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()
        assert changes.open_of(session, user_id=ada.person.id) is None
        never_more_than_paid(session.execute(text(SOLD)).all())


SOLD = """
    SELECT p.id, p.amount_minor, coalesce(sum(l.price_minor), 0) AS lots,
        (SELECT coalesce(sum(price_minor), 0) FROM drips WHERE reference = p.id
            AND state = 'pending') AS coming
    FROM payments p LEFT JOIN lots l ON l.reference = p.id GROUP BY p.id
"""


def never_more_than_paid(rows: Any) -> None:
    """Lots and months to come of an invoice are worth what it came to, to the cent."""
    for payment_id, amount, lots, coming in rows:
        assert lots + coming in {amount, 0}, payment_id


def test_every_pair_of_plans_is_changed_at_once_or_at_the_periods_end() -> None:
    plans = [item for item in catalog.ITEMS.values() if item.is_plan]
    now = {
        (old.key, new.key)
        for old in plans
        for new in plans
        if old != new and changes.kind_of(old, new) == "now"
    }
    assert now == {
        ("starter:month", "pro:month"),
        ("starter:month", "enterprise:month"),
        ("pro:month", "enterprise:month"),
        ("starter:year", "pro:year"),
        ("starter:year", "enterprise:year"),
        ("pro:year", "enterprise:year"),
        ("starter:month", "starter:year"),
        ("starter:month", "pro:year"),
        ("starter:month", "enterprise:year"),
        ("pro:month", "pro:year"),
        ("pro:month", "enterprise:year"),
        ("enterprise:month", "enterprise:year"),
    }
