"""The lines of a credit note: parts of an invoice's lines, or sums of their own."""

from collections.abc import Iterable

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.maths import crediting
from stripe_sandbox.objects import tax_rates, taxes
from stripe_sandbox.unit import Unit

_MOST = 99_999_999
PARAMETER = params.list_of(
    params.hash_of(
        {
            "amount": params.integer(0, _MOST),
            "description": TEXT,
            "invoice_line_item": TEXT,
            "metadata": params.metadata,
            "quantity": params.integer(1),
            "tax_rates": params.list_of(TEXT, 5),
            "type": params.choice("custom_line_item", "invoice_line_item"),
            "unit_amount": params.integer(0, _MOST),
        },
        ("type",),
    )
)
_OF_INVOICE = ("amount", "invoice_line_item")
_CUSTOM = ("description", "tax_rates", "unit_amount")


def made(unit: Unit, invoice: Json, given: list[Json], earlier: list[Json]) -> list[Json]:
    """The lines asked for; ``earlier`` are the lines of the invoice's other notes."""
    found: list[Json] = []
    for at, one in enumerate(given):
        param = f"lines[{at}]"
        _check(invoice, one, param)
        if one["type"] == "custom_line_item":
            found.append(_custom(unit, one, param))
        else:
            found.append(_part(unit, invoice, one, [*earlier, *found], param))
    return found


def lump(amount: int) -> Json:
    """One line for a sum that names no line of the invoice."""
    return _line("custom_line_item", amount, {"quantity": 1, "unit_amount": amount})


def _check(invoice: Json, one: Json, param: str) -> None:
    custom = one["type"] == "custom_line_item"
    for name in _OF_INVOICE if custom else _CUSTOM:
        if one.get(name) is not None:
            raise errors.invalid(
                f"{name} is not valid when type is {one['type']}.", param=f"{param}[{name}]"
            )
    if custom and one.get("unit_amount") is None:
        raise errors.missing_parameter(f"{param}[unit_amount]")
    if custom and invoice["automatic_tax"]["enabled"]:
        raise errors.invalid(
            "custom_line_item is not valid for an invoice with automatic tax.",
            param=f"{param}[type]",
        )
    if not custom and not one.get("invoice_line_item"):
        raise errors.missing_parameter(f"{param}[invoice_line_item]")
    if one.get("amount") is not None and one.get("quantity") is not None:
        raise errors.invalid(
            "You may only specify one of these parameters: amount, quantity.", param=param
        )


def _custom(unit: Unit, one: Json, param: str) -> Json:
    rates = tax_rates.chosen(unit, one.get("tax_rates") or [], f"{param}[tax_rates]")
    quantity = one.get("quantity") or 1
    amount = one["unit_amount"] * quantity
    return _line(
        "custom_line_item",
        amount,
        {
            "description": one.get("description"),
            "metadata": params.merged_metadata({}, one.get("metadata") or {}),
            "quantity": quantity,
            "tax_rates": rates,
            "taxes": taxes.of_line(amount, taxes.manual(rates)),
            "unit_amount": one["unit_amount"],
        },
    )


def _part(unit: Unit, invoice: Json, one: Json, earlier: list[Json], param: str) -> Json:
    source = _source(invoice, one["invoice_line_item"], f"{param}[invoice_line_item]")
    before = [line for line in earlier if line.get("invoice_line_item") == source["id"]]
    credited = sum(line["amount"] for line in before)
    amount = _amount(source, one, source["amount"] - credited, param)
    until = credited + amount
    quantity = one.get("quantity")
    return _line(
        "invoice_line_item",
        amount,
        {
            "description": source["description"],
            "discount_amounts": _discounts(source, before, until),
            "invoice_line_item": source["id"],
            "metadata": params.merged_metadata({}, one.get("metadata") or {}),
            "quantity": quantity,
            "tax_rates": _rates(unit, source),
            "taxes": _taxes(source, before, until),
            "unit_amount": amount // quantity if quantity else None,
        },
    )


def _source(invoice: Json, line_id: str, param: str) -> Json:
    for line in invoice["lines"]["data"]:
        if line["id"] == line_id:
            return dict(line)
    raise errors.no_such("invoice line item", line_id, param)


def _amount(source: Json, one: Json, left: int, param: str) -> int:
    if one.get("amount") is not None:
        amount, name = int(one["amount"]), "amount"
    elif one.get("quantity") is not None:
        whole = source["quantity"] or 1
        if one["quantity"] > whole:
            raise errors.invalid(
                f"The invoice line has a quantity of {whole}.", param=f"{param}[quantity]"
            )
        amount, name = crediting.back(source["amount"], of=whole, until=one["quantity"]), "quantity"
    else:
        amount, name = left, "amount"
    if not 0 <= amount <= left:
        raise errors.invalid(
            f"The credit of {amount} is more than what is left of the invoice line ({left}).",
            param=f"{param}[{name}]",
        )
    return amount


def _discounts(source: Json, before: list[Json], until: int) -> list[Json]:
    parts = []
    for whole in source["discount_amounts"] or ():
        given = sum(
            part["amount"]
            for line in before
            for part in line["discount_amounts"]
            if part["discount"] == whole["discount"]
        )
        off = crediting.back(whole["amount"], of=source["amount"], until=until, given=given)
        parts.append({"amount": off, "discount": whole["discount"]})
    return parts


def _taxes(source: Json, before: list[Json], until: int) -> list[Json]:
    parts = []
    for whole in source["taxes"] or ():
        earlier = [tax for line in before for tax in line["taxes"] if _rate(tax) == _rate(whole)]
        part = dict(whole)
        for name in ("amount", "taxable_amount"):
            given = sum(tax[name] for tax in earlier)
            part[name] = crediting.back(whole[name], of=source["amount"], until=until, given=given)
        parts.append(part)
    return parts


def _rate(tax: Json) -> str:
    return str(tax["tax_rate_details"]["tax_rate"])


def _rates(unit: Unit, source: Json) -> list[Json]:
    by_hand = [tax for tax in source["taxes"] or () if tax["taxability_reason"] == taxes.BY_HAND]
    return [unit.get(tax_rates.KIND, _rate(tax)) for tax in by_hand]


def _line(kind: str, amount: int, facts: Json) -> Json:
    unit_amount = facts.get("unit_amount")
    discounts: Iterable[Json] = facts.get("discount_amounts", ())
    body: Json = {
        "id": ids.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": None,
        "discount_amount": sum(part["amount"] for part in discounts),
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [{**part, "type": "discount"} for part in discounts],
        "quantity": None,
        "tax_rates": [],
        "taxes": [],
        "type": kind,
        "unit_amount_decimal": None if unit_amount is None else str(unit_amount),
        **facts,
    }
    return body
