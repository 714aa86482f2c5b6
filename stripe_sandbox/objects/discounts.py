"""Discounts: a coupon put on a subscription, an item, an invoice or a Checkout Session."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stripe_sandbox import Json, ids, months
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.maths import discounting
from stripe_sandbox.objects import coupons, promotion_codes
from stripe_sandbox.unit import Unit

KIND = "discount"
_MOST = 20
_OF_SESSION: params.Fields = {"coupon": TEXT, "promotion_code": TEXT}
SESSION_PARAMETER = params.list_of(params.hash_of(_OF_SESSION), 1)
PARAMETER = params.list_of(params.hash_of({**_OF_SESSION, "discount": TEXT}), _MOST)
_LINKS = ("checkout_session", "invoice", "invoice_item", "subscription", "subscription_item")


@dataclass(frozen=True)
class Target:
    """What discounts are put on: its kind, one of the link fields, and its id.

    ``amount`` is what the order comes to before discounts, None where nobody can say yet;
    ``subscription`` is the id of the subscription of a subscription item.
    """

    kind: str
    id: str
    currency: str
    customer: Json | None = None
    amount: int | None = None
    subscription: str | None = None

    @property
    def is_subscriptions(self) -> bool:
        """True for what Stripe tells by customer.discount events."""
        return self.kind in ("subscription", "subscription_item")


@dataclass(frozen=True)
class Offer:
    """A coupon somebody may redeem, with the promotion code that stands for it if one did."""

    coupon: Json
    promotion_code: Json | None = None


def checked(unit: Unit, given: Sequence[Json], target: Target) -> list[Offer]:
    """The coupons behind the parameters, all redeemable; nothing is counted yet."""
    return [
        _offer(unit, one, target, f"discounts[{at}]")
        for at, one in enumerate(given)
        if _way(one, f"discounts[{at}]") != "discount"
    ]


def applied(unit: Unit, given: Sequence[Json], target: Target) -> list[Json]:
    """The discounts are made and their redemptions counted; a named discount is used again."""
    found = []
    for at, one in enumerate(given):
        param = f"discounts[{at}]"
        if _way(one, param) == "discount":
            found.append(_again(unit, one["discount"], target, f"{param}[discount]"))
        else:
            found.append(_made(unit, _offer(unit, one, target, param), target))
    return found


def drawn(unit: Unit, offer: Offer, target: Target) -> Json:
    """The discount as it would be; it is stored nowhere and nothing is counted."""
    links: Json = {**dict.fromkeys(_LINKS), target.kind: target.id}
    if target.subscription:
        links["subscription"] = target.subscription
    return {
        "id": ids.new_id("di"),
        "object": KIND,
        **links,
        "customer": target.customer["id"] if target.customer else None,
        "customer_account": None,
        "end": _end(unit, offer.coupon),
        "promotion_code": offer.promotion_code["id"] if offer.promotion_code else None,
        "source": {"coupon": offer.coupon["id"], "type": "coupon"},
        "start": unit.now,
    }


def redeemed(unit: Unit, body: Json) -> Json:
    """The drawn discount counts from now on, whatever has become of its coupon since it was drawn.

    A page that has shown a price keeps its word.
    """
    coupon = unit.get("coupon", body["source"]["coupon"])
    body.update(start=unit.now, end=_end(unit, coupon))
    unit.insert(body)
    coupons.redeem(unit, coupon["id"])
    if body["promotion_code"]:
        promotion_codes.redeem(unit, body["promotion_code"])
    return body


def bound(unit: Unit, body: Json, subscription_id: str) -> None:
    """The discount of a checkout is the subscription's; one that was its own already stays so."""
    if body["subscription"] is None:
        body["subscription"] = subscription_id
        unit.save(body)
        unit.emit("customer.discount.created", body)


def in_force(unit: Unit, discount_ids: Iterable[str], at: int) -> list[str]:
    """Those that still count at this moment, in their order."""
    found = [unit.get(KIND, discount_id) for discount_id in discount_ids]
    return [
        body["id"]
        for body in found
        if not body.get("deleted") and (body["end"] is None or at < body["end"])
    ]


def amounts(
    unit: Unit,
    lines: Sequence[tuple[discounting.Line, Sequence[str]]],
    discount_ids: Sequence[str],
    currency: str,
) -> list[list[Json]]:
    """What every discount takes off every line, as the line's discount_amounts.

    A line's own discounts come first, then those of the whole order on what is left, as at Stripe;
    where a discount takes nothing off a line, it is not named there.
    """
    found: list[list[Json]] = []
    left: list[discounting.Line] = []
    for line, own in lines:
        rows = _rows(unit, [line], own, currency)
        found.append([_amount(name, row[0]) for name, row in rows if row[0]])
        off = sum(row[0] for _, row in rows)
        left.append(discounting.Line(line.amount - off, line.product, line.discountable))
    for name, row in _rows(unit, left, discount_ids, currency):
        for per_line, off in zip(found, row, strict=True):
            if off:
                per_line.append(_amount(name, off))
    return found


