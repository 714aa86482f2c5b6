"""The hosted invoice: a page to look at and to pay on, a PDF to keep, and a receipt.

Names a browser test may rely on. The heading "Invoice NUMBER", the state in ``.badge``, the table
of lines, below it the sums ("Total", "Due"); the links "Open as PDF" and, once it is paid, "Open
receipt". While something is due, the form with the choice ``saved``, the fields ``email``,
``number``, ``expiry``, ``cvc``, ``name``, and the button that begins with "Pay "; in the closed
lists "Test cards" and "Other ways to pay" what the checkout page has there. A refusal stands in
``#refusal``, a changed sum in ``#changed``, each with the role alert.
"""

from flask import Flask, Response, request

from stripe_sandbox import Json, amounts
from stripe_sandbox.flows import collecting, paying
from stripe_sandbox.objects import invoice_payments, test_clocks
from stripe_sandbox.pages import answer, entry, invoice_facts, invoice_pdf, wallet
from stripe_sandbox.pages.entry import Asked, Entry
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit

_PAYABLE = ("open", "uncollectible")
# As at the checkout: the merchant hears of the payment before the page says that it is made.
_WAIT_SECONDS = 1.0
_TEXTS = {
    "paid": "This invoice is paid. Nothing more is to do.",
    "void": "This invoice counts for nothing. Nothing is to be paid.",
    "draft": "This invoice is not ready yet. Nothing is to be paid.",
}


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the invoice's page, its PDF and its receipt."""

    def show(invoice_id: str) -> Response:
        with sandbox.transaction() as unit:
            invoice = _invoice(unit, invoice_id)
            if invoice is None:
                return _nothing(sandbox)
            typed = entry.known(
                None, email=invoice["customer_email"], name=invoice["customer_name"]
            )
            facts = _facts(unit, invoice, typed, _earlier(unit, invoice))
        return answer.page(sandbox, "invoice.html", facts)

    def pay(invoice_id: str) -> Response:
        return _pay(sandbox, invoice_id)

    def download(invoice_id: str) -> Response:
        return _document(sandbox, invoice_id, receipt=False)

    def receipt(invoice_id: str) -> Response:
        return _document(sandbox, invoice_id, receipt=True)

    app.add_url_rule("/i/<invoice_id>", "invoice", show)
    app.add_url_rule("/i/<invoice_id>", "pay_invoice", pay, methods=["POST"])
    app.add_url_rule("/i/<invoice_id>/pdf", "invoice_pdf", download)
    app.add_url_rule("/i/<invoice_id>/receipt", "invoice_receipt", receipt)


def _pay(sandbox: Sandbox, invoice_id: str) -> Response:
    """The invoice is tried: paid, promised, asked about, or shown again with what is wrong."""
    with sandbox.transaction() as unit:
        invoice = _invoice(unit, invoice_id)
        if invoice is None:
            return _nothing(sandbox)
        page = f"{unit.public_url}/i/{invoice_id}"
        if not _is_payable(unit, invoice):
            return answer.leave(page)
        saved = wallet.of_customer(unit, invoice["customer"])
        method = wallet.picked(request.form, saved)
        debit = wallet.is_debit(request.form, _kinds(unit, invoice))
        asked = Asked(email=method is None, card=not (method or debit))
        typed = entry.read(request.form, unit.now, asked)
        changed = request.form.get("shown", "") not in ("", str(invoice["amount_remaining"]))
        refusal = None
        if not typed.wrong and not changed:
            refusal = _try(unit, invoice, typed, method)
        if typed.wrong or changed or refusal:
            facts = _facts(unit, unit.get("invoice", invoice_id), typed, refusal, changed=changed)
            status = 402 if refusal else 422 if typed.wrong else 409
            return answer.page(sandbox, "invoice.html", facts, status=status)
        intent = invoice_payments.intent_of(unit, invoice)
    if intent is not None and intent["status"] == "requires_action":
        return answer.leave(intent["next_action"]["redirect_to_url"]["url"])
    sandbox.deliverer.wait_for(unit.events, _WAIT_SECONDS)
    return answer.leave(page)


