"""The page that stands in for the payer's bank: confirm this payment or card, or fail to.

Its buttons are "Confirm payment" (or "Confirm card") and "Fail confirmation" (field ``answer``:
``approve``, ``fail``). The page of a mandate says who may debit what.
"""

from urllib.parse import urlencode

from flask import Flask, Response, request

from stripe_sandbox import Json, amounts
from stripe_sandbox.flows import outcomes
from stripe_sandbox.objects import sessions, test_clocks
from stripe_sandbox.pages import answer, checkout
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit

_KINDS = ("payment_intent", "setup_intent")


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the bank's page and the pages of mandates."""

    def show(intent_id: str) -> Response:
        with sandbox.transaction() as unit:
            intent, session = _found(unit, intent_id)
        if intent is None:
            return _nothing(sandbox, "payment")
        if intent["status"] != "requires_action":
            return _onward(sandbox, intent, session, [])
        return answer.page(
            sandbox, "confirm.html", _facts(intent), leads_to=_leads_to(intent, session)
        )

    def decide(intent_id: str) -> Response:
        approved = request.form.get("answer") == "approve"
        with sandbox.transaction() as unit:
            intent, _ = _found(unit, intent_id)
            if intent is None:
                return _nothing(sandbox, "payment")
            intent = outcomes.answered(unit, intent, approved=approved)
            session = sessions.session_of(unit, intent)
        return _onward(sandbox, intent, session, unit.events)

    def mandate(mandate_id: str) -> Response:
        return _mandate(sandbox, mandate_id)

    app.add_url_rule("/c/confirm/<intent_id>", "confirmation", show)
    app.add_url_rule("/c/confirm/<intent_id>", "decide", decide, methods=["POST"])
    app.add_url_rule("/m/<mandate_id>", "mandate", mandate)


def _found(unit: Unit, intent_id: str) -> tuple[Json | None, Json | None]:
    intent = unit.find(intent_id)
    if intent is None or intent["object"] not in _KINDS:
        return None, None
    intent = test_clocks.enter_for(unit, intent)
    return intent, sessions.session_of(unit, intent)


def _facts(intent: Json) -> dict[str, object]:
    if intent["object"] == "setup_intent":
        return {"what": "that this card may be saved", "button": "Confirm card"}
    return {
        "what": amounts.written(intent["amount"], intent["currency"]),
        "button": "Confirm payment",
    }


def _onward(sandbox: Sandbox, intent: Json, session: Json | None, events: list[str]) -> Response:
    """To the merchant if this is paid, else back to where another card can be tried."""
    if session is not None:
        if session["status"] == "complete":
            return checkout.finish(sandbox, session, events)
        return answer.leave(f"{sandbox.settings.public_url}/c/pay/{session['id']}?refused=1")
    done = intent["status"] in ("succeeded", "requires_capture", "requires_confirmation")
    if intent["_return_url"]:
        kind = intent["object"]
        facts = {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if done else "failed",
        }
        joint = "&" if "?" in intent["_return_url"] else "?"
        return answer.leave(f"{intent['_return_url']}{joint}{urlencode(facts)}")
    return answer.page(
        sandbox,
        "message.html",
        {
            "title": _ending(intent["object"], done=done),
            "text": "You can close this page.",
        },
    )


def _ending(kind: str, *, done: bool) -> str:
    if kind == "setup_intent":
        return "Card confirmed" if done else "The card was not saved"
    return "Payment confirmed" if done else "Nothing was charged"


def _leads_to(intent: Json, session: Json | None) -> str | None:
    address = session["success_url"] if session else intent["_return_url"]
    return str(address) if address else None


def _mandate(sandbox: Sandbox, mandate_id: str) -> Response:
    with sandbox.transaction() as unit:
        body = unit.find(mandate_id)
    if body is None or body["object"] != "mandate":
        return _nothing(sandbox, "mandate")
    facts = {
        "title": f"Mandate {body['id']}",
        "text": f"{sandbox.settings.brand} may debit the account of {body['payment_method']}.",
    }
    return answer.page(sandbox, "message.html", facts)


def _nothing(sandbox: Sandbox, noun: str) -> Response:
    facts: dict[str, object] = {
        "title": f"There is no such {noun}",
        "text": "Check the address, or go back to the shop and begin again.",
    }
    return answer.page(sandbox, "message.html", facts, status=404)
