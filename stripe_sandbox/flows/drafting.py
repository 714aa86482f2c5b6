"""Drafts: an invoice with its lines, before it is final."""

from collections.abc import Iterable

from stripe_sandbox import Json
from stripe_sandbox.flows import totalling
from stripe_sandbox.objects import discounts, invoice_lines, invoiceitems, invoices, subscriptions
from stripe_sandbox.objects.invoices import Bill
from stripe_sandbox.unit import Unit


def of_period(unit: Unit, bill: Bill) -> Json:
    """A draft bills the subscription's present period and what waits for the customer.

    What each item was billed is noted on the subscription, whose owner stores it.
    """
    subscription = bill.subscription
    assert subscription is not None, "a period belongs to a subscription"
    _end_discounts(unit, subscription)
    invoice = invoices.draft(unit, bill)
    for item in subscriptions.items_of(subscription):
        line = invoice_lines.for_period(unit, invoice, subscription, item)
        line["discounts"] = list(item["discounts"])
        _add(invoice, line, {"rates": item["tax_rates"]})
    billed = list(invoices.lines_in(invoice))
    _take_waiting(unit, invoice, subscription["id"], alone=bill.alone)
    told = _finish(unit, invoice)
    _note_debits(subscription, invoice, billed)
    if not bill.held:
        _use_discounts(unit, subscription)
    return told


def of_waiting(unit: Unit, bill: Bill, *, take: bool = True) -> Json:
    """A draft bills what waits for the customer, if it is to be taken, and nothing else.

    What it uses up of the subscription's discounts is noted there; its owner stores it.
    """
    invoice = invoices.draft(unit, bill)
    invoice["discounts"] = discounts.in_force(unit, invoice["discounts"], unit.now)
    if take:
        _take_waiting(unit, invoice, bill.subscription["id"] if bill.subscription else None)
    told = _finish(unit, invoice)
    if bill.subscription and not bill.held:
        kept = discounts.spent(unit, bill.subscription["discounts"], invoice)
        bill.subscription["discounts"] = kept
    return told


def of_items(unit: Unit, bill: Bill, items: Iterable[Json]) -> Json:
    """A draft bills these invoice items and nothing else."""
    invoice = invoices.draft(unit, bill)
    for item in items:
        put_on(unit, invoice, item)
    return _finish(unit, invoice)


def put_on(unit: Unit, invoice: Json, waiting: Json) -> None:
    """The invoice item is a line of the draft."""
    line = invoice_lines.of_invoiceitem(unit, invoice, waiting)
    waiting["invoice"] = invoice["id"]
    unit.save(waiting)
    note = {
        "rates": waiting["tax_rates"],
        "behavior": waiting.get("_tax_behavior"),
        "code": waiting.get("_tax_code"),
    }
    _add(invoice, line, note)


def take_off(unit: Unit, invoice: Json, waiting: Json) -> None:
    """The invoice item is no line of the draft any more."""
    kept = []
    for line in invoices.lines_in(invoice):
        parent = line["parent"]
        if parent[parent["type"]]["invoice_item"] != waiting["id"]:
            kept.append(line)
    invoice["lines"]["data"] = kept


def again(unit: Unit, invoice: Json) -> Json:
    """The draft's sums are right after a change of its lines; invoice.updated says so."""
    before = unit.get("invoice", invoice["id"])
    totalling.total(unit, invoice)
    return unit.update("invoice.updated", invoice, before)


def _take_waiting(
    unit: Unit, invoice: Json, subscription_id: str | None, *, alone: bool = False
) -> None:
    for waiting in invoiceitems.waiting(unit, invoice["customer"], subscription_id):
        belongs = not alone or waiting["parent"] is not None
        if belongs and waiting["currency"] == invoice["currency"]:
            put_on(unit, invoice, waiting)


def _add(invoice: Json, line: Json, note: Json) -> None:
    invoices.lines_in(invoice).append(line)
    invoice["_taxing"][line["id"]] = note


def _finish(unit: Unit, invoice: Json) -> Json:
    totalling.total(unit, invoice)
    unit.save(invoice)
    unit.emit("invoice.created", invoice)
    return invoice


def _note_debits(subscription: Json, invoice: Json, lines: list[Json]) -> None:
    for line in lines:
        details = line["parent"]["subscription_item_details"]
        subscription["_debits"][details["subscription_item"]] = {
            "amount": totalling.net_of(line),
            "start": line["period"]["start"],
            "end": line["period"]["end"],
            "from": {
                "type": "invoice_line_items",
                "invoice_line_item_details": {
                    "invoice": invoice["id"],
                    "invoice_line_items": [line["id"]],
                },
            },
        }


def _end_discounts(unit: Unit, subscription: Json) -> None:
    for owner in (subscription, *subscriptions.items_of(subscription)):
        owner["discounts"] = discounts.in_force(unit, owner["discounts"], unit.now)


def _use_discounts(unit: Unit, subscription: Json) -> None:
    """Discounts for one invoice are used up by a real one; a trial uses none."""
    if subscription["status"] == "trialing":
        return
    for owner in (subscription, *subscriptions.items_of(subscription)):
        owner["discounts"] = discounts.used(unit, owner["discounts"])
