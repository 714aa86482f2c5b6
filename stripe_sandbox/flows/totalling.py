"""What an invoice comes to: lines, discounts, taxes, and the customer's balance."""

from stripe_sandbox import Json
from stripe_sandbox.maths import discounting
from stripe_sandbox.objects import automatic_tax, discounts, invoices, taxes
from stripe_sandbox.unit import Unit


def total(unit: Unit, invoice: Json) -> Json:
    """The draft's sums follow from its lines, discounts, rates and the customer's balance."""
    lines = invoices.lines_in(invoice)
    taken = discounts.amounts(
        unit,
        [(_reducible(line), line["discounts"]) for line in lines],
        invoice["discounts"],
        invoice["currency"],
    )
    buyer = _buyer(unit, invoice)
    for line, amounts in zip(lines, taken, strict=True):
        line["discount_amounts"] = amounts
        net = line["amount"] - sum(part["amount"] for part in amounts)
        line["taxes"] = taxes.of_line(net, _levies(unit, invoice, line, buyer))
    _sum_up(unit, invoice, taken)
    return invoice


def net_of(line: Json) -> int:
    """What a line costs after its discounts, before taxes on top."""
    return int(line["amount"] - sum(part["amount"] for part in line["discount_amounts"]))


def _sum_up(unit: Unit, invoice: Json, taken: list[list[Json]]) -> None:
    lines = invoices.lines_in(invoice)
    per_line = [line["taxes"] for line in lines]
    subtotal = sum(line["amount"] for line in lines)
    off = sum(part["amount"] for amounts in taken for part in amounts)
    on_top = sum(taxes.on_top(found) for found in per_line)
    inside = sum(taxes.inside(found) for found in per_line)
    whole = subtotal - off + on_top
    invoice.update(
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal - inside,
        total=whole,
        total_excluding_tax=whole - on_top - inside,
        total_discount_amounts=discounts.total(taken),
        total_taxes=taxes.total(per_line),
    )
    balance = unit.get("customer", invoice["customer"])["balance"]
    owed = max(0, whole + balance)
    invoice.update(starting_balance=balance, amount_due=owed, amount_remaining=owed)


def _reducible(line: Json) -> discounting.Line:
    details = line["pricing"].get("price_details")
    product = details["product"] if details else None
    return discounting.Line(line["amount"], product, line["discountable"])


def _buyer(unit: Unit, invoice: Json) -> automatic_tax.Buyer | None:
    """Who pays tax and where, if the invoice wants its tax worked out; its status says so."""
    if not invoice["automatic_tax"]["enabled"]:
        return None
    customer = unit.get("customer", invoice["customer"])
    buyer = automatic_tax.buyer_of(unit, customer)
    status = automatic_tax.status(buyer)
    invoice["automatic_tax"].update(status=status, provider="stripe", liability={"type": "self"})
    return buyer if status == "complete" else None


def _levies(
    unit: Unit, invoice: Json, line: Json, buyer: automatic_tax.Buyer | None
) -> tuple[taxes.Levy, ...]:
    note = invoice["_taxing"].get(line["id"]) or {}
    if not invoice["automatic_tax"]["enabled"]:
        return taxes.manual(note.get("rates") or invoice["default_tax_rates"])
    if buyer is None:
        return ()
    details = line["pricing"].get("price_details")
    if details:
        price = unit.get("price", details["price"])
        good = automatic_tax.good_of(unit, price, invoice["currency"])
    else:
        good = automatic_tax.Good(invoice["currency"], note.get("behavior"), note.get("code"))
    return automatic_tax.rates_for(unit, buyer, good)
