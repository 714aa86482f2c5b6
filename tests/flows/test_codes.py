"""A promotion code says what it does before it is used, and why when it does nothing."""

from __future__ import annotations

import itertools
import uuid
from functools import partial
from typing import Any

import pytest

from talkingphoto.billing import catalog
from talkingphoto.billing import codes as code_rules
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from talkingphoto.workflows import codes
from tests.flows.test_cancelling import (
    Died,
    a_subscriber,
    at_stripe,
    client,
    code_of,
    dies,
    plan_of,
)
from tests.support.shop import Person, Shop

FREE = 3
_NUMBERS = itertools.count(1)


@pytest.mark.parametrize(
    ("coupon", "item", "after", "words"),
    [
        (
            {"percent_off": 20, "duration": "repeating", "duration_in_months": 3},
            "pro:month",
            39_99,
            "20 % off for 3 months, then $49.99 a month",
        ),
        (
            {"percent_off": 12.5, "duration": "once"},
            "starter:month",
            17_49,
            "12.5 % off the first month, then $19.99 a month",
        ),
        (
            {"amount_off": 5000, "currency": "usd", "duration": "forever"},
            "starter:year",
            149_99,
            "$50.00 off for as long as you keep the plan",
        ),
        ({"percent_off": 100, "duration": "once"}, "pack:10", 0, "100 % off"),
        ({"amount_off": 2000, "currency": "usd", "duration": "once"}, "pack:10", 0, "$20.00 off"),
    ],
)
def test_what_a_code_does_is_said_before_and_is_what_stripe_charges(
    shop: Shop, coupon: dict[str, Any], item: str, after: int, words: str
) -> None:
    ada = shop.a_person()
    code = a_code(shop, coupon)
    offer = shop.plans.check_code(user_id=None, item=item, code=f" {code.lower()} ")
    before = shop.payments_price(item)
    assert (offer.code, offer.before, offer.after.minor) == (code, before, after)
    assert offer.words == words
    pays_with(shop, ada, item, code)
    assert [row.total for row in shop.payments.account(ada.id).invoices] == [offer.after]
    # Fewer dollars are not fewer videos.
    assert shop.balance(ada) == FREE + catalog.item(item).credits


def test_a_code_that_does_nothing_says_why(shop: Shop) -> None:
    ada, bob = a_subscriber(shop), shop.a_person()
    ours = at_stripe(shop, ada).customer
    ten = {"percent_off": 10, "duration": "once"}
    products = {product.name: product.id for product in client(shop).products.list().data}
    only_pro = {**ten, "applies_to": {"products": [products["TalkingPhoto Pro"]]}}
    euros = {"amount_off": 100, "currency": "eur", "duration": "once"}
    soon = int(shop.clock.now.timestamp()) + 60
    used_up = a_code(shop, ten, max_redemptions=1)
    pays_with(shop, shop.a_person(), "pack:10", used_up)
    off = a_code(shop, ten)
    found = client(shop).promotion_codes.list({"code": off}).data[0]
    client(shop).promotion_codes.update(found.id, {"active": False})
    least = {"minimum_amount": 2000, "minimum_amount_currency": "usd"}
    for code, expected in {
        "NOSUCHCODE": "unknown",
        "": "unknown",
        "n\0 code": "unknown",
        a_code(shop, ten, customer=ours): "unknown",
        off: "expired",
        used_up: "used_up",
        a_code(shop, only_pro): "not_for_this",
        a_code(shop, euros): "not_for_this",
        a_code(shop, ten, restrictions=least): "not_for_this",
    }.items():
        assert why(shop, bob, "starter:month", code) == f"code.{expected}", code
    assert code_of(partial(opens_with, shop, bob, "starter:month", off)) == "code.expired"
    first = a_code(shop, ten, restrictions={"first_time_transaction": True})
    assert why(shop, ada, "pack:10", first) == "code.first_time_only"
    assert why(shop, bob, "pack:10", first) == ""
    assert why(shop, ada, "pack:10", a_code(shop, ten, customer=ours)) == ""
    ends = a_code(shop, ten, expires_at=soon)
    assert why(shop, bob, "pack:10", ends) == ""
    shop.clock.advance(seconds=61)
    assert why(shop, bob, "pack:10", ends) == "code.expired"


