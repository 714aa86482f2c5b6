"""The hosted checkout page: what is bought on one side, the card form on the other.

Names a browser test may rely on. Fields, each labelled: ``email``, ``number``, ``expiry``
(MM / YY), ``cvc``, ``name`` and, if the session requires an address, ``country`` and
``postal_code``. The button whose name begins with "Pay " and ends with the sum. The link "Back
without paying". In the closed list "Test cards" the numbers; in the closed list "Other ways to pay"
the buttons "Bank debit that arrives" and "Bank debit that bounces" (field ``method``:
``bank_arrives``, ``bank_bounces``). A refusal stands in ``#refusal``, a wrong field in
``#FIELD-error``; both have the role alert, and the page never shows both kinds at once.
"""

from flask import Flask, Response, request

from stripe_sandbox import Json, amounts, cards, refusals
from stripe_sandbox.flows import completing, paying
from stripe_sandbox.objects import instruments, line_items, payment_methods
from stripe_sandbox.pages import answer, entry
from stripe_sandbox.pages.entry import Entry
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit

# The payer is not kept waiting for the merchant's webhook longer than this.
_WAIT_SECONDS = 1.0
_BANKS = {"bank_arrives": "000123456789", "bank_bounces": "000111111116"}
# The refusal itself stands above the form; the field only says what to do with it.
_BESIDE = {
    "number": "Use another card.",
    "expiry": "Check the date.",
    "cvc": "Check the security code.",
}
_HINTS = tuple(card for card in cards.CARDS if card.hint)


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the checkout page."""

    def show(session_id: str) -> Response:
        with sandbox.transaction() as unit:
            session = _session(unit, session_id)
            if session is None or session["status"] != "open":
                return _closed(sandbox, session)
            facts = _facts(unit, session, Entry(_known(session)), _earlier_refusal(unit, session))
        return answer.page(sandbox, "checkout.html", facts, leads_to=session["success_url"])

    def pay(session_id: str) -> Response:
        return _pay(sandbox, session_id)

    app.add_url_rule("/c/pay/<session_id>", "checkout", show)
    app.add_url_rule("/c/pay/<session_id>", "pay", pay, methods=["POST"])


def finish(sandbox: Sandbox, session: Json, events: list[str]) -> Response:
    """The payer is sent to the merchant, when its webhooks were tried or the wait is over."""
    sandbox.deliverer.wait_for(events, _WAIT_SECONDS)
    return answer.leave(answer.filled(session["success_url"], session["id"]))


def _pay(sandbox: Sandbox, session_id: str) -> Response:
    """The form is tried: paid, promised, asked about, or shown again with what is wrong."""
    with sandbox.transaction() as unit:
        session = _session(unit, session_id)
        if session is None or session["status"] == "expired":
            return _closed(sandbox, session)
        if session["status"] == "complete":
            return answer.leave(answer.filled(session["success_url"], session["id"]))
        by_card = request.form.get("method") not in _BANKS
        typed = entry.read(
            request.form,
            unit.now,
            by_card=by_card,
            needs_address=session["billing_address_collection"] == "required",
        )
        refusal = None if typed.wrong else _try(unit, session, typed)
        if typed.wrong or refusal is not None:
            facts = _facts(unit, session, typed, refusal)
            status = 402 if refusal else 422
            return answer.page(
                sandbox, "checkout.html", facts, status=status, leads_to=session["success_url"]
            )
        intent = unit.get("payment_intent", session["_intent"])
    if intent["status"] == "requires_action":
        return answer.leave(intent["next_action"]["redirect_to_url"]["url"])
    return finish(sandbox, session, unit.events)


def _try(unit: Unit, session: Json, typed: Entry) -> Refusal | None:
    """The session was tried with what was typed; the bank's refusal if there was one."""
    values = typed.typed
    country = values["country"].upper() or (typed.card.country if typed.card else "US")
    address = {
        **dict.fromkeys(("city", "line1", "line2", "state")),
        "country": country,
        "postal_code": values["postal_code"] or None,
    }
    payer = completing.Payer(values["email"], values["name"] or values["email"], address)
    billing = {
        **instruments.NO_BILLING,
        "address": address,
        "email": payer.email,
        "name": payer.name,
    }
    bank = request.form.get("method", "")
    if bank in _BANKS:
        method = payment_methods.from_account(unit, _BANKS[bank], billing)
    elif typed.card is None:
        return refusals.NOT_A_TEST_CARD
    else:
        method = payment_methods.from_card(unit, typed.card, typed.expiry, billing, with_cvc=True)
    intent = completing.attempt(unit, session, method, payer)
    return paying.refusal_of(intent) if intent["status"] == "requires_payment_method" else None


