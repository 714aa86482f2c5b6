"""The receipt of one charge, at the address the charge names: ``/r/CHARGE``."""

from flask import Flask, Response

from stripe_sandbox import Json, amounts
from stripe_sandbox.objects import invoice_payments
from stripe_sandbox.pages import answer, invoice_facts
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves receipts."""

    def show(charge_id: str) -> Response:
        with sandbox.transaction() as unit:
            charge = unit.find(charge_id)
            known = charge is not None and charge["object"] == "charge" and charge["paid"]
            if charge is None or not known:
                return _nothing(sandbox)
            facts = _facts(unit, charge)
        return answer.page(sandbox, "receipt.html", facts)

    app.add_url_rule("/r/<charge_id>", "receipt", show)


def _facts(unit: Unit, charge: Json) -> dict[str, object]:
    currency = charge["currency"]
    intent = unit.find(charge["payment_intent"]) if charge["payment_intent"] else None
    invoice = invoice_payments.invoice_of(unit, intent) if intent else None
    back = charge["amount_refunded"]
    return {
        "charge": charge,
        "total": amounts.written(charge["amount_captured"] or charge["amount"], currency),
        "date": answer.day(charge["created"]),
        "method": invoice_facts.paid_with(charge),
        "lines": invoice_facts.lines(invoice) if invoice else [],
        "sums": invoice_facts.sums(unit, invoice) if invoice else [],
        "invoice": invoice,
        "words": charge["description"] or "Payment",
        "back": amounts.written(back, currency) if back else None,
    }


def _nothing(sandbox: Sandbox) -> Response:
    facts: dict[str, object] = {
        "title": "There is no such receipt",
        "text": "Check the address, or open it again from your account.",
    }
    return answer.page(sandbox, "message.html", facts, status=404)
