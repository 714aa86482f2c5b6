"""A change of plan in the portal: choose, see what it costs, confirm; asked about by a bank."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from stripe_sandbox import Json, amounts
from stripe_sandbox.flows import changing, deferring, paying, previewing
from stripe_sandbox.objects import (
    invoice_payments,
    invoices,
    prices,
    subscription_items,
    subscriptions,
)
from stripe_sandbox.pages import answer, words
from stripe_sandbox.pages.portal.visit import Onward, Page, Visit, default_method
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit

_CHANGEABLE = ("active", "past_due", "trialing")
_MOST = 999_999
_LENGTHS = {"day": 1, "week": 7, "month": 30, "year": 365}
# A price that was looked at longer ago than this is worked out anew.
_STALE_SECONDS = 3600
_NO_CARD = Refusal(
    "card_declined",
    None,
    "There is no payment method.",
    "There is no card to pay with.",
    "Add a card first. Your plan is as it was.",
)


@dataclass(frozen=True)
class _Wish:
    """The price wanted, how many of it, and the moment the change counts from."""

    price: Json
    quantity: int
    at: int


def choose(visit: Visit, subscription_id: str) -> Page | Onward:
    """The plans there are to change to."""
    plan = _changeable(visit, subscription_id)
    if plan is None:
        return visit.instead()
    item = subscriptions.items_of(plan)[0]
    return Page(
        "portal/plan.html",
        {
            "subscription": subscription_id,
            "options": [_option(visit, plan, price) for price in _prices(visit, plan)],
            "chosen": item["price"]["id"],
            "quantities": "quantity" in _feature(visit)["default_allowed_updates"],
            "typed": {"quantity": str(item["quantity"])},
            "errors": {},
        },
    )


def preview(visit: Visit, subscription_id: str) -> Page | Onward:
    """What the change costs, before anything is changed."""
    plan = _changeable(visit, subscription_id)
    wish = _wish(visit, plan, request.args, visit.unit.now) if plan else None
    if plan is None or wish is None:
        return _again(visit, subscription_id, plan)
    return _confirmation(visit, plan, wish)


def change(visit: Visit, subscription_id: str) -> Page | Onward:
    """The plan is changed for the sum that was shown, or it is as it was and the page says why."""
    unit = visit.unit
    plan = _changeable(visit, subscription_id)
    at = _moment(request.form.get("at", ""), unit.now)
    wish = _wish(visit, plan, request.form, at) if plan else None
    if plan is None or wish is None:
        return _again(visit, subscription_id, plan)
    if _is_deferred(visit, plan, wish):
        deferring.defer(unit, plan, wish.price["id"], wish.quantity)
        return visit.done("later")
    if request.form.get("shown") != str(_previewed(visit, plan, wish)["amount_due"]):
        return _confirmation(visit, plan, wish, changed=True)
    # What waits for the payment of an earlier change, or for a day, is not waited for any more.
    changing.expire(unit, subscription_id)
    deferring.forget(unit, plan)
    details = _details(visit, plan, wish)
    changing.update(unit, {**details, "payment_behavior": "pending_if_incomplete"}, subscription_id)
    return _after_change(visit, subscription_id, wish)


def forget(visit: Visit, subscription_id: str) -> Onward:
    """The change that was to come with the next period will not come."""
    plan = visit.plan(subscription_id)
    if plan is None:
        return visit.instead()
    deferring.forget(visit.unit, plan)
    return visit.done("kept")


def asked(visit: Visit, subscription_id: str) -> Page | Onward:
    """The customer comes back from the bank: the change is in force, or the plan is as it was."""
    plan = visit.plan(subscription_id)
    if plan is None or not plan.get("_waiting"):
        return visit.done("plan")
    becomes = plan["_waiting"]["becomes"]["items"]["data"][0]
    wish = _Wish(becomes["price"], becomes["quantity"], visit.unit.now)
    return _after_change(visit, subscription_id, wish)


def _again(visit: Visit, subscription_id: str, plan: Json | None) -> Onward:
    """On to where another choice can be made."""
    return Onward(f"{visit.base}/plan/{subscription_id}") if plan else visit.instead()


def _after_change(visit: Visit, subscription_id: str, wish: _Wish) -> Page | Onward:
    unit = visit.unit
    plan = unit.get("subscription", subscription_id)
    if not plan.get("_waiting"):
        return visit.done("plan")
    invoice = unit.get("invoice", plan["_waiting"]["invoice"])
    intent = invoice_payments.intent_of(unit, invoice)
    if intent is not None and intent["status"] == "requires_action":
        intent["_return_url"] = f"{visit.base}/plan/{subscription_id}/asked"
        unit.save(intent)
        return Onward(intent["next_action"]["redirect_to_url"]["url"])
    refusal = _refusal(intent)
    changing.expire(unit, subscription_id)
    plan = unit.get("subscription", subscription_id)
    return _confirmation(visit, plan, _Wish(wish.price, wish.quantity, unit.now), refusal=refusal)


def _refusal(intent: Json | None) -> Refusal:
    error = (intent or {}).get("last_payment_error")
    if intent is None or not error or "payment_method" not in error:
        return _NO_CARD
    return paying.refusal_of(intent)


def _confirmation(
    visit: Visit,
    plan: Json,
    wish: _Wish,
    *,
    changed: bool = False,
    refusal: Refusal | None = None,
) -> Page:
    if _is_deferred(visit, plan, wish):
        return _deferral(visit, plan, wish)
    found = _previewed(visit, plan, wish)
    at_once = found["billing_reason"] == "subscription_update"
    currency = plan["currency"]
    due = found["amount_due"] if at_once else 0
    left = min(0, found["total"] + found["starting_balance"]) if at_once else 0
    method = default_method(visit, plan)
    written = amounts.written(due, currency)
    return Page(
        "portal/confirm.html",
        {
            **_frame(visit, plan, wish),
            "lines": _lines(found) if at_once else [],
            "taxes": _taxes(visit.unit, found) if at_once else [],
            "due": written if at_once else None,
            "credit": amounts.written(-left, currency) if left else None,
            "later": None if at_once else _later(plan, found),
            "method": words.method(method) if method else None,
            "payable": not due or method is not None,
            "button": f"Pay {written} and change plan" if due else "Change plan",
            "shown": found["amount_due"],
            "changed": changed,
            "refusal": refusal,
        },
        402 if refusal else 409 if changed else 200,
    )


def _deferral(visit: Visit, plan: Json, wish: _Wish) -> Page:
    """The page of a change that comes with the next period."""
    day = answer.day(subscriptions.period_of(plan)[1])
    return Page(
        "portal/confirm.html",
        {
            **_frame(visit, plan, wish),
            "later": f"Nothing is charged now. Your plan changes on {day}; until then you keep "
            "what you have.",
            "payable": True,
            "button": "Change plan",
            "shown": "0",
        },
    )


def _frame(visit: Visit, plan: Json, wish: _Wish) -> dict[str, object]:
    """What every confirmation says."""
    whole = prices.amount_in(wish.price, plan["currency"]) * wish.quantity
    every = words.rhythm(wish.price["recurring"])
    deferred = _is_deferred(visit, plan, wish)
    return {
        "subscription": plan["id"],
        "name": _name(visit.unit, wish),
        "price": f"{amounts.written(whole, plan['currency'])} {every}",
        "begins": "from then on" if deferred else "from now on",
        "wish": {"price": wish.price["id"], "quantity": wish.quantity, "at": wish.at},
        "errors": {},
        "beside": {},
    }


def _is_deferred(visit: Visit, plan: Json, wish: _Wish) -> bool:
    """True if the configuration lets a change such as this wait for the end of the period."""
    asked = {one["type"] for one in _feature(visit)["schedule_at_period_end"]["conditions"]}
    if plan["status"] != "active":
        return False
    item = subscriptions.items_of(plan)[0]
    now = subscription_items.amount_of(visit.unit, item, plan["currency"])
    then = prices.amount_in(wish.price, plan["currency"]) * wish.quantity
    shorter = _days(wish.price["recurring"]) < _days(item["price"]["recurring"])
    found = {"decreasing_item_amount": then < now, "shortening_interval": shorter}
    return any(found[name] for name in asked)


def _days(recurring: Json) -> int:
    """About how long a period is; enough to say which of two is shorter."""
    return _LENGTHS[recurring["interval"]] * int(recurring["interval_count"])


def _lines(found: Json) -> list[tuple[str, str]]:
    currency = found["currency"]
    rows = [
        (str(line["description"]), amounts.written(line["amount"], currency))
        for line in invoices.lines_in(found)
    ]
    off = sum(part["amount"] for part in found["total_discount_amounts"])
    if off:
        rows.append(("Discount", amounts.written(-off, currency)))
    balance = found["starting_balance"]
    if balance:
        owed = "Credit from before" if balance < 0 else "Owed from before"
        rows.append((owed, amounts.written(balance, currency)))
    return rows


def _taxes(unit: Unit, found: Json) -> list[tuple[str, str]]:
    return [
        (words.tax(unit, tax), words.tax_added(tax, found["currency"]))
        for tax in found["total_taxes"]
    ]


def _later(plan: Json, found: Json) -> str:
    """When something is charged, where nothing is charged now."""
    day = answer.day(subscriptions.period_of(plan)[1])
    total = amounts.written(found["amount_due"], found["currency"])
    return f"Nothing is charged now. On {day} you pay {total}."


def _previewed(visit: Visit, plan: Json, wish: _Wish) -> Json:
    details = _details(visit, plan, wish)
    details.setdefault("proration_behavior", "create_prorations")
    return previewing.create(
        visit.unit, {"subscription": plan["id"], "subscription_details": details}
    )


def _details(visit: Visit, plan: Json, wish: _Wish) -> Json:
    """The change in the words of the API."""
    feature = _feature(visit)
    item = subscriptions.items_of(plan)[0]
    wanted = {"id": item["id"], "price": wish.price["id"], "quantity": wish.quantity}
    details: Json = {
        "items": [wanted],
        "proration_behavior": feature["proration_behavior"],
        "proration_date": wish.at,
    }
    if feature["billing_cycle_anchor"] == "now":
        details["billing_cycle_anchor"] = {"type": "now"}
    if plan["status"] == "trialing" and feature["trial_update_behavior"] == "end_trial":
        details["trial_end"] = "now"
    return details


def _wish(visit: Visit, plan: Json, given: Mapping[str, str], at: int) -> _Wish | None:
    """What was chosen, if it is offered and differs from what there is."""
    price = next((p for p in _prices(visit, plan) if p["id"] == given.get("price")), None)
    item = subscriptions.items_of(plan)[0]
    if price is None:
        return None
    quantity = _quantity(visit, item, price, given.get("quantity", ""))
    same = price["id"] == item["price"]["id"] and quantity == item["quantity"]
    return None if same or quantity is None else _Wish(price, quantity, at)


def _quantity(visit: Visit, item: Json, price: Json, given: str) -> int | None:
    kept = int(item["quantity"])
    product = next(
        product for product in _feature(visit)["products"] if product["product"] == price["product"]
    )
    bounds = product["adjustable_quantity"]
    allowed = "quantity" in _feature(visit)["default_allowed_updates"] and bounds["enabled"]
    if not allowed or not given:
        return kept
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        return None
    most = bounds["maximum"] or _MOST
    return int(given) if bounds["minimum"] <= int(given) <= most else None


def _prices(visit: Visit, plan: Json) -> list[Json]:
    """The prices the configuration offers that are sold in the plan's currency."""
    feature, currency = _feature(visit), plan["currency"]
    item = subscriptions.items_of(plan)[0]
    found = [
        visit.unit.get("price", price_id)
        for product in feature["products"]
        for price_id in product["prices"]
    ]
    may_change = "price" in feature["default_allowed_updates"]
    return [
        price
        for price in found
        if (price["active"] or price["id"] == item["price"]["id"])
        and (price["currency"] == currency or currency in price["_options"])
        and (may_change or price["id"] == item["price"]["id"])
    ]


def _option(visit: Visit, plan: Json, price: Json) -> dict[str, str]:
    every = words.rhythm(price["recurring"])
    each = amounts.written(prices.amount_in(price, plan["currency"]), plan["currency"])
    name = str(visit.unit.get("product", price["product"])["name"])
    return {"id": price["id"], "name": name, "price": f"{each} {every}"}


def _name(unit: Unit, wish: _Wish) -> str:
    name = str(unit.get("product", wish.price["product"])["name"])
    return words.counted(name, wish.quantity)


def _changeable(visit: Visit, subscription_id: str) -> Json | None:
    plan = visit.plan(subscription_id)
    if plan is None or plan["status"] not in _CHANGEABLE or plan["cancel_at"]:
        return None
    return plan if len(subscriptions.items_of(plan)) == 1 else None


def _feature(visit: Visit) -> Json:
    found: Json = visit.configuration["features"]["subscription_update"]
    return found


def _moment(given: str, now: int) -> int:
    at = int(given) if given.isascii() and given.isdigit() and len(given) < 12 else now
    return at if now - _STALE_SECONDS <= at <= now else now
