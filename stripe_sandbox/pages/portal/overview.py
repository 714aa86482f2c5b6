"""The portal's first page: plans, ways to pay, details and invoices of one customer."""

from flask import request

from stripe_sandbox import Json, amounts
from stripe_sandbox.flows import deferring
from stripe_sandbox.objects import invoices as invoice_objects
from stripe_sandbox.objects import prices, subscription_items, subscriptions, tax_ids
from stripe_sandbox.pages import answer, wallet, words
from stripe_sandbox.pages.portal.visit import Onward, Page, Visit, default_method, invoices_of

_FEW, _MANY = 6, 100
_DONE = {
    "card": "Your card is saved.",
    "preferred": "Your plan is paid with this from now on.",
    "removed": "It is removed. Nothing is charged to it any more.",
    "plan": "Your plan is changed.",
    "later": "Your plan changes with its next period.",
    "canceled": "Your plan is canceled.",
    "kept": "Your plan goes on.",
    "details": "Your details are saved.",
}
_INVOICE_STATES = {
    "paid": ("Paid", "good"),
    "open": ("To be paid", "warn"),
    "uncollectible": ("Not paid", "warn"),
    "void": ("Void", ""),
}
_VERIFIED = {
    "verified": "verified",
    "unverified": "could not be verified",
    "pending": "being verified",
    "unavailable": "",
}
_TROUBLED = ("past_due", "unpaid", "incomplete")


def show(visit: Visit) -> Page:
    """The overview."""
    unit, customer = visit.unit, visit.customer
    plans = subscriptions.of_customer(unit, customer["id"])
    return Page(
        "portal/overview.html",
        {
            "done": _DONE.get(request.args.get("done", "")),
            "plans": [plan_facts(visit, plan) for plan in plans],
            "methods": _methods(visit) if visit.offers("payment_method_update") else None,
            "details": _details(visit),
            "invoices": _rows(visit, _FEW) if visit.offers("invoice_history") else None,
            "more": len(invoices_of(visit, _FEW + 1)) > _FEW,
            "may": {name: visit.offers(name) for name in visit.configuration["features"]},
        },
    )


def invoices(visit: Visit) -> Page:
    """All invoices of the customer."""
    return Page("portal/invoices.html", {"invoices": _rows(visit, _MANY)})


def confirmed(visit: Visit) -> Page | Onward:
    """The end of a flow: what was to be done is done."""
    if visit.after.get("type") != "hosted_confirmation" or visit.flow is not None:
        return visit.instead()
    custom = visit.after["hosted_confirmation"]["custom_message"]
    return Page("portal/done.html", {"text": custom or "Your change is saved."})


def plan_facts(visit: Visit, plan: Json) -> dict[str, object]:
    """What the pages say of one subscription."""
    unit = visit.unit
    items = subscriptions.items_of(plan)
    names = [_name(visit, item) for item in items]
    method = default_method(visit, plan)
    ends = plan["cancel_at"]
    return {
        "id": plan["id"],
        "name": " and ".join(names),
        "price": _price(visit, plan),
        "state": _state(visit, plan),
        "ends": bool(ends),
        "owed": _owed(visit, plan) if plan["status"] in _TROUBLED else None,
        "method": words.method(method) if method else None,
        "changeable": plan["status"] in ("active", "past_due", "trialing")
        and len(items) == 1
        and not ends,
        "waiting": plan["pending_update"] is not None,
        "next": _next(visit, plan),
        "discounts": [words.discount(unit, unit.get("discount", one)) for one in plan["discounts"]],
    }


def _name(visit: Visit, item: Json) -> str:
    name = str(visit.unit.get("product", item["price"]["product"])["name"])
    return words.counted(name, item["quantity"])


def _price(visit: Visit, plan: Json) -> str:
    items = subscriptions.items_of(plan)
    total = sum(subscription_items.amount_of(visit.unit, item, plan["currency"]) for item in items)
    every = words.rhythm(items[0]["price"]["recurring"])
    return f"{amounts.written(total, plan['currency'])} {every}"