def test_a_code_on_a_running_plan_is_used_once_and_shown(shop: Shop) -> None:
    ada = a_subscriber(shop, "pro:month")
    code = a_code(shop, {"percent_off": 50, "duration": "once"})
    other = a_code(shop, {"percent_off": 10, "duration": "forever"})
    offer = shop.plans.apply_code(user_id=ada.id, code=code)
    assert offer.after == Money(24_99, "usd")
    assert plan_of(shop, ada).discount == "50 % off once"
    assert code_of(lambda: shop.plans.apply_code(user_id=ada.id, code=code)) == "code.used_up"
    assert (
        code_of(lambda: shop.plans.apply_code(user_id=ada.id, code=other)) == "code.one_at_a_time"
    )
    client(shop).subscriptions.update(at_stripe(shop, ada).id, {"discounts": ""})
    shop.deliver(shop.new_events())
    assert plan_of(shop, ada).discount == ""
    assert code_of(lambda: shop.plans.apply_code(user_id=ada.id, code=code)) == "code.used_up"
    shop.plans.apply_code(user_id=ada.id, code=other)
    assert plan_of(shop, ada).discount == "10 % off"
    bob = shop.a_person()
    assert code_of(lambda: shop.plans.apply_code(user_id=bob.id, code=other)) == "plan.none"


def test_a_code_that_broke_off_on_its_way_is_put_on_the_plan_by_trying_again(shop: Shop) -> None:
    ada = a_subscriber(shop)
    code = a_code(shop, {"percent_off": 50, "duration": "forever"})
    wall_clock, shop.runtime.wall_clock = shop.runtime.wall_clock, dies
    with pytest.raises(Died):
        codes.apply(shop.runtime, user_id=ada.id, code=code)
    shop.runtime.wall_clock = wall_clock
    shop.deliver(shop.new_events())
    shop.plans.apply_code(user_id=ada.id, code=code)
    assert plan_of(shop, ada).discount == "50 % off"
    assert len(at_stripe(shop, ada).discounts) == 1


def test_a_code_that_broke_off_is_not_put_beside_the_one_that_came_after_it(shop: Shop) -> None:
    ada = a_subscriber(shop)
    first = a_code(shop, {"percent_off": 50, "duration": "forever"})
    second = a_code(shop, {"percent_off": 40, "duration": "forever"})
    plan = at_stripe(shop, ada)
    found = shop.runtime.gateway.find_promotion_code(first, customer_id=str(plan.customer))
    assert found is not None
    with shop.runtime.transaction() as session:  # the first tab has come so far, and no further
        code_rules.use(
            session, user_id=ada.id, subscription_id=plan.id, promotion=found, now=shop.clock()
        )
    shop.plans.apply_code(user_id=ada.id, code=second)
    assert (
        code_of(lambda: shop.plans.apply_code(user_id=ada.id, code=first)) == "code.one_at_a_time"
    )
    assert plan_of(shop, ada).discount == "40 % off"
    assert len(at_stripe(shop, ada).discounts) == 1


def test_codes_cannot_be_guessed_by_the_thousand(shop: Shop) -> None:
    ada = shop.a_person()
    for _ in range(codes.TRIES.most):
        assert why(shop, ada, "pack:10", "") == "code.unknown"
    with pytest.raises(errors.RateLimited):
        shop.plans.check_code(user_id=ada.id, item="pack:10", code="")
    with pytest.raises(errors.RateLimited):
        opens_with(shop, ada, "pack:10", "")
    assert why(shop, shop.a_person(), "pack:10", "") == "code.unknown"


def test_the_same_request_with_another_code_is_another_request(shop: Shop) -> None:
    ada = shop.a_person()
    code = a_code(shop, {"percent_off": 10, "duration": "once"})
    request_id = str(uuid.uuid4())
    url = opens_with(shop, ada, "pack:10", code, request_id=request_id)
    assert opens_with(shop, ada, "pack:10", code, request_id=request_id) == url
    assert code_of(partial(shop.opens, ada, "pack:10", request_id=request_id)) == (
        "billing.request_id"
    )


def a_code(shop: Shop, coupon: dict[str, Any], **rules: Any) -> str:
    """A new code for such a coupon."""
    made = client(shop).coupons.create(coupon)
    name = f"CODE{next(_NUMBERS)}X{uuid.uuid4().hex[:6].upper()}"
    promotion = {"type": "coupon", "coupon": made.id}
    client(shop).promotion_codes.create({"promotion": promotion, "code": name, **rules})
    return name


def why(shop: Shop, person: Person, item: str, code: str) -> str:
    """The code of the refusal; empty when it may be used."""
    try:
        shop.plans.check_code(user_id=person.id, item=item, code=code)
    except errors.InvalidRequest as refusal:
        return refusal.code
    return ""


def opens_with(shop: Shop, person: Person, item: str, code: str, *, request_id: str = "") -> str:
    """The page on which the person pays less."""
    asked = request_id or str(uuid.uuid4())
    return shop.payments.start_checkout(
        user_id=person.id, item=item, request_id=asked, code=code or " "
    )


def pays_with(shop: Shop, person: Person, item: str, code: str) -> None:
    """The person paid on that page and every webhook arrived."""
    paid = shop.sandbox.pay(opens_with(shop, person, item, code))
    assert paid.status == 303, paid.page
    shop.deliver(shop.new_events())
