"""The hosted invoice: a page to look at and a PDF to keep."""

from flask import Flask, Response

from stripe_sandbox import Json, amounts
from stripe_sandbox.pages import answer, pdf
from stripe_sandbox.sandbox import Sandbox

_STATES = {"paid": "Paid", "open": "To be paid", "draft": "Draft", "void": "Void"}


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the invoice's page and PDF."""

    def show(invoice_id: str) -> Response:
        invoice = _invoice(sandbox, invoice_id)
        if invoice is None:
            return _nothing(sandbox)
        return answer.page(sandbox, "invoice.html", _facts(invoice))

    def download(invoice_id: str) -> Response:
        invoice = _invoice(sandbox, invoice_id)
        if invoice is None:
            return _nothing(sandbox)
        written = pdf.document(_paragraphs(invoice))
        response = Response(written, content_type="application/pdf")
        response.headers["Content-Disposition"] = (
            f'inline; filename="Invoice-{invoice["number"]}.pdf"'
        )
        return answer.harden(response)

    app.add_url_rule("/i/<invoice_id>", "invoice", show)
    app.add_url_rule("/i/<invoice_id>/pdf", "invoice_pdf", download)


def _invoice(sandbox: Sandbox, invoice_id: str) -> Json | None:
    with sandbox.transaction() as unit:
        body = unit.find(invoice_id)
    return body if body is not None and body["object"] == "invoice" else None


def _facts(invoice: Json) -> dict[str, object]:
    currency = invoice["currency"]
    paid_at = invoice["status_transitions"]["paid_at"]
    return {
        "invoice": invoice,
        "state": _STATES.get(invoice["status"], invoice["status"]),
        "date": answer.day(invoice["created"]),
        "paid_on": answer.day(paid_at) if paid_at else None,
        "total": amounts.written(invoice["total"], currency),
        "left": amounts.written(invoice["amount_remaining"], currency),
        "lines": [
            {
                "words": line["description"],
                "period": _period(line["period"]),
                "amount": amounts.written(line["amount"], currency),
            }
            for line in invoice["lines"]["data"]
        ],
    }


def _period(period: Json) -> str | None:
    if period["start"] == period["end"]:
        return None
    return f"{answer.day(period['start'])} to {answer.day(period['end'])}"


def _paragraphs(invoice: Json) -> list[pdf.Row]:
    facts = _facts(invoice)
    rows = [
        pdf.Row(invoice["account_name"], size=20),
        pdf.Row("Sandbox. No real money moved.", size=10),
        pdf.Row(f"Invoice {invoice['number']}", size=14, gap=24),
        pdf.Row(f"Date {facts['date']}"),
        pdf.Row(f"To {invoice['customer_name'] or ''} {invoice['customer_email'] or ''}"),
    ]
    currency = invoice["currency"]
    for number, line in enumerate(invoice["lines"]["data"]):
        amount = amounts.written(line["amount"], currency)
        rows.append(pdf.Row(line["description"], right=amount, gap=0 if number else 18))
        period = _period(line["period"])
        if period:
            rows.append(pdf.Row(period, size=9))
    rows.append(pdf.Row("Total", right=str(facts["total"]), size=13, gap=12))
    rows.append(pdf.Row(f"Paid on {facts['paid_on']}" if facts["paid_on"] else "Not paid yet"))
    return rows


def _nothing(sandbox: Sandbox) -> Response:
    facts: dict[str, object] = {
        "title": "There is no such invoice",
        "text": "Check the address, or open it again from your account.",
    }
    return answer.page(sandbox, "message.html", facts, status=404)
