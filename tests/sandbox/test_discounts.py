"""Discounts made of coupons and codes: the checks, the counting, and what they take off.

What is here is called by the routes of subscriptions, invoices and Checkout Sessions; these tests
call it as they do, with a store of their own.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stripe_sandbox import Json
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.maths.discounting import Line
from stripe_sandbox.objects import coupons, customers, discounts, promotion_codes
from stripe_sandbox.objects.discounts import Target
from stripe_sandbox.sandbox import Sandbox, Settings
from stripe_sandbox.unit import Unit


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    """One unit of work on a store of its own."""
    sandbox = Sandbox(Settings(tmp_path / "s.sqlite", "http://localhost:1"))
    with sandbox.transaction() as opened:
        yield opened
    sandbox.store.close()


def _coupon(unit: Unit, **values: object) -> str:
    wanted = values if "amount_off" in values else {"percent_off": 20, **values}
    return str(coupons.create(unit, dict(wanted))["id"])


def _code(unit: Unit, coupon: str, **values: object) -> str:
    promotion = {"type": "coupon", "coupon": coupon}
    return str(promotion_codes.create(unit, {"promotion": promotion, **values})["id"])


def _subscription(unit: Unit, amount: int | None = 2000) -> Target:
    customer = customers.create(unit, {"email": "ada@example.com"})
    return Target("subscription", "sub_1", "usd", customer=customer, amount=amount)


def _events(unit: Unit, kind: str) -> list[Json]:
    return [event for event in unit.select("event") if event["type"] == kind]


def test_a_discount_names_its_coupon_its_code_and_what_it_is_on(unit: Unit) -> None:
    coupon = _coupon(unit, duration="repeating", duration_in_months=3)
    code = _code(unit, coupon)
    target = replace(_subscription(unit), kind="subscription_item", id="si_1", subscription="sub_1")
    (body,) = discounts.applied(unit, [{"promotion_code": code}], target)
    assert body["source"] == {"coupon": coupon, "type": "coupon"}
    assert (body["promotion_code"], body["customer"]) == (code, target.customer["id"])  # type: ignore[index]
    assert (body["subscription"], body["subscription_item"]) == ("sub_1", "si_1")
    assert (body["invoice"], body["invoice_item"], body["checkout_session"]) == (None, None, None)
    # Three months after its start, on the same day of the month.
    assert 89 <= (body["end"] - body["start"]) / (24 * 3600) <= 92
    assert len(_events(unit, "customer.discount.created")) == 1


def test_only_a_repeating_coupon_has_an_end_and_in_force_ends_there(unit: Unit) -> None:
    target = _subscription(unit)
    given = [
        {"coupon": _coupon(unit, duration="forever")},
        {"coupon": _coupon(unit, duration="once")},
        {"coupon": _coupon(unit, duration="repeating", duration_in_months=1)},
    ]
    forever, once, month = discounts.applied(unit, given, target)
    assert (forever["end"], once["end"]) == (None, None)
    ids = [forever["id"], once["id"], month["id"]]
    assert discounts.in_force(unit, ids, month["end"] - 1) == ids
    assert discounts.in_force(unit, ids, month["end"]) == ids[:2]


def test_redemptions_are_counted_and_the_last_one_allowed_closes_coupon_and_code(
    unit: Unit,
) -> None:
    coupon = _coupon(unit, max_redemptions=2)
    code = _code(unit, coupon)
    target = _subscription(unit)
    discounts.applied(unit, [{"promotion_code": code}], target)
    assert unit.get("promotion_code", code)["times_redeemed"] == 1
    assert unit.get("coupon", coupon)["valid"] is True
    discounts.applied(unit, [{"coupon": coupon}], target)
    closed = unit.get("coupon", coupon)
    assert (closed["times_redeemed"], closed["valid"]) == (2, False)
    assert unit.get("promotion_code", code)["active"] is False
    with pytest.raises(StripeFault, match="used up") as refused:
        discounts.applied(unit, [{"coupon": coupon}], target)
    assert refused.value.error["code"] == "coupon_expired"
    assert refused.value.error["param"] == "discounts[0][coupon]"


def test_checking_counts_nothing_and_a_named_discount_is_used_again(unit: Unit) -> None:
    coupon = _coupon(unit, max_redemptions=1)
    target = _subscription(unit)
    (offer,) = discounts.checked(unit, [{"coupon": coupon, "promotion_code": None}], target)
    assert (offer.coupon["id"], offer.promotion_code) == (coupon, None)
    assert unit.get("coupon", coupon)["times_redeemed"] == 0
    (made,) = discounts.applied(unit, [{"coupon": coupon}], target)
    again = discounts.applied(unit, [{"discount": made["id"]}], target)
    assert [body["id"] for body in again] == [made["id"]]
    with pytest.raises(StripeFault, match="another customer"):
        discounts.applied(unit, [{"discount": made["id"]}], _subscription(unit))
    assert unit.get("coupon", coupon)["times_redeemed"] == 1


def test_a_code_ends_with_its_day_and_a_coupon_with_its_own(unit: Unit) -> None:
    target = _subscription(unit)
    coupon = _coupon(unit, redeem_by=unit.now + 200)
    code = _code(unit, coupon, expires_at=unit.now + 100)
    unit.now += 99
    discounts.checked(unit, [{"promotion_code": code}], target)
    unit.now += 1
    with pytest.raises(StripeFault, match="expired"):
        discounts.checked(unit, [{"promotion_code": code}], target)
    discounts.checked(unit, [{"coupon": coupon}], target)
    unit.now += 100
    with pytest.raises(StripeFault, match="expired and cannot be applied"):
        discounts.checked(unit, [{"coupon": coupon}], target)


def test_a_code_for_one_customer_is_for_nobody_else(unit: Unit) -> None:
    target = _subscription(unit)
    assert target.customer is not None
    code = _code(unit, _coupon(unit), customer=target.customer["id"])
    discounts.checked(unit, [{"promotion_code": code}], target)
    for other in (_subscription(unit), replace(target, customer=None)):
        with pytest.raises(StripeFault, match="another customer"):
            discounts.checked(unit, [{"promotion_code": code}], other)
    word = unit.get("promotion_code", code)["code"]
    mine = promotion_codes.named(unit, word.lower(), target.customer["id"])
    assert mine is not None and mine["id"] == code
    assert promotion_codes.named(unit, word, None) is None


def test_a_code_for_first_purchases_refuses_who_has_paid_or_been_billed(unit: Unit) -> None:
    code = _code(unit, _coupon(unit), restrictions={"first_time_transaction": True})
    target = _subscription(unit)
    assert target.customer is not None
    discounts.checked(unit, [{"promotion_code": code}], target)
    mine = {"customer": target.customer["id"]}
    unit.insert({"id": "ch_failed", "object": "charge", "status": "failed", **mine})
    unit.insert({"id": "in_draft", "object": "invoice", "status": "draft", **mine})
    discounts.checked(unit, [{"promotion_code": code}], target)
    unit.insert({"id": "in_open", "object": "invoice", "status": "open", **mine})
    with pytest.raises(StripeFault, match="has prior transactions"):
        discounts.checked(unit, [{"promotion_code": code}], target)
    other = _subscription(unit)
    assert other.customer is not None
    paid = {"id": "ch_paid", "object": "charge", "status": "succeeded"}
    unit.insert({**paid, "customer": other.customer["id"]})
    with pytest.raises(StripeFault, match="has prior transactions"):
        discounts.checked(unit, [{"promotion_code": code}], other)


def test_a_minimum_is_held_at_its_edge_and_in_each_currency(unit: Unit) -> None:
    rules = {
        "minimum_amount": 2000,
        "minimum_amount_currency": "usd",
        "currency_options": {"eur": {"minimum_amount": 1800}},
    }
    code = _code(unit, _coupon(unit), restrictions=rules)
    given = [{"promotion_code": code}]
    target = _subscription(unit, amount=2000)
    discounts.checked(unit, given, target)
    discounts.checked(unit, given, replace(target, amount=1800, currency="eur"))
    for amount, currency in ((1999, "usd"), (1799, "eur"), (9999, "gbp"), (None, "usd")):
        with pytest.raises(StripeFault, match="cannot be redeemed"):
            discounts.checked(unit, given, replace(target, amount=amount, currency=currency))


def test_a_sum_off_needs_one_in_the_currency_and_a_percentage_does_not(unit: Unit) -> None:
    euros = {"currency_options": {"eur": {"amount_off": 450}}}
    sum_off = _coupon(unit, amount_off=500, currency="usd", **euros)
    target = _subscription(unit)
    for currency in ("usd", "eur"):
        discounts.checked(unit, [{"coupon": sum_off}], replace(target, currency=currency))
    with pytest.raises(StripeFault, match="has none in gbp"):
        discounts.checked(unit, [{"coupon": sum_off}], replace(target, currency="gbp"))
    discounts.checked(unit, [{"coupon": _coupon(unit)}], replace(target, currency="gbp"))


@pytest.mark.parametrize("given", [{}, {"coupon": "a", "discount": "b"}])
def test_a_discount_is_named_in_exactly_one_way(unit: Unit, given: dict[str, str]) -> None:
    with pytest.raises(StripeFault, match="exactly one"):
        discounts.applied(unit, [dict(given)], _target())


def _target() -> Target:
    return Target("invoice", "in_1", "usd")


def test_a_coupon_nobody_knows_and_a_deleted_one_are_not_found(unit: Unit) -> None:
    coupon = _coupon(unit)
    coupons.delete(unit, {}, coupon)
    for name in ("NOBODY", coupon):
        with pytest.raises(StripeFault) as refused:
            discounts.checked(unit, [{"coupon": name}], _target())
        assert refused.value.error["code"] == "resource_missing"


def test_a_line_s_own_discount_comes_before_those_of_the_order(unit: Unit) -> None:
    target = _subscription(unit)
    given = [
        {"coupon": _coupon(unit, percent_off=50)},
        {"coupon": _coupon(unit, amount_off=300, currency="usd")},
        {"coupon": _coupon(unit, percent_off=10)},
    ]
    own, off, tenth = (body["id"] for body in discounts.applied(unit, given, target))
    lines = [(Line(1000, "prod_a"), [own]), (Line(2500, "prod_b"), []), (Line(-500), [])]
    found = discounts.amounts(unit, lines, [off, tenth], "usd")
    # The first line is 500 after its own half. 300 over 500 and 2500: 50 and 250. Then a tenth of
    # 450, of 2250, and of the credit of -500.
    assert found == [
        [
            {"amount": 500, "discount": own},
            {"amount": 50, "discount": off},
            {"amount": 45, "discount": tenth},
        ],
        [{"amount": 250, "discount": off}, {"amount": 225, "discount": tenth}],
        [{"amount": -50, "discount": tenth}],
    ]
    assert discounts.total(found) == [
        {"amount": 500, "discount": own},
        {"amount": 300, "discount": off},
        {"amount": 220, "discount": tenth},
    ]


def test_what_counts_once_is_gone_after_it_was_used_and_the_rest_stays(unit: Unit) -> None:
    target = _subscription(unit)
    given = [{"coupon": _coupon(unit, duration=how)} for how in ("once", "forever")]
    once, forever = (body["id"] for body in discounts.applied(unit, given, target))
    assert discounts.used(unit, [once, forever]) == [forever]
    gone = unit.get("discount", once)
    assert gone["deleted"] is True
    assert gone["source"]["type"] == "coupon", "invoices still show what it was"
    (event,) = _events(unit, "customer.discount.deleted")
    assert event["data"]["object"]["id"] == once
    assert discounts.in_force(unit, [once, forever], unit.now) == [forever]


def test_taking_the_discount_of_a_subscription_away_says_so(unit: Unit) -> None:
    target = _subscription(unit)
    (made,) = discounts.applied(unit, [{"coupon": _coupon(unit, duration="forever")}], target)
    stored = {"id": "sub_1", "object": "subscription", "discounts": [made["id"]]}
    unit.insert(stored)
    gone = discounts.delete_of_subscription(unit, {}, "sub_1")
    assert (gone["id"], gone["deleted"]) == (made["id"], True)
    assert unit.get("subscription", "sub_1")["discounts"] == []
    with pytest.raises(StripeFault, match="No such discount"):
        discounts.delete_of_subscription(unit, {}, "sub_1")