def _try(unit: Unit, invoice: Json, typed: Entry, method: Json | None) -> Refusal | None:
    if method is None:
        given = wallet.given(unit, request.form, typed, _kinds(unit, invoice))
        if isinstance(given, Refusal):
            return given
        method = given
    intent = collecting.pay_on_page(unit, invoice, method)
    if intent["status"] == "requires_payment_method":
        return paying.refusal_of(intent)
    return None


def _document(sandbox: Sandbox, invoice_id: str, *, receipt: bool) -> Response:
    with sandbox.transaction() as unit:
        invoice = _invoice(unit, invoice_id)
        if invoice is None or (receipt and invoice["status"] != "paid"):
            return _nothing(sandbox)
        written = invoice_pdf.written(unit, invoice, receipt=receipt)
    response = Response(written, content_type="application/pdf")
    kind = "Receipt" if receipt else "Invoice"
    response.headers["Content-Disposition"] = (
        f'inline; filename="{kind}-{invoice["number"] or "draft"}.pdf"'
    )
    return answer.harden(response)


def _invoice(unit: Unit, invoice_id: str) -> Json | None:
    body = unit.find(invoice_id)
    if body is None or body["object"] != "invoice" or body.get("deleted"):
        return None
    return test_clocks.enter_for(unit, body)


def _is_payable(unit: Unit, invoice: Json) -> bool:
    due = invoice["status"] in _PAYABLE and invoice["amount_remaining"] > 0
    return due and not invoice_facts.under_way(unit, invoice)


def _kinds(unit: Unit, invoice: Json) -> list[str]:
    intent = invoice_payments.intent_of(unit, invoice)
    kinds: list[str] = intent["payment_method_types"] if intent else ["card"]
    return kinds


def _earlier(unit: Unit, invoice: Json) -> Refusal | None:
    """Shown to who comes back from the bank; a page opened anew starts clean."""
    if request.args.get("redirect_status") != "failed":
        return None
    intent = invoice_payments.intent_of(unit, invoice)
    return paying.refusal_of(intent) if intent and intent["last_payment_error"] else None


def _facts(
    unit: Unit,
    invoice: Json,
    typed: Entry,
    refusal: Refusal | None,
    *,
    changed: bool = False,
) -> dict[str, object]:
    saved = wallet.of_customer(unit, invoice["customer"])
    chosen = collecting.method_for(unit, invoice)
    due = amounts.written(invoice["amount_remaining"], invoice["currency"])
    return {
        "invoice": invoice,
        "state": invoice_facts.state_of(unit, invoice),
        "dates": invoice_facts.dates(invoice),
        "bill_to": invoice_facts.bill_to(invoice),
        "lines": invoice_facts.lines(invoice),
        "sums": invoice_facts.sums(unit, invoice),
        "charges": [
            {"words": invoice_facts.paid_with(charge), "url": charge["receipt_url"]}
            for charge in invoice_facts.charges_of(unit, invoice)
        ],
        "due": due,
        "due_by": answer.day(invoice["due_date"]) if invoice["due_date"] else None,
        "payable": _is_payable(unit, invoice),
        "text": _text(unit, invoice),
        "typed": typed.typed,
        "errors": typed.errors,
        "beside": wallet.beside(typed, refusal),
        "refusal": refusal,
        "changed": changed,
        "saved": wallet.choices(saved),
        "picked": request.form.get("saved") or _first(saved, chosen),
        "banks": wallet.debit_in(_kinds(unit, invoice)) is not None,
        "hints": wallet.HINTS,
    }


def _first(saved: list[Json], chosen: Json | None) -> str:
    """The method the page proposes: the one that pays by itself, else the newest."""
    known = [body["id"] for body in saved]
    if chosen and chosen["id"] in known:
        return str(chosen["id"])
    return str(known[0]) if known else "new"


def _text(unit: Unit, invoice: Json) -> str | None:
    if invoice_facts.under_way(unit, invoice):
        return "Your bank debit has been ordered. It is decided in some seconds; look again then."
    return _TEXTS.get(invoice["status"])


def _nothing(sandbox: Sandbox) -> Response:
    facts: dict[str, object] = {
        "title": "There is no such invoice",
        "text": "Check the address, or open it again from your account.",
    }
    return answer.page(sandbox, "message.html", facts, status=404)
