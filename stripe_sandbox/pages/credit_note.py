"""The PDF of a credit note, at the address its object names."""

from flask import Flask, Response, abort

from stripe_sandbox import Json, amounts
from stripe_sandbox.objects import credit_notes
from stripe_sandbox.pages import answer, pdf
from stripe_sandbox.sandbox import Sandbox


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the credit note's PDF."""

    def download(invoice_id: str, note_id: str) -> Response:
        with sandbox.transaction() as unit:
            note, invoice = unit.find(note_id), unit.find(invoice_id)
        if note is None or note["object"] != credit_notes.KIND or invoice is None:
            abort(404, "There is no such credit note.")
        response = Response(pdf.document(_rows(note, invoice)), content_type="application/pdf")
        response.headers["Content-Disposition"] = (
            f'inline; filename="CreditNote-{note["number"]}.pdf"'
        )
        return answer.harden(response)

    app.add_url_rule("/i/<invoice_id>/credit_notes/<note_id>/pdf", "credit_note_pdf", download)


def _rows(note: Json, invoice: Json) -> list[pdf.Row]:
    currency = note["currency"]
    rows = [
        pdf.Row(invoice["account_name"], size=20),
        pdf.Row("Sandbox. No real money moved.", size=10),
        pdf.Row(f"Credit note {note['number']}", size=14, gap=24),
        pdf.Row(f"Date {answer.day(note['effective_at'])}"),
        pdf.Row(f"For invoice {invoice['number']}"),
    ]
    for number, line in enumerate(note["lines"]["data"]):
        amount = amounts.written(-line["amount"], currency)
        rows.append(pdf.Row(line["description"] or "Credit", amount, gap=0 if number else 18))
    for title, amount in (
        ("Discount", note["discount_amount"]),
        ("Tax", -sum(tax["amount"] for tax in note["total_taxes"])),
    ):
        if amount:
            rows.append(pdf.Row(title, amounts.written(amount, currency)))
    rows.append(pdf.Row("Total", amounts.written(-note["total"], currency), size=13, gap=12))
    if note["memo"]:
        rows.append(pdf.Row(note["memo"], gap=12))
    return rows
