"""Promotion codes: words a payer types that stand for a coupon, with rules of their own."""

import re
import secrets
import string

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.forms import FormValue
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import purchases
from stripe_sandbox.unit import Unit, Where

KIND = "promotion_code"
_CODE = re.compile(r"[A-Za-z0-9-]{1,500}\Z")
_MINIMUM = params.hash_by(params.currency, {"minimum_amount": params.integer(1)})
_CANNOT = "This promotion code cannot be redeemed because"
_OF_COUPON = "json_extract(body, '$.promotion.coupon') = ?"


def _code(value: FormValue, name: str) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not _CODE.match(value):
        raise errors.invalid(
            "A code is made of letters a-z and A-Z, digits and dashes.", param=name
        )
    return value


def create(unit: Unit, values: Json) -> Json:
    """A promotion code exists; no other active one reads the same, whatever the case."""
    coupon = _coupon(unit, values["promotion"])
    _check(unit, values, coupon)
    body: Json = {
        "id": ids.new_id("promo"),
        "object": KIND,
        "active": values.get("active", True),
        "code": values.get("code") or _new_code(),
        "created": unit.now,
        "customer": values.get("customer"),
        "customer_account": None,
        "expires_at": values.get("expires_at"),
        "livemode": False,
        "max_redemptions": values.get("max_redemptions"),
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": _restrictions(values.get("restrictions") or {}),
        "times_redeemed": 0,
    }
    if body["active"]:
        _check_unique(unit, body)
    unit.insert(body)
    if body["expires_at"] is not None:
        unit.schedule("close_promotion_code", body["id"], body["expires_at"])
    unit.emit("promotion_code.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The code is as asked; it can only be made active again while it can be redeemed."""
    before = unit.get(KIND, id)
    body = unit.get(KIND, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    options = (values.get("restrictions") or {}).get("currency_options")
    if options:
        kept = body["restrictions"].setdefault("currency_options", {})
        kept.update(_options(options, body["restrictions"]["minimum_amount_currency"]))
    if "active" in values and values["active"] is not body["active"]:
        if values["active"]:
            _check_can_return(unit, body)
        body["active"] = values["active"]
    return unit.update("promotion_code.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The promotion codes, newest first."""
    wheres = [*lists.equal(values, "active", "customer"), *lists.within(values, "created")]
    if values.get("code"):
        wheres.append(_reads(values["code"]))
    if values.get("coupon"):
        wheres.append(Where(_OF_COUPON, (values["coupon"],)))
    return lists.page(unit, KIND, _PATH, values, wheres)


def named(unit: Unit, code: str, customer_id: str | None) -> Json | None:
    """The active promotion code a payer means who types this, or None."""
    active = Where("json_extract(body, '$.active') = 1")
    for body in unit.select(KIND, [_reads(code.strip()), active]):
        if body["customer"] in (None, customer_id):
            return body
    return None


def spelled(unit: Unit, code: str, customer_id: str | None) -> Json | None:
    """The promotion code that reads like this and is not another customer's; an active one first.

    A page says of a code that has ended that it has ended, not that nobody knows it.
    """
    active = named(unit, code, customer_id)
    if active is not None:
        return active
    for body in unit.select(KIND, [_reads(code.strip())]):
        if body["customer"] in (None, customer_id):
            return body
    return None


def close(unit: Unit, promotion_code_id: str) -> None:
    """The code's last moment is over: it is not active."""
    _deactivate(unit, unit.get(KIND, promotion_code_id))


def close_all_of(unit: Unit, coupon_id: str) -> None:
    """No code of the coupon is active: a code is only as good as its coupon."""
    for body in unit.select(KIND, [Where(_OF_COUPON, (coupon_id,))], 100_000):
        _deactivate(unit, body)


def redeem(unit: Unit, promotion_code_id: str) -> None:
    """One more redemption is counted; after the last one allowed the code is not active."""
    before = unit.get(KIND, promotion_code_id)
    body = unit.get(KIND, promotion_code_id)
    body["times_redeemed"] += 1
    if body["max_redemptions"] and body["times_redeemed"] >= body["max_redemptions"]:
        body["active"] = False
    unit.update("promotion_code.updated", body, before)


def check_redeemable(unit: Unit, body: Json, customer: Json | None, param: str) -> None:
    """This customer may redeem the code now, or Stripe's refusal says why not."""
    over = body["expires_at"] is not None and unit.now >= body["expires_at"]
    if over or not body["active"]:
        raise errors.invalid(
            "This promotion code is expired or no longer active.",
            code="coupon_expired",
            param=param,
        )
    if body["customer"] and (customer is None or customer["id"] != body["customer"]):
        raise errors.invalid(f"{_CANNOT} it belongs to another customer.", param=param)
    first_only = body["restrictions"]["first_time_transaction"]
    if first_only and customer is not None and purchases.any_of(unit, customer["id"]):
        raise errors.invalid(
            f"{_CANNOT} the associated customer has prior transactions.", param=param
        )


def check_amount(body: Json, amount: int | None, currency: str, param: str) -> None:
    """The order is large enough for the code, or Stripe's refusal says why not."""
    rules = body["restrictions"]
    if rules["minimum_amount"] is None:
        return
    if amount is None:
        raise errors.invalid(
            "This promotion code cannot be redeemed on a subscription update because it uses the "
            "`minimum_amount` restriction.",
            param=param,
        )
    least = {
        rules["minimum_amount_currency"]: {"minimum_amount": rules["minimum_amount"]},
        **rules.get("currency_options", {}),
    }.get(currency)
    if least is None:
        raise errors.invalid(f"{_CANNOT} it has no minimum amount in {currency}.", param=param)
    if amount < least["minimum_amount"]:
        raise errors.invalid(f"{_CANNOT} the order is below its minimum amount.", param=param)


def coupon_of(unit: Unit, coupon_id: str, param: str = "id") -> Json:
    """The coupon with this id, unless somebody deleted it.

    A deleted coupon stays in the store as it was: discounts made of it before still show it.
    """
    body = unit.get("coupon", coupon_id, param)
    if body.get("_gone"):
        raise errors.no_such("coupon", coupon_id, param)
    return body


def _reads(code: str) -> Where:
    return Where("lower(json_extract(body, '$.code')) = ?", (code.lower(),))


def _coupon(unit: Unit, promotion: Json) -> Json:
    if not promotion.get("coupon"):
        raise errors.missing_parameter("promotion[coupon]")
    coupon = coupon_of(unit, promotion["coupon"], "promotion[coupon]")
    if not coupon["valid"]:
        raise errors.invalid(
            f"Coupon {coupon['id']} is expired and cannot be applied.",
            code="coupon_expired",
            param="promotion[coupon]",
        )
    return coupon


def _check(unit: Unit, values: Json, coupon: Json) -> None:
    if values.get("customer"):
        unit.living("customer", values["customer"], "customer")
    expires_at, most = values.get("expires_at"), values.get("max_redemptions")
    if expires_at is not None and expires_at <= unit.now:
        raise errors.invalid("expires_at must be in the future.", param="expires_at")
    if expires_at and coupon["redeem_by"] and expires_at > coupon["redeem_by"]:
        raise errors.invalid(
            "expires_at cannot be after the coupon's redeem_by.", param="expires_at"
        )
    if most and coupon["max_redemptions"] and most > coupon["max_redemptions"]:
        raise errors.invalid(
            "max_redemptions cannot be more than the coupon's max_redemptions.",
            param="max_redemptions",
        )


def _restrictions(given: Json) -> Json:
    least, currency = given.get("minimum_amount"), given.get("minimum_amount_currency")
    if (least is None) is not (currency is None):
        missing = "minimum_amount" if least is None else "minimum_amount_currency"
        raise errors.missing_parameter(f"restrictions[{missing}]")
    rules: Json = {
        "first_time_transaction": given.get("first_time_transaction", False),
        "minimum_amount": least,
        "minimum_amount_currency": currency,
    }
    if given.get("currency_options"):
        rules["currency_options"] = _options(given["currency_options"], currency)
    return rules


def _options(given: Json, own: str | None) -> Json:
    where = "restrictions[currency_options]"
    if own is None:
        raise errors.missing_parameter("restrictions[minimum_amount]")
    if own in given:
        raise errors.invalid(f"{own} is the minimum_amount_currency already.", param=where)
    for currency, option in given.items():
        if "minimum_amount" not in option:
            raise errors.missing_parameter(f"{where}[{currency}][minimum_amount]")
    return dict(given)


def _check_unique(unit: Unit, body: Json) -> None:
    active = Where("json_extract(body, '$.active') = 1")
    for other in unit.select(KIND, [_reads(body["code"]), active]):
        if other["id"] != body["id"] and other["customer"] == body["customer"]:
            raise errors.invalid(
                f"An active promotion code with `code: {body['code']}` already exists.",
                param="code",
            )


def _check_can_return(unit: Unit, body: Json) -> None:
    used_up = body["max_redemptions"] and body["times_redeemed"] >= body["max_redemptions"]
    over = body["expires_at"] is not None and unit.now >= body["expires_at"]
    if used_up or over or not unit.get("coupon", body["promotion"]["coupon"])["valid"]:
        raise errors.invalid(
            "This promotion code can no longer be redeemed and cannot be made active.",
            param="active",
        )
    _check_unique(unit, body)


def _deactivate(unit: Unit, body: Json) -> None:
    before = dict(body)
    body["active"] = False
    unit.update("promotion_code.updated", body, before)


def _new_code() -> str:
    letters = string.ascii_uppercase + string.digits
    return "".join(secrets.choice(letters) for _ in range(8))


_PATH = "/v1/promotion_codes"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            "active": params.boolean,
            "code": _code,
            "customer": TEXT,
            "expires_at": params.integer(),
            "max_redemptions": params.integer(1),
            "metadata": params.metadata,
            "promotion": params.hash_of(
                {"coupon": TEXT, "type": params.choice("coupon")}, ("type",)
            ),
            "restrictions": params.hash_of(
                {
                    "currency_options": _MINIMUM,
                    "first_time_transaction": params.boolean,
                    "minimum_amount": params.integer(1),
                    "minimum_amount_currency": params.currency,
                }
            ),
        },
        ("promotion",),
        partly="no customer_account",
    ),
    retrieve(KIND, _PATH),
    Route(
        "POST",
        f"{_PATH}/<id>",
        update,
        {
            "active": params.boolean,
            "metadata": params.metadata,
            "restrictions": params.hash_of({"currency_options": _MINIMUM}),
        },
    ),
    Route(
        "GET",
        _PATH,
        all_of,
        {
            **lists.PAGING,
            "active": params.boolean,
            "code": TEXT,
            "coupon": TEXT,
            "created": params.span,
            "customer": TEXT,
        },
        partly="no customer_account",
    ),
)
