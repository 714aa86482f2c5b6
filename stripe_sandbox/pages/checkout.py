"""The hosted checkout page: what is bought on one side, who pays and how on the other.

Names a browser test may rely on. Fields, each labelled: ``email``, ``number``, ``expiry``
(MM / YY), ``cvc``, ``name``; where the session asks for them ``country``, ``postal_code``,
``line1``, ``city``, ``state``, ``phone``, ``business_name``, ``tax_id_type``, ``tax_id``, the
ticks ``terms``, ``promotions`` and ``save_card``, the number ``quantity_LINE``; for a customer with
saved cards the choice ``saved``. The main button begins with "Pay " and ends with the sum; by what
the session is, it is "Book for …", "Donate …", "Subscribe for …", "Start trial", "Subscribe",
"Complete order" or "Save card", and "Show total with tax" while the tax is not known yet. The
discount: the field "Promotion code" (``code``) with the button "Apply", or the button "Remove".
"Update total" works out the sums again. The link "Back without paying". In the closed list "Test
cards" the numbers; in the closed list "Other ways to pay" the buttons "Bank debit that arrives" and
"Bank debit that bounces" (field ``method``: ``bank_arrives``, ``bank_bounces``). A refusal stands
in ``#refusal``, a changed total in ``#changed``, a wrong field in ``#FIELD-error``; each has the
role alert, and the page never shows a refusal and wrong fields at once.

Nothing is ever charged but the sum that was shown: the form carries it (``shown``), and a press of
the button that finds another sum only shows the new one.
"""

from dataclasses import dataclass

from flask import Flask, Response, request

from stripe_sandbox import Json
from stripe_sandbox.flows import completing, offering, opening, quoting
from stripe_sandbox.objects import line_items, sessions, test_clocks
from stripe_sandbox.pages import answer, checkout_facts, entry, wallet
from stripe_sandbox.pages.entry import Asked, Entry
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit

# The payer is not kept waiting for the merchant's webhook longer than this.
_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class _Press:
    """What a press of a button came to: a refusal by the bank, or only other sums."""

    refusal: Refusal | None = None
    changed: bool = False
    done: bool = False


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the checkout page."""

    def show(session_id: str) -> Response:
        with sandbox.transaction() as unit:
            session = _session(unit, session_id)
            if session is None or session["status"] != "open":
                return _closed(sandbox, session)
            facts = checkout_facts.of(
                unit, session, checkout_facts.prefilled(unit, session), _earlier(unit, session)
            )
        return answer.page(sandbox, "checkout.html", facts, leads_to=session["success_url"])

    def pay(session_id: str) -> Response:
        return _pay(sandbox, session_id)

    def recover(session_id: str) -> Response:
        with sandbox.transaction() as unit:
            expired = _session(unit, session_id)
            session = opening.again(unit, expired) if expired else None
        return answer.leave(session["url"]) if session else _closed(sandbox, expired)

    app.add_url_rule("/c/pay/<session_id>", "checkout", show)
    app.add_url_rule("/c/pay/<session_id>", "pay", pay, methods=["POST"])
    app.add_url_rule("/c/recover/<session_id>", "recover", recover)


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
        typed = entry.read(request.form, unit.now, _asked(unit, session))
        press = _pressed(unit, session, typed)
        if not press.done:
            facts = checkout_facts.of(unit, session, typed, press.refusal, changed=press.changed)
            return answer.page(
                sandbox,
                "checkout.html",
                facts,
                status=_status(typed, press),
                leads_to=session["success_url"],
            )
        intent = unit.find(str(session["_intent"]))
    if intent is not None and intent["status"] == "requires_action":
        return answer.leave(intent["next_action"]["redirect_to_url"]["url"])
    return finish(sandbox, session, unit.events)


def _asked(unit: Unit, session: Json) -> Asked:
    """What of the form counts for this press: a button that only works out sums asks for less."""
    if request.form.get("do", "pay") != "pay":
        update = request.form["do"] == "update" and quoting.decides_tax(session)
        return Asked(email=False, card=False, address=update)
    saved = wallet.picked(request.form, checkout_facts.saved_of(unit, session))
    debit = wallet.is_debit(request.form, session["payment_method_types"])
    consents = session["consent_collection"] or {}
    tax_id = session["tax_id_collection"]
    return Asked(
        card=completing.needs_method(session) and not (saved or debit),
        address=checkout_facts.asks_address(session),
        phone=session["phone_number_collection"]["enabled"],
        terms=consents.get("terms_of_service") == "required",
        tax_id=("if_supported" if tax_id["required"] == "if_supported" else "optional")
        if tax_id["enabled"]
        else "never",
    )


def _pressed(unit: Unit, session: Json, typed: Entry) -> _Press:
    shown = _shown(session)
    needed = completing.needs_method(session)
    _reckon(unit, session, typed)
    unit.save(session)
    do = request.form.get("do", "pay")
    changed = session["amount_total"] != shown or completing.needs_method(session) != needed
    if changed:
        completing.call_back(unit, session)
    if do != "pay" or typed.wrong:
        return _Press()
    if changed:
        return _Press(changed=True)
    return _try(unit, session, typed)


def _shown(session: Json) -> int | None:
    """The sum the payer has seen: the form says it, else it is what the API says."""
    given = request.form.get("shown", "")
    known: int | None = session["amount_total"]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 13 else known


def _reckon(unit: Unit, session: Json, typed: Entry) -> None:
    """The session's sums follow from the quantities, the code and the address of the form."""
    for line in session["_lines"]:
        if line["adjustable"]:
            _recount(session, line, typed)
    code = typed.typed["code"]
    offering.drop_spent(unit, session)
    if request.form.get("do") == "remove_code":
        offering.drop_code(unit, session)
    elif code and session["allow_promotion_codes"] and not session["discounts"]:
        refused = offering.take_code(unit, session, code)
        if refused:
            typed.errors["code"] = refused
    address = typed.address() if typed.country and typed.typed["postal_code"] else None
    quoting.locate(unit, session, address)
    unknown = session["automatic_tax"]["status"] == "requires_location_inputs"
    if address and unknown and not typed.errors:
        typed.errors["postal_code"] = "We do not know this place. Check country and postal code."


