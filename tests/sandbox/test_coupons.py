"""Coupons and promotion codes: what may be made, how long it counts, and who may redeem it."""

from typing import Any

import pytest
import stripe

from tests.sandbox.plans import DAY
from tests.sandbox.running import Shop, eventually


def _coupon(shop: Shop, **params: Any) -> Any:
    wanted: Any = {"percent_off": 25, **params}
    return shop.client.v1.coupons.create(params=wanted)


def _code(shop: Shop, coupon: str, **params: Any) -> Any:
    promotion = {"type": "coupon", "coupon": coupon}
    wanted: Any = {"promotion": promotion, **params}
    return shop.client.v1.promotion_codes.create(params=wanted)


def _refused(shop: Shop, path: str, form: dict[str, Any]) -> dict[str, Any]:
    answer = shop.sandbox.post(path, form)
    assert answer.status_code == 400, answer.text
    return dict(answer.json()["error"])


def test_a_coupon_is_what_was_asked_for_and_keeps_its_percentage(shop: Shop) -> None:
    v1 = shop.client.v1
    coupon = _coupon(shop, id="SPRING-25", percent_off=12.5, name="Spring", max_redemptions=3)
    assert (coupon.id, coupon.percent_off, coupon.amount_off) == ("SPRING-25", 12.5, None)
    assert (coupon.duration, coupon.valid, coupon.times_redeemed) == ("once", True, 0)
    changed = v1.coupons.update(coupon.id, params={"name": "Summer", "metadata": {"k": "v"}})
    assert changed.name == "Summer"
    assert changed.to_dict()["metadata"] == {"k": "v"}
    assert coupon.id in [found.id for found in v1.coupons.list().data]
    assert shop.events_about(coupon.id) == ["coupon.created", "coupon.updated"]


