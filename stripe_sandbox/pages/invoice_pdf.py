"""An invoice, or the receipt of a paid one, as rows of a PDF."""

from stripe_sandbox import Json, amounts
from stripe_sandbox.pages import invoice_facts, pdf
from stripe_sandbox.pages.pdf import Row
from stripe_sandbox.unit import Unit

_SANDBOX = "Sandbox. No real money moved."


def written(unit: Unit, invoice: Json, *, receipt: bool) -> bytes:
    """The document, with everything the page shows."""
    return pdf.document(
        [
            *_head(invoice, receipt=receipt),
            *_parties(invoice),
            *_due(unit, invoice),
            *_lines(invoice),
            *_sums(unit, invoice),
            *_payments(unit, invoice),
            *_foot(invoice),
        ]
    )


def _head(invoice: Json, *, receipt: bool) -> list[Row]:
    title = "Receipt" if receipt else "Invoice"
    rows = [
        Row(title, invoice["account_name"], size=20, bold=True),
        Row(_SANDBOX, size=9, gap=4),
        Row("Number", invoice["number"] or "draft", gap=18, near=True),
    ]
    rows += [Row(name, day, near=True) for name, day in invoice_facts.dates(invoice)]
    fields = invoice["custom_fields"] or ()
    rows += [Row(field["name"][:16], field["value"], near=True) for field in fields]
    return rows


def _parties(invoice: Json) -> list[Row]:
    to = invoice_facts.bill_to(invoice)
    rows = [Row("From", size=9, gap=16), Row(invoice["account_name"], bold=True)]
    if to:
        rows += [Row("To", size=9, gap=10), Row(to[0], bold=True), *(Row(row) for row in to[1:])]
    return rows


def _due(unit: Unit, invoice: Json) -> list[Row]:
    """The one sentence somebody looks for."""
    currency = invoice["currency"]
    days = dict(invoice_facts.dates(invoice))
    if invoice["status"] == "paid":
        text = f"{amounts.written(invoice['amount_paid'], currency)} paid on {days['Paid on']}"
    elif invoice["status"] == "void":
        text = "Void: nothing is to be paid"
    else:
        text = f"{amounts.written(invoice['amount_remaining'], currency)} due"
        text += f" on {days['Due']}" if "Due" in days else ""
    rows = [Row(text, size=15, gap=20, bold=True)]
    if invoice_facts.under_way(unit, invoice):
        rows.append(Row("A bank debit has been ordered and is not decided yet."))
    if invoice["description"]:
        rows.append(Row(invoice["description"], gap=4))
    return rows


def _lines(invoice: Json) -> list[Row]:
    rows = [Row("What", "Sum", size=9, gap=18)]
    for line in invoice_facts.lines(invoice):
        rows.append(Row(line.words, line.sum, gap=6, ruled=True))
        if line.each:
            rows.append(Row(line.each, size=9))
        if line.period:
            rows.append(Row(line.period, size=9))
    return rows


def _sums(unit: Unit, invoice: Json) -> list[Row]:
    rows = []
    for number, found in enumerate(invoice_facts.sums(unit, invoice)):
        gap = 4 if number else 12
        rows.append(
            Row(found.words, found.sum, gap=gap, bold=found.strong, ruled=True, middle=True)
        )
    return rows


def _payments(unit: Unit, invoice: Json) -> list[Row]:
    charges = invoice_facts.charges_of(unit, invoice)
    if not charges:
        return []
    rows = [Row("Paid with", size=9, gap=18)]
    for charge in charges:
        sum_ = amounts.written(charge["amount_captured"], charge["currency"])
        rows.append(Row(invoice_facts.paid_with(charge), sum_, gap=4, ruled=True))
        if charge["amount_refunded"]:
            back = amounts.written(-charge["amount_refunded"], charge["currency"])
            rows.append(Row("Refunded", back))
    return rows


def _foot(invoice: Json) -> list[Row]:
    return [Row(invoice["footer"], size=9, gap=24)] if invoice["footer"] else []