def _recount(session: Json, line: Json, typed: Entry) -> None:
    field = f"quantity_{line['id']}"
    given = request.form.get(field, str(line["quantity"])).strip()
    bounds = line["adjustable"]
    least, most = bounds["minimum"], bounds["maximum"]
    fits = given.isascii() and given.isdigit() and len(given) < 7 and least <= int(given) <= most
    typed.typed[field] = given
    others = sum(other["quantity"] for other in session["_lines"] if other is not line)
    if not fits:
        typed.errors[field] = f"Type a number from {least} to {most}."
    elif int(given) == 0 and (line["recurring"] or not others):
        typed.errors[field] = "Type at least 1."
    else:
        line_items.recount(line, int(given))


def _try(unit: Unit, session: Json, typed: Entry) -> _Press:
    """The session was tried with what was typed or picked."""
    payer = _payer(session, typed)
    if not completing.needs_method(session):
        completing.take_free(unit, session, payer)
        return _Press(done=True)
    method = wallet.picked(request.form, checkout_facts.saved_of(unit, session))
    if method is None:
        made = wallet.given(unit, request.form, typed, session["payment_method_types"])
        if isinstance(made, Refusal):
            return _Press(refusal=made)
        method = _redisplayed(unit, session, made, saves=payer.saves)
    intent = completing.attempt(unit, session, method, payer)
    if intent["status"] == "requires_payment_method":
        return _Press(refusal=completing.refusal_of(unit, intent))
    return _Press(done=True)


def _payer(session: Json, typed: Entry) -> completing.Payer:
    values = typed.typed
    known = session["customer_details"] or {}
    consents = session["consent_collection"] or {}
    consent = None
    if any(consents.get(name) not in (None, "none") for name in ("promotions", "terms_of_service")):
        opted = "opt_in" if "promotions" in typed.ticked else "opt_out"
        consent = {
            "promotions": opted if consents.get("promotions") == "auto" else None,
            "terms_of_service": "accepted" if "terms" in typed.ticked else None,
        }
    return completing.Payer(
        values["email"],
        values["name"] or known.get("name") or values["email"],
        typed.address(),
        phone=values["phone"] or None,
        business_name=values["business_name"] or None,
        tax_id=typed.tax_id if session["tax_id_collection"]["enabled"] else None,
        consent=consent,
        saves="save_card" in typed.ticked and checkout_facts.offers_to_save(session),
    )


def _redisplayed(unit: Unit, session: Json, method: Json, *, saves: bool) -> Json:
    """The new method says whether it may be shown to the customer again."""
    if saves:
        method["allow_redisplay"] = "always"
    elif session["mode"] != "payment":
        method["allow_redisplay"] = "limited"
    return unit.save(method)


def _session(unit: Unit, session_id: str) -> Json | None:
    body = unit.find(session_id)
    if body is None or body["object"] != sessions.KIND:
        return None
    return test_clocks.enter_for(unit, body)


def _earlier(unit: Unit, session: Json) -> Refusal | None:
    """Shown to who comes back from the bank; a page opened anew starts clean."""
    if "refused" not in request.args or not session["_intent"]:
        return None
    intent = unit.find(session["_intent"])
    return completing.refusal_of(unit, intent) if intent else None


def _status(typed: Entry, press: _Press) -> int:
    if press.refusal:
        return 402
    if typed.wrong:
        return 422
    return 409 if press.changed else 200


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
            **checkout_facts.ending(session),
            "link": answer.filled(session["success_url"], session["id"]),
            "action": f"Go on to {sandbox.settings.brand}",
        }
        return answer.page(sandbox, "message.html", facts)
    facts = {
        "title": "This checkout has expired",
        "text": "Nothing was charged. Go back to the shop to begin again.",
    }
    if session["cancel_url"]:
        facts["link"] = session["cancel_url"]
        facts["action"] = f"Back to {sandbox.settings.brand}"
    return answer.page(sandbox, "message.html", facts, status=410)