def test_a_coupon_with_a_sum_has_one_for_each_currency_and_shows_them_when_asked(
    shop: Shop,
) -> None:
    v1 = shop.client.v1
    product = v1.products.create(params={"name": "P"}).id
    coupon = v1.coupons.create(
        params={
            "amount_off": 500,
            "currency": "usd",
            "currency_options": {"eur": {"amount_off": 450}},
            "applies_to": {"products": [product]},
            "duration": "repeating",
            "duration_in_months": 3,
        }
    )
    assert (coupon.amount_off, coupon.currency, coupon.percent_off) == (500, "usd", None)
    assert "currency_options" not in coupon and "applies_to" not in coupon
    v1.coupons.update(coupon.id, params={"currency_options": {"jpy": {"amount_off": 70}}})
    whole = v1.coupons.retrieve(
        coupon.id, params={"expand": ["currency_options", "applies_to"]}
    ).to_dict()
    sums = {name: option["amount_off"] for name, option in whole["currency_options"].items()}
    assert sums == {"usd": 500, "eur": 450, "jpy": 70}
    assert whole["applies_to"] == {"products": [product]}
    other = v1.coupons.retrieve(_coupon(shop).id, params={"expand": ["applies_to"]})
    assert "applies_to" not in other


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({}, None),
        ({"percent_off": "10", "amount_off": "5", "currency": "usd"}, None),
        ({"percent_off": "0"}, "percent_off"),
        ({"percent_off": "100.01"}, "percent_off"),
        ({"percent_off": "ten"}, "percent_off"),
        ({"amount_off": "0", "currency": "usd"}, "amount_off"),
        ({"amount_off": "100"}, "currency"),
        ({"percent_off": "10", "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": "10", "duration_in_months": "3"}, "duration_in_months"),
        ({"percent_off": "10", "redeem_by": "1000"}, "redeem_by"),
        ({"percent_off": "10", "redeem_by": "99999999999"}, "redeem_by"),
        ({"percent_off": "10", "currency_options[eur][amount_off]": "5"}, "currency_options"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused_by_name(
    shop: Shop, form: dict[str, str], param: str | None
) -> None:
    assert _refused(shop, "/v1/coupons", form).get("param") == param


def test_a_coupon_s_id_is_taken_once_and_not_given_back_by_deleting_it(shop: Shop) -> None:
    _coupon(shop, id="ONLY-ONE")
    error = _refused(shop, "/v1/coupons", {"id": "ONLY-ONE", "percent_off": "10"})
    assert (error["code"], error["param"]) == ("resource_already_exists", "id")
    v1 = shop.client.v1
    code = _code(shop, "ONLY-ONE")
    assert v1.coupons.delete("ONLY-ONE").deleted is True
    # A code is only as good as its coupon.
    assert v1.promotion_codes.retrieve(code.id).active is False
    assert "ONLY-ONE" not in [found.id for found in v1.coupons.list().data]
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        v1.coupons.retrieve("ONLY-ONE")
    whole = v1.promotion_codes.retrieve(code.id, params={"expand": ["promotion.coupon"]})
    assert isinstance(whole.promotion.coupon, stripe.Coupon)
    assert (whole.promotion.coupon.percent_off, whole.promotion.coupon.valid) == (25, False)
    error = _refused(shop, "/v1/promotion_codes", {"promotion[type]": "coupon"})
    assert error["param"] == "promotion[coupon]"


def test_a_promotion_code_stands_for_its_coupon_and_old_parameters_are_refused(
    shop: Shop,
) -> None:
    coupon = _coupon(shop)
    code = _code(shop, coupon.id, code="Welcome-10", metadata={"from": "letter"})
    assert code.promotion.coupon == coupon.id
    assert (code.active, code.code, code.times_redeemed) == (True, "Welcome-10", 0)
    whole = shop.client.v1.promotion_codes.retrieve(
        code.id, params={"expand": ["promotion.coupon"]}
    )
    assert isinstance(whole.promotion.coupon, stripe.Coupon)
    error = _refused(shop, "/v1/promotion_codes", {"coupon": coupon.id})
    assert (error["code"], error["param"]) == ("parameter_unknown", "coupon")
    assert shop.events_about(code.id) == ["promotion_code.created"]


def test_a_code_is_unique_among_the_active_ones_whatever_its_case(shop: Shop) -> None:
    v1 = shop.client.v1
    coupon = _coupon(shop).id
    first = _code(shop, coupon, code="AUTUMN")
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        _code(shop, coupon, code="autumn")
    v1.promotion_codes.update(first.id, params={"active": False})
    second = _code(shop, coupon, code="autumn")
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        v1.promotion_codes.update(first.id, params={"active": True})
    # The same word for one customer alone is another code.
    mine = _code(shop, coupon, code="AUTUMN", customer=shop.customer())
    found = v1.promotion_codes.list(params={"code": "AuTuMn", "active": True}).data
    assert [code.id for code in found] == [mine.id, second.id]
    assert len(v1.promotion_codes.list(params={"coupon": coupon}).data) == 3


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"code": "no spaces"}, "code"),
        ({"expires_at": "1000"}, "expires_at"),
        ({"max_redemptions": "4"}, "max_redemptions"),
        ({"restrictions[minimum_amount]": "500"}, "restrictions[minimum_amount_currency]"),
        (
            {
                "restrictions[minimum_amount]": "500",
                "restrictions[minimum_amount_currency]": "usd",
                "restrictions[currency_options][usd][minimum_amount]": "5",
            },
            "restrictions[currency_options]",
        ),
        ({"promotion[type]": "gift"}, "promotion[type]"),
        ({"customer": "cus_nobody"}, "customer"),
    ],
)
def test_a_code_that_makes_no_sense_is_refused_by_name(
    shop: Shop, form: dict[str, str], param: str
) -> None:
    coupon = _coupon(shop, max_redemptions=3).id
    whole = {"promotion[type]": "coupon", "promotion[coupon]": coupon, **form}
    answer = shop.sandbox.post("/v1/promotion_codes", whole)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["param"] == param


def test_a_coupon_s_last_day_ends_it_and_its_codes_on_the_clock(timed_shop: Shop) -> None:
    shop, v1 = timed_shop, timed_shop.client.v1
    now = shop.sandbox.advance(1)
    coupon = _coupon(shop, redeem_by=now + 10 * DAY)
    early = _code(shop, coupon.id, expires_at=now + 5 * DAY)
    late = _code(shop, coupon.id)
    with pytest.raises(stripe.InvalidRequestError, match="redeem_by"):
        _code(shop, coupon.id, expires_at=now + 11 * DAY)
    shop.sandbox.advance(5 * DAY)
    eventually(lambda: v1.promotion_codes.retrieve(early.id).active is False)
    assert v1.promotion_codes.retrieve(late.id).active is True
    shop.sandbox.advance(5 * DAY)
    eventually(lambda: v1.coupons.retrieve(coupon.id).valid is False)
    assert v1.promotion_codes.retrieve(late.id).active is False
    with pytest.raises(stripe.InvalidRequestError, match="can no longer be redeemed"):
        v1.promotion_codes.update(late.id, params={"active": True})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _code(shop, coupon.id)
    assert refused.value.code == "coupon_expired"


def test_a_customer_has_no_discount_to_take_away_since_endive(shop: Shop) -> None:
    customer = shop.client.v1.customers.retrieve(shop.customer())
    assert customer.discount is None
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.customers.delete_discount(customer.id)
    assert refused.value.http_status == 404
