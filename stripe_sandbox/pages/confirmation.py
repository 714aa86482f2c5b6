"""The page that stands in for the payer's bank: confirm this payment, or fail to.

Its buttons are "Confirm payment" and "Fail confirmation" (field ``answer``: ``approve``, ``fail``).
"""

from urllib.parse import urlencode

from flask import Flask, Response, request

from stripe_sandbox import Json, amounts
from stripe_sandbox.flows import completing, outcomes
from stripe_sandbox.pages import answer, checkout
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the bank's page."""

    def show(intent_id: str) -> Response:
        with sandbox.transaction() as unit:
            intent, session = _found(unit, intent_id)
        if intent is None:
            return _nothing(sandbox)
        if intent["status"] != "requires_action":
            return _onward(sandbox, intent, session, [])
        facts: dict[str, object] = {"total": amounts.written(intent["amount"], intent["currency"])}
        return answer.page(sandbox, "confirm.html", facts, leads_to=_leads_to(intent, session))

    def decide(intent_id: str) -> Response:
        approved = request.form.get("answer") == "approve"
        with sandbox.transaction() as unit:
            intent, session = _found(unit, intent_id)
            if intent is None:
                return _nothing(sandbox)
            intent = outcomes.answered(unit, intent, approved=approved)
            session = completing.session_of(unit, intent)
        return _onward(sandbox, intent, session, unit.events)

    app.add_url_rule("/c/confirm/<intent_id>", "confirmation", show)
    app.add_url_rule("/c/confirm/<intent_id>", "decide", decide, methods=["POST"])


def _found(unit: Unit, intent_id: str) -> tuple[Json | None, Json | None]:
    intent = unit.find(intent_id)
    if intent is None or intent["object"] != "payment_intent":
        return None, None
    return intent, completing.session_of(unit, intent)


def _onward(sandbox: Sandbox, intent: Json, session: Json | None, events: list[str]) -> Response:
    """To the merchant if this is paid, else back to where another card can be tried."""
    if session is not None:
        if session["status"] == "complete":
            return checkout.finish(sandbox, session, events)
        return answer.leave(f"{sandbox.settings.public_url}/c/pay/{session['id']}?refused=1")
    if intent["_return_url"]:
        done = "succeeded" if intent["status"] == "succeeded" else "failed"
        facts = {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": done,
        }
        joint = "&" if "?" in intent["_return_url"] else "?"
        return answer.leave(f"{intent['_return_url']}{joint}{urlencode(facts)}")
    paid = intent["status"] == "succeeded"
    return answer.page(
        sandbox,
        "message.html",
        {
            "title": "Payment confirmed" if paid else "Nothing was charged",
            "text": "You can close this page.",
        },
    )


def _leads_to(intent: Json, session: Json | None) -> str | None:
    address = session["success_url"] if session else intent["_return_url"]
    return str(address) if address else None


def _nothing(sandbox: Sandbox) -> Response:
    facts: dict[str, object] = {
        "title": "There is no such payment",
        "text": "Check the address, or go back to the shop and begin again.",
    }
    return answer.page(sandbox, "message.html", facts, status=404)
