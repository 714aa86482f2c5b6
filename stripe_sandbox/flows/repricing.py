"""A change of what a subscription sells: the items after it, and the parts of periods it moves."""

from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.maths import discounting, prorating
from stripe_sandbox.objects import discounts, invoiceitems, subscription_items, subscriptions
from stripe_sandbox.objects.invoiceitems import Proration
from stripe_sandbox.unit import Unit

_MOST_ITEMS = 20


@dataclass(frozen=True)
class Moment:
    """When a change counts from, and whether parts of periods are moved at all."""

    at: int
    prorate: bool


def items_after(unit: Unit, body: Json, given: list[Json]) -> list[Json]:
    """The items as they will be: changed, added and without the deleted ones."""
    items = [dict(item) for item in subscriptions.items_of(body)]
    for index, wanted in enumerate(given):
        param = f"items[{index}]"
        if wanted.get("id") is None:
            items.append(_added(unit, body, items, wanted, param))
            continue
        item = next((item for item in items if item["id"] == wanted["id"]), None)
        if item is None:
            raise errors.no_such("subscription_item", wanted["id"], f"{param}[id]")
        if wanted.get("deleted"):
            items.remove(item)
        else:
            _altered(unit, item, wanted, param)
    _check(items)
    return items


def move_parts(unit: Unit, before: Json, after: Json, moment: Moment) -> None:
    """What was billed and is not used any more waits as a credit, its replacement as a debit."""
    old = {item["id"]: item for item in subscriptions.items_of(before)}
    new = {item["id"]: item for item in subscriptions.items_of(after)}
    for item_id, item in old.items():
        kept = new.get(item_id)
        if kept is None or not _same(item, kept):
            give_back(unit, before, item, moment)
            if kept is None:
                after["_debits"].pop(item_id, None)
    for item_id, item in new.items():
        moved = item_id not in old or not _same(old[item_id], item)
        if moved and moment.prorate and after["status"] != "trialing":
            charge_part(unit, after, item, subscriptions.period_of(after), moment.at)


def give_back(unit: Unit, body: Json, item: Json, moment: Moment) -> int:
    """The unused part of what the item was billed waits as a credit; its sum, zero or less."""
    debit = body["_debits"].get(item["id"])
    if debit is None or not moment.prorate:
        return 0
    unused = prorating.share(
        debit["amount"], begins=debit["start"], ends=debit["end"], now=moment.at
    )
    if unused == 0:
        return 0
    invoiceitems.prorate(
        unit,
        Proration(
            subscription=body,
            item=item,
            amount=-unused,
            period=(moment.at, debit["end"]),
            words=f"Unused time on {_name(unit, item)} after {invoiceitems.day(moment.at)}",
            credited=debit["from"],
        ),
    )
    return -unused


def charge_part(unit: Unit, body: Json, item: Json, whole: tuple[int, int], at: int) -> None:
    """The part of a whole period of the item from the moment on waits as a debit."""
    begins, ends = whole
    price = subscription_items.amount_of(unit, item, body["currency"])
    net = price - _discount_of(unit, body, item, price)
    amount = prorating.share(net, begins=begins, ends=ends, now=at)
    debit: Json = {"amount": amount, "start": at, "end": ends, "from": None}
    body["_debits"][item["id"]] = debit
    if amount == 0:
        return
    made = invoiceitems.prorate(
        unit,
        Proration(
            subscription=body,
            item=item,
            amount=amount,
            period=(at, ends),
            words=f"Remaining time on {_name(unit, item)} after {invoiceitems.day(at)}",
        ),
    )
    debit["from"] = {"type": "invoice_item", "invoice_item": made["id"]}


def _discount_of(unit: Unit, body: Json, item: Json, whole: int) -> int:
    """What the plan's running discounts take off a whole period of the item.

    What counts once waits for a whole period: it would count for the part and the period else.
    """
    line = discounting.Line(whole, item["price"]["product"])
    own, common = (
        discounts.lasting(unit, given, unit.now) for given in (item["discounts"], body["discounts"])
    )
    found = discounts.amounts(unit, [(line, own)], common, body["currency"])
    return sum(part["amount"] for part in found[0])


def _name(unit: Unit, item: Json) -> str:
    name = str(unit.get("product", item["price"]["product"])["name"])
    return name if item["quantity"] == 1 else f"{item['quantity']} \u00d7 {name}"


def _same(old: Json, new: Json) -> bool:
    return bool(old["price"]["id"] == new["price"]["id"] and old["quantity"] == new["quantity"])


def _added(unit: Unit, body: Json, items: list[Json], wanted: Json, param: str) -> Json:
    price = subscription_items.priced(unit, wanted, param)
    if any(item["price"]["id"] == price["id"] for item in items):
        raise errors.invalid(
            "Cannot add multiple subscription items with the same price: "
            f"{price['id']}. To change its quantity, give the id of the item.",
            param=f"{param}[price]",
        )
    item = subscription_items.made(unit, body["id"], price, wanted)
    if items:
        first = items[0]
        copied = ("billed_until", "current_period_start", "current_period_end")
        item.update({name: first[name] for name in copied})
    return item


def _altered(unit: Unit, item: Json, wanted: Json, param: str) -> None:
    if wanted.get("price") or wanted.get("price_data"):
        price = subscription_items.priced(unit, wanted, param)
        subscription_items.reprice(item, price)
    if wanted.get("quantity") is not None:
        item["quantity"] = wanted["quantity"]
    if "metadata" in wanted:
        item["metadata"] = params.merged_metadata(item["metadata"], wanted["metadata"])


def _check(items: list[Json]) -> None:
    if not items:
        raise errors.invalid(
            "A subscription must have at least one active plan. To end it, cancel it.",
            param="items",
        )
    if len(items) > _MOST_ITEMS:
        raise errors.invalid(f"A subscription has at most {_MOST_ITEMS} items.", param="items")
    if len({subscription_items.rhythm_of(item) for item in items}) > 1:
        raise errors.invalid(
            "The sandbox serves subscriptions whose items share one billing interval.",
            param="items",
        )
