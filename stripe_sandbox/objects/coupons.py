"""Coupons: a percentage or a sum off, for how long, and how often it may be redeemed."""

import secrets
import string
from decimal import Decimal

from stripe_sandbox import Json
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.maths.discounting import Reduction
from stripe_sandbox.objects import promotion_codes
from stripe_sandbox.unit import Unit, Where

_LATEST_SECONDS = 5 * 366 * 24 * 3600
_SUM_OFF: params.Fields = {"amount_off": params.integer(1)}
_OPTIONS = params.hash_by(params.currency, _SUM_OFF)
_BOTH = "You may only specify one of these parameters: amount_off, percent_off."
_NEITHER = "Must provide percent_off or amount_off."


def create(unit: Unit, values: Json) -> Json:
    """A coupon exists that can be redeemed, under the id that was asked for if any."""
    _check(unit, values)
    coupon_id = values.get("id") or _new_id()
    if unit.find(coupon_id):
        raise errors.invalid("Coupon already exists.", code="resource_already_exists", param="id")
    percent = values.get("percent_off")
    body: Json = {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": values.get("amount_off"),
        "created": unit.now,
        "currency": values.get("currency") if percent is None else None,
        "duration": values.get("duration") or "once",
        "duration_in_months": values.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": values.get("max_redemptions"),
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "name": values.get("name"),
        "percent_off": None if percent is None else float(percent),
        "redeem_by": values.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        "_options": {},
        "_products": (values.get("applies_to") or {}).get("products"),
    }
    _add_options(body, values.get("currency_options") or {})
    unit.insert(body)
    if body["redeem_by"] is not None:
        unit.schedule("close_coupon", coupon_id, body["redeem_by"])
    unit.emit("coupon.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The coupon's name, metadata and sums in other currencies are as asked; the rest never is."""
    before = promotion_codes.coupon_of(unit, id)
    body = promotion_codes.coupon_of(unit, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if "name" in values:
        body["name"] = values["name"]
    _add_options(body, values.get("currency_options") or {})
    return unit.update("coupon.updated", body, before)


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The coupon can no longer be redeemed; discounts made of it before go on."""
    body = promotion_codes.coupon_of(unit, id)
    body["valid"] = False
    promotion_codes.close_all_of(unit, id)
    unit.emit("coupon.deleted", body)
    unit.save({**body, "_gone": True})
    return {"id": id, "object": "coupon", "deleted": True}


def all_of(unit: Unit, values: Json) -> Json:
    """The coupons, newest first."""
    wheres = [*lists.within(values, "created"), Where("json_extract(body, '$._gone') IS NULL")]
    return lists.page(unit, "coupon", _PATH, values, wheres)


def retrieve(unit: Unit, values: Json, id: str) -> Json:
    """One coupon; a deleted one is not found."""
    return promotion_codes.coupon_of(unit, id)


def close(unit: Unit, coupon_id: str) -> None:
    """The coupon's last day is over: it is not valid, nor are the codes that stand for it."""
    before = unit.get("coupon", coupon_id)
    body = unit.get("coupon", coupon_id)
    if body["valid"]:
        body["valid"] = False
        unit.update("coupon.updated", body, before)
        promotion_codes.close_all_of(unit, coupon_id)


def check_redeemable(unit: Unit, body: Json, param: str) -> None:
    """The coupon may be redeemed now, or Stripe's refusal says why not."""
    used_up = body["max_redemptions"] and body["times_redeemed"] >= body["max_redemptions"]
    too_late = body["redeem_by"] is not None and unit.now >= body["redeem_by"]
    if used_up or too_late or not body["valid"]:
        why = "used up" if used_up else "expired"
        raise errors.invalid(
            f"Coupon {body['id']} is {why} and cannot be applied.",
            code="coupon_expired",
            param=param,
        )


def redeem(unit: Unit, coupon_id: str) -> None:
    """One more redemption is counted; after the last one allowed the coupon is not valid."""
    before = unit.get("coupon", coupon_id)
    body = unit.get("coupon", coupon_id)
    body["times_redeemed"] += 1
    if body["max_redemptions"] and body["times_redeemed"] >= body["max_redemptions"]:
        body["valid"] = False
    unit.update("coupon.updated", body, before)
    if not body["valid"]:
        promotion_codes.close_all_of(unit, coupon_id)


def reduction(body: Json, currency: str) -> Reduction | None:
    """What the coupon does in this currency, or None if it has no sum for it."""
    products = None if body["_products"] is None else frozenset(body["_products"])
    if body["percent_off"] is not None:
        return Reduction(percent_off=Decimal(str(body["percent_off"])), products=products)
    off = sums_of(body).get(currency)
    return None if off is None else Reduction(amount_off=off["amount_off"], products=products)


def sums_of(body: Json) -> Json:
    """The sum off in every currency of the coupon."""
    if body["amount_off"] is None:
        return {}
    return {body["currency"]: {"amount_off": body["amount_off"]}, **body["_options"]}


def options_of(unit: Unit, body: Json) -> Json:
    """The sums in every currency, for expansion."""
    return sums_of(body)


def products_of(unit: Unit, body: Json) -> Json | None:
    """The products the coupon is limited to, for expansion."""
    return None if body["_products"] is None else {"products": body["_products"]}


def _check(unit: Unit, values: Json) -> None:
    percent, off = values.get("percent_off"), values.get("amount_off")
    if percent is not None and off is not None:
        raise errors.invalid(_BOTH)
    if percent is None and off is None:
        raise errors.invalid(_NEITHER)
    if off is not None and not values.get("currency"):
        raise errors.missing_parameter("currency")
    repeating = values.get("duration") == "repeating"
    if repeating and values.get("duration_in_months") is None:
        raise errors.missing_parameter("duration_in_months")
    if not repeating and values.get("duration_in_months") is not None:
        raise errors.invalid(
            "You may only specify duration_in_months when duration is repeating.",
            param="duration_in_months",
        )
    _check_day(unit, values.get("redeem_by"))
    for at, product in enumerate((values.get("applies_to") or {}).get("products") or ()):
        unit.living("product", product, f"applies_to[products][{at}]")


def _check_day(unit: Unit, redeem_by: int | None) -> None:
    if redeem_by is None:
        return
    if redeem_by <= unit.now:
        raise errors.invalid("redeem_by must be in the future.", param="redeem_by")
    if redeem_by > unit.now + _LATEST_SECONDS:
        raise errors.invalid(
            "redeem_by cannot be more than five years in the future.", param="redeem_by"
        )


def _add_options(body: Json, given: Json) -> None:
    if given and body["amount_off"] is None:
        raise errors.invalid(
            "currency_options are for coupons with amount_off.", param="currency_options"
        )
    for currency, option in given.items():
        if "amount_off" not in option:
            raise errors.missing_parameter(f"currency_options[{currency}][amount_off]")
        if currency != body["currency"]:
            body["_options"][currency] = {"amount_off": option["amount_off"]}


def _new_id() -> str:
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(8))


_PATH = "/v1/coupons"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            **_SUM_OFF,
            "applies_to": params.hash_of({"products": params.list_of(TEXT)}),
            "currency": params.currency,
            "currency_options": _OPTIONS,
            "duration": params.choice("forever", "once", "repeating"),
            "duration_in_months": params.integer(1, 120),
            "id": params.text(200),
            "max_redemptions": params.integer(1),
            "metadata": params.metadata,
            "name": params.text(40),
            "percent_off": params.percentage(above_zero=True),
            "redeem_by": params.integer(),
        },
    ),
    Route("GET", f"{_PATH}/<id>", retrieve),
    Route(
        "POST",
        f"{_PATH}/<id>",
        update,
        {"currency_options": _OPTIONS, "metadata": params.metadata, "name": params.text(40)},
    ),
    Route("DELETE", f"{_PATH}/<id>", delete),
    Route("GET", _PATH, all_of, {**lists.PAGING, "created": params.span}),
)