def _session(unit: Unit, session_id: str) -> Json | None:
    body = unit.find(session_id)
    return body if body is not None and body["object"] == "checkout.session" else None


def _known(session: Json) -> dict[str, str]:
    payer = session.get("_payer") or session["customer_details"] or {}
    return {"email": payer.get("email") or "", "name": payer.get("name") or ""}


def _earlier_refusal(unit: Unit, session: Json) -> Refusal | None:
    """Shown to who comes back from the bank; a page opened anew starts clean."""
    if "refused" not in request.args or not session["_intent"]:
        return None
    intent = unit.get("payment_intent", session["_intent"])
    return paying.refusal_of(intent) if intent["last_payment_error"] else None


def _facts(unit: Unit, session: Json, typed: Entry, refusal: Refusal | None) -> dict[str, object]:
    shown = line_items.of_session(unit, session)
    currency = session["currency"]
    return {
        "session": session,
        "title": _title(session, shown),
        "total": amounts.written(session["amount_total"], currency),
        "lines": [
            (_quantified(line), amounts.written(line["amount_total"], currency)) for line in shown
        ],
        "then": _then(session, shown),
        "typed": typed.typed,
        "errors": typed.errors,
        "beside": _beside(typed, refusal),
        "refusal": refusal,
        "hints": _HINTS,
        "banks": "us_bank_account" in session["payment_method_types"],
        "needs_address": session["billing_address_collection"] == "required",
    }


def _beside(typed: Entry, refusal: Refusal | None) -> dict[str, str]:
    """A mark on the field the refusal is about, if something was typed there."""
    if refusal is None or not typed.typed.get(refusal.field):
        return {}
    return {refusal.field: _BESIDE[refusal.field]}


def _title(session: Json, shown: list[Json]) -> str:
    if session["mode"] == "subscription":
        return "Subscribe to " + " and ".join(line["description"] for line in shown[:2])
    return shown[0]["description"] if len(shown) == 1 else "Your order"


def _quantified(line: Json) -> str:
    name = str(line["description"])
    return name if line["quantity"] == 1 else f"{line['quantity']} \u00d7 {name}"


def _then(session: Json, shown: list[Json]) -> str | None:
    """What will be charged later, said before the first sum is paid."""
    renewing = [line for line in shown if line["price"]["recurring"]]
    if not renewing:
        return None
    every = renewing[0]["price"]["recurring"]
    total = amounts.written(sum(line["amount_total"] for line in renewing), session["currency"])
    count, unit_of_time = every["interval_count"], every["interval"]
    length = f"a {unit_of_time}" if count == 1 else f"every {count} {unit_of_time}s"
    return f"Then {total} {length}, from this card, until you cancel."


def _closed(sandbox: Sandbox, session: Json | None) -> Response:
    """The page of a session that cannot be paid any more, or never was."""
    if session is None:
        facts = {
            "title": "There is no such checkout",
            "text": "Check the address, or go back to the shop and begin again.",
        }
        return answer.page(sandbox, "message.html", facts, status=404)
    if session["status"] == "complete":
        facts = {
            "title": "This is already paid",
            "text": "Nothing was charged again. You can close this page or go on.",
            "link": answer.filled(session["success_url"], session["id"]),
            "action": f"Go on to {sandbox.settings.brand}",
        }
        if session["payment_status"] == "unpaid":
            facts["title"] = "This payment is on its way"
            facts["text"] = "Your bank debit has been ordered. Nothing more is to do here."
        return answer.page(sandbox, "message.html", facts)
    facts = {
        "title": "This checkout has expired",
        "text": "Nothing was charged. Go back to the shop to begin again.",
    }
    if session["cancel_url"]:
        facts["link"] = session["cancel_url"]
        facts["action"] = f"Back to {sandbox.settings.brand}"
    return answer.page(sandbox, "message.html", facts, status=410)