def total(per_line: Iterable[Sequence[Json]]) -> list[Json]:
    """The sum of every discount over all lines, as an invoice's total_discount_amounts."""
    sums: dict[str, int] = {}
    for line in per_line:
        for part in line:
            sums[part["discount"]] = sums.get(part["discount"], 0) + part["amount"]
    return [_amount(name, amount) for name, amount in sums.items()]


def lasting(unit: Unit, discount_ids: Iterable[str], at: int) -> list[str]:
    """Those that count at this moment, without what counts for one invoice only."""
    return [
        name
        for name in in_force(unit, discount_ids, at)
        if _coupon_of(unit, unit.get(KIND, name))["duration"] != "once"
    ]


def used(unit: Unit, discount_ids: Sequence[str]) -> list[str]:
    """Those that stay after an invoice was made with them: what counts once is removed."""
    staying = []
    for discount_id in discount_ids:
        if _coupon_of(unit, unit.get(KIND, discount_id))["duration"] == "once":
            removed(unit, discount_id)
        else:
            staying.append(discount_id)
    return staying


def spent(unit: Unit, discount_ids: Sequence[str], invoice: Json) -> list[str]:
    """Those that stay after this invoice: what counts once and took something off it is removed."""
    taken = {part["discount"] for part in invoice["total_discount_amounts"]}
    return [one for one in discount_ids if one not in taken or used(unit, [one])]


def removed(unit: Unit, discount_id: str) -> Json:
    """The discount counts no more; what it took off before stays off."""
    body = unit.living(KIND, discount_id)
    if body["subscription"]:
        unit.emit("customer.discount.deleted", body)
    body["deleted"] = True
    del body["end"]
    return unit.save(body)


def delete_of_subscription(unit: Unit, values: Json, id: str) -> Json:
    """The subscription has no discount of its own any more."""
    before = unit.get("subscription", id)
    body = unit.get("subscription", id)
    if not body["discounts"]:
        raise errors.no_such("discount", id)
    gone = [removed(unit, discount_id) for discount_id in body["discounts"]]
    body["discounts"] = []
    unit.update("customer.subscription.updated", body, before)
    return gone[-1]


def delete_of_customer(unit: Unit, values: Json, id: str) -> Json:
    """Refused: since endive no request puts a discount on a customer, so there is none to take."""
    unit.living("customer", id)
    raise errors.no_such("discount", id)


def _again(unit: Unit, discount_id: str, target: Target, param: str) -> Json:
    body = unit.living(KIND, discount_id, param)
    if body["customer"] != (target.customer["id"] if target.customer else None):
        raise errors.invalid("The discount belongs to another customer.", param=param)
    return body


def _way(one: Json, param: str) -> str:
    named = [name for name in ("coupon", "promotion_code", "discount") if one.get(name)]
    if len(named) != 1:
        raise errors.invalid(
            "You must specify exactly one of coupon, promotion_code and discount.", param=param
        )
    return named[0]


def _offer(unit: Unit, one: Json, target: Target, param: str) -> Offer:
    where = f"{param}[{_way(one, param)}]"
    code = None
    if one.get("promotion_code"):
        code = unit.get(promotion_codes.KIND, one["promotion_code"], where)
        promotion_codes.check_redeemable(unit, code, target.customer, where)
        promotion_codes.check_amount(code, target.amount, target.currency, where)
    named = code["promotion"]["coupon"] if code else one["coupon"]
    coupon = promotion_codes.coupon_of(unit, named, where)
    coupons.check_redeemable(unit, coupon, where)
    if coupons.reduction(coupon, target.currency) is None:
        raise errors.invalid(
            f"The coupon {coupon['id']} takes off a sum in {coupon['currency']} and has none in "
            f"{target.currency}.",
            param=where,
        )
    return Offer(coupon, code)


def _made(unit: Unit, offer: Offer, target: Target) -> Json:
    body = redeemed(unit, drawn(unit, offer, target))
    if target.is_subscriptions:
        unit.emit("customer.discount.created", body)
    return body


def _end(unit: Unit, coupon: Json) -> int | None:
    if coupon["duration"] != "repeating":
        return None
    return months.after(unit.now, "month", coupon["duration_in_months"])


def _coupon_of(unit: Unit, discount: Json) -> Json:
    return unit.get("coupon", discount["source"]["coupon"])


def _rows(
    unit: Unit, lines: list[discounting.Line], discount_ids: Sequence[str], currency: str
) -> list[tuple[str, tuple[int, ...]]]:
    found = [
        (discount_id, coupons.reduction(_coupon_of(unit, unit.get(KIND, discount_id)), currency))
        for discount_id in discount_ids
    ]
    able = [(name, coupon) for name, coupon in found if coupon is not None]
    rows = discounting.in_turn(lines, [coupon for _, coupon in able])
    return [(name, row) for (name, _), row in zip(able, rows, strict=True)]


def _amount(discount_id: str, amount: int) -> Json:
    return {"amount": amount, "discount": discount_id}


ROUTES = (
    Route("DELETE", "/v1/customers/<id>/discount", delete_of_customer),
    Route("DELETE", "/v1/subscriptions/<id>/discount", delete_of_subscription),
)