def _state(visit: Visit, plan: Json) -> str:
    """What happens next, in one sentence with its date."""
    until = answer.day(subscriptions.period_of(plan)[1])
    if plan["cancel_at"]:
        return f"Ends on {answer.day(plan['cancel_at'])}. You keep it until then."
    if plan["status"] == "trialing":
        return f"Free until {until}, then {_price(visit, plan)}."
    if plan["status"] == "paused":
        return "Paused. Nothing is charged."
    if plan["status"] in _TROUBLED:
        return "The last payment did not go through."
    if plan["pause_collection"]:
        return "Payments are paused."
    return f"Renews on {until}."


def _next(visit: Visit, plan: Json) -> str | None:
    """What the plan becomes with its next period, if a change waits for that."""
    phase = deferring.waiting(visit.unit, plan)
    if phase is None:
        return None
    names = []
    for item in phase["items"]:
        price = visit.unit.get("price", item["price"])
        name = str(visit.unit.get("product", price["product"])["name"])
        each = amounts.written(
            prices.amount_in(price, plan["currency"]) * item["quantity"], plan["currency"]
        )
        counted = words.counted(name, item["quantity"])
        names.append(f"{counted}, {each} {words.rhythm(price['recurring'])}")
    return f"Changes on {answer.day(phase['start_date'])} to {' and '.join(names)}."


def _owed(visit: Visit, plan: Json) -> dict[str, str] | None:
    """The oldest invoice of the plan that waits for its payment."""
    opened = invoices_open(visit, plan)
    if not opened:
        return None
    oldest = opened[-1]
    return {
        "sum": amounts.written(oldest["amount_remaining"], oldest["currency"]),
        "url": str(oldest["hosted_invoice_url"]),
    }


def invoices_open(visit: Visit, plan: Json) -> list[Json]:
    """The open invoices of the plan, newest first."""
    return invoice_objects.of_subscription(visit.unit, plan["id"], "open")


def _methods(visit: Visit) -> list[dict[str, object]]:
    found = wallet.of_customer(visit.unit, visit.customer["id"])
    default = visit.customer["invoice_settings"]["default_payment_method"]
    in_use = {
        plan["default_payment_method"]
        for plan in subscriptions.of_customer(visit.unit, visit.customer["id"])
    }
    return [
        {
            "id": body["id"],
            "words": words.method(body),
            "expiry": words.expiry(body),
            "default": body["id"] == default or (default is None and body["id"] in in_use),
            "pays": body["id"] in in_use,
        }
        for body in found
    ]


def _details(visit: Visit) -> dict[str, object]:
    customer = visit.customer
    return {
        "name": customer["name"],
        "email": customer["email"],
        "phone": customer["phone"],
        "address": address_lines(customer["address"]),
        "tax_ids": tax_id_rows(visit),
    }


def address_lines(address: Json | None) -> list[str]:
    """The address as it is written on an envelope, without empty lines."""
    given = address or {}
    place = " ".join(
        str(given[name]) for name in ("postal_code", "city", "state") if given.get(name)
    )
    lines = [given.get("line1"), given.get("line2"), place, given.get("country")]
    return [str(line) for line in lines if line]


def tax_id_rows(visit: Visit) -> list[dict[str, str]]:
    """The customer's tax ids, and what the authority says of each."""
    return [
        {
            "id": body["id"],
            "kind": str(words.TAX_IDS.get(body["type"], body["type"])),
            "value": body["value"],
            "state": _VERIFIED[body["verification"]["status"]],
        }
        for body in tax_ids.of_customer(visit.unit, visit.customer["id"])
    ]


def _rows(visit: Visit, most: int) -> list[dict[str, object]]:
    return [
        {
            "number": body["number"],
            "date": answer.day(body["created"]),
            "sum": amounts.written(body["total"], body["currency"]),
            "state": _INVOICE_STATES[body["status"]],
            "url": body["hosted_invoice_url"],
            "pdf": body["invoice_pdf"],
        }
        for body in invoices_of(visit, most)
    ]
