"""The arithmetic of parts of periods, worked by hand, and what must hold for all of them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_sandbox.flows import changing, previewing, subscribing
from stripe_sandbox.maths import prorating
from stripe_sandbox.objects import coupons, customers, prices, tax_rates
from stripe_sandbox.sandbox import Sandbox, Settings

DAY = 24 * 3600
HOUR = 3600


@pytest.mark.parametrize(
    ("amount", "days", "left", "part"),
    [
        # Nothing used: all of it is left. 1999 x 30/30.
        (1999, 30, 30 * DAY, 1999),
        # All used: nothing is left. 1999 x 0/30.
        (1999, 30, 0, 0),
        # Half of 30 days: 1999 / 2 = 999.5, half a unit away from zero.
        (1999, 30, 15 * DAY, 1000),
        (-1999, 30, 15 * DAY, -1000),
        # Half of 31 days: 1999 / 2 again, whatever the month.
        (1999, 31, 15 * DAY + 12 * HOUR, 1000),
        # 10 of 31 days: 1999 x 10/31 = 644.84.
        (1999, 31, 10 * DAY, 645),
        # 1 of 28 days, February: 4999 x 1/28 = 178.54.
        (4999, 28, 1 * DAY, 179),
        # 1 of 29 days, February of a leap year: 4999 x 1/29 = 172.38.
        (4999, 29, 1 * DAY, 172),
        # One hour of 30 days: 4999 x 1/720 = 6.94.
        (4999, 30, HOUR, 7),
        # One second of 30 days: 4999 / 2,592,000 = 0.0019.
        (4999, 30, 1, 0),
        # One second less than all of it: 4999 x 2,591,999/2,592,000 = 4998.998.
        (4999, 30, 30 * DAY - 1, 4999),
        # 100 of 365 days: 19999 x 100/365 = 5479.18.
        (19999, 365, 100 * DAY, 5479),
        # 183 of 366 days: exactly half of 49999 is 24999.5.
        (49999, 366, 183 * DAY, 25000),
        # 500 yen, 7 of 30 days: 116.67 yen, and there is no part of a yen.
        (500, 30, 7 * DAY, 117),
        # 5.120 Kuwaiti dinar, 13 of 31 days: 5120 x 13/31 = 2147.10 fils.
        (5120, 31, 13 * DAY, 2147),
        # A price of nothing has no part.
        (0, 30, 15 * DAY, 0),
        # 1 cent, 15 of 30 days: 0.5, away from zero.
        (1, 30, 15 * DAY, 1),
        # 1 cent, 14 of 30 days: 0.47.
        (1, 30, 14 * DAY, 0),
    ],
)
def test_the_part_that_is_left_of_a_sum(amount: int, days: int, left: int, part: int) -> None:
    begins, ends = 1_000_000, 1_000_000 + days * DAY
    assert prorating.share(amount, begins=begins, ends=ends, now=ends - left) == part


@pytest.mark.parametrize(
    ("now", "part"),
    # Before it begins all is left; after its end nothing; an empty period has no parts.
    [(0, 1999), (999, 1999), (2000, 0), (5000, 0)],
)
def test_a_moment_outside_of_the_period_has_all_or_nothing(now: int, part: int) -> None:
    assert prorating.share(1999, begins=1000, ends=2000, now=now) == part
    assert prorating.share(1999, begins=1000, ends=1000, now=now) == 0


@given(
    st.integers(-(10**8), 10**8),
    st.integers(0, 10**9),
    st.integers(1, 366 * DAY),
    st.integers(0, 366 * DAY),
)
def test_a_part_is_never_more_than_the_whole_and_a_credit_is_its_mirror(
    amount: int, begins: int, length: int, passed: int
) -> None:
    ends, now = begins + length, begins + passed
    part = prorating.share(amount, begins=begins, ends=ends, now=now)
    assert abs(part) <= abs(amount)
    assert prorating.share(-amount, begins=begins, ends=ends, now=now) == -part


@dataclass
class Bench:
    """A sandbox in this process whose time stands still, with a customer who pays."""

    sandbox: Sandbox
    begins: int


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(
            Settings(store=Path(folder) / "store.sqlite", public_url="http://localhost:1")
        )
        yield Bench(sandbox, 1_767_225_600)
        sandbox.store.close()


def _price(unit: Any, amount: int) -> str:
    values = {
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": "month"},
        "product_data": {"name": f"Plan {amount}"},
    }
    return str(prices.create(unit, values)["id"])


@dataclass(frozen=True)
class Terms:
    """What a subscription is changed between, and what is taken off and put on."""

    old: int
    new: int
    quantity: int
    passed: int
    percent_off: str
    percent_tax: str
    inclusive: bool


_TERMS = st.builds(
    Terms,
    old=st.integers(50, 99_999),
    new=st.integers(50, 99_999),
    quantity=st.integers(1, 7),
    passed=st.integers(0, 31 * DAY - 1),
    percent_off=st.sampled_from(["", "10", "33.33", "99"]),
    percent_tax=st.sampled_from(["", "7.25", "19", "21.6"]),
    inclusive=st.booleans(),
)


def _subscribed(unit: Any, terms: Terms, begins: int) -> Any:
    unit.now = begins
    customer = customers.create(
        unit,
        {
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        },
    )
    values: Any = {
        "customer": customer["id"],
        "items": [{"price": _price(unit, terms.old), "quantity": terms.quantity}],
    }
    if terms.percent_off:
        values["discounts"] = [
            {
                "coupon": coupons.create(
                    unit, {"percent_off": Decimal(terms.percent_off), "duration": "forever"}
                )["id"]
            }
        ]
    if terms.percent_tax:
        rate = tax_rates.create(
            unit,
            {
                "display_name": "VAT",
                "percentage": Decimal(terms.percent_tax),
                "inclusive": terms.inclusive,
            },
        )
        values["default_tax_rates"] = [rate["id"]]
    return subscribing.create(unit, values)


def _changed(unit: Any, body: Any, price: str) -> Any:
    item = body["items"]["data"][0]["id"]
    wish = {"items": [{"id": item, "price": price}], "proration_behavior": "always_invoice"}
    preview = previewing.create(unit, {"subscription": body["id"], "subscription_details": wish})
    before = body["latest_invoice"]
    after = changing.update(unit, dict(wish), body["id"])
    if after["latest_invoice"] == before:
        # Both parts came to nothing, so nothing was billed.
        return {"total": 0}
    invoice = unit.get("invoice", after["latest_invoice"])
    assert preview["total"] == invoice["total"]
    assert preview["total_taxes"] == invoice["total_taxes"]
    return invoice


@given(_TERMS)
@settings(max_examples=60, deadline=None)
def test_an_upgrade_and_its_inverse_at_one_moment_add_up_to_nothing(
    bench: Bench, terms: Terms
) -> None:
    with bench.sandbox.transaction() as unit, unit.rehearsal():
        body = _subscribed(unit, terms, bench.begins)
        old, new = body["items"]["data"][0]["price"]["id"], _price(unit, terms.new)
        unit.now = bench.begins + terms.passed
        up = _changed(unit, body, new)
        down = _changed(unit, unit.get("subscription", body["id"]), old)
        assert up["total"] + down["total"] == 0
