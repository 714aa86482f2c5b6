"""The discount of a Checkout Session: the merchant's, or a code that the payer typed."""

from stripe_sandbox import Json, amounts
from stripe_sandbox.api import errors
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.flows import quoting
from stripe_sandbox.objects import coupons, discounts, promotion_codes
from stripe_sandbox.objects.discounts import Offer, Target
from stripe_sandbox.unit import Unit


def offer(unit: Unit, session: Json, given: list[Json]) -> None:
    """The session has the merchant's discount, or the API's refusal says why it cannot."""
    for found, named in zip(discounts.checked(unit, given, _target(session)), given, strict=True):
        if not _reaches(unit, session, found.coupon):
            raise errors.invalid(
                f"The coupon {found.coupon['id']} applies to none of the line items.",
                param="discounts[0]",
            )
        _take(unit, session, found, named)


def take_code(unit: Unit, session: Json, code: str) -> str | None:
    """The session has the discount of the code; or the sentence that says why it has not."""
    found = promotion_codes.spelled(unit, code, session["customer"])
    if found is None:
        return f"We do not know the code “{code}”. Check how it is written."
    why = _why_not(unit, session, found)
    if why:
        return f"The code “{found['code']}” {why}."
    coupon = unit.get("coupon", found["promotion"]["coupon"])
    before = (session["discounts"], session["_discount"])
    _take(unit, session, Offer(coupon, found), {"promotion_code": found["id"]})
    quoting.quote(unit, session)
    least = amounts.smallest(session["currency"])
    if 0 < session["amount_total"] < least:
        session["discounts"], session["_discount"] = before
        quoting.quote(unit, session)
        written = amounts.written(least, session["currency"])
        return f"With the code “{found['code']}” the total is below {written}, the least we charge."
    return None


def drop_code(unit: Unit, session: Json) -> None:
    """The session has no discount any more."""
    session.update(discounts=[], _discount=None)
    quoting.quote(unit, session)


def drop_spent(unit: Unit, session: Json) -> bool:
    """The session has no discount that others have used up meanwhile; True if it had one."""
    drawn = session["_discount"]
    if drawn is None:
        return False
    code = drawn["promotion_code"]
    sources = [unit.get("coupon", drawn["source"]["coupon"])]
    sources += [unit.get(promotion_codes.KIND, code)] if code else []
    if not any(_spent(source) for source in sources):
        return False
    drop_code(unit, session)
    return True


def _spent(source: Json) -> bool:
    most = source["max_redemptions"]
    return most is not None and source["times_redeemed"] >= most


def _why_not(unit: Unit, session: Json, found: Json) -> str | None:
    """How the sentence goes on that says why the code cannot be used; None if it can."""
    coupon = unit.get("coupon", found["promotion"]["coupon"])
    most = found["max_redemptions"] or coupon["max_redemptions"]
    if not found["active"] or not coupon["valid"]:
        spent = max(found["times_redeemed"], coupon["times_redeemed"])
        return "has been used as often as it may be" if most and spent >= most else "has expired"
    if coupons.reduction(coupon, session["currency"]) is None:
        return f"is not for prices in {session['currency'].upper()}"
    if not _reaches(unit, session, coupon):
        plan = session["mode"] == "subscription"
        return "is not for this plan" if plan else "is not for what you are buying"
    customer = unit.find(session["customer"]) if session["customer"] else None
    try:
        promotion_codes.check_redeemable(unit, found, customer, "code")
    except StripeFault as fault:
        gone = fault.error.get("code") == "coupon_expired"
        return "has expired" if gone else "is for a first purchase only"
    try:
        promotion_codes.check_amount(found, _whole(session), session["currency"], "code")
    except StripeFault:
        return _for_larger_orders(session, found)
    return None


def _for_larger_orders(session: Json, found: Json) -> str:
    rules, currency = found["restrictions"], session["currency"]
    options = {
        rules["minimum_amount_currency"]: rules["minimum_amount"],
        **{
            other: option["minimum_amount"]
            for other, option in rules.get("currency_options", {}).items()
        },
    }
    if currency not in options:
        return f"is not for prices in {currency.upper()}"
    return f"is for orders of {amounts.written(options[currency], currency)} or more"


def _reaches(unit: Unit, session: Json, coupon: Json) -> bool:
    """True if something of the order is what the coupon is for."""
    products = coupon["_products"]
    if products is None:
        return True
    return any(
        unit.get("price", line["price"])["product"] in products for line in session["_lines"]
    )


def _take(unit: Unit, session: Json, found: Offer, named: Json) -> None:
    session["discounts"] = [{name: named.get(name) for name in ("coupon", "promotion_code")}]
    session["_discount"] = discounts.drawn(unit, found, _target(session))


def _target(session: Json) -> Target:
    return Target(
        "checkout_session",
        session["id"],
        session["currency"],
        customer={"id": session["customer"]} if session["customer"] else None,
        amount=_whole(session),
    )


def _whole(session: Json) -> int:
    """What the order comes to before discounts; a trial's later periods count."""
    return sum(line["amount"] for line in session["_lines"])
