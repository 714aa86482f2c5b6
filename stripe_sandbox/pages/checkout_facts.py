"""What the checkout page says: sums, words, and which fields it has."""

from stripe_sandbox import Json, amounts, clock
from stripe_sandbox.flows import completing, quoting
from stripe_sandbox.objects import line_items, taxes
from stripe_sandbox.pages import answer, entry, wallet, words
from stripe_sandbox.pages.entry import Entry
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit

Facts = dict[str, object]
_PAY_WORDS = {"book": "Book for", "donate": "Donate", "subscribe": "Subscribe for"}
_WITHOUT_CARD = {
    "cancel": "Without a card your plan ends then.",
    "pause": "Without a card your plan pauses then.",
}


def of(
    unit: Unit,
    session: Json,
    typed: Entry,
    refusal: Refusal | None = None,
    *,
    changed: bool = False,
) -> Facts:
    """Everything the page shows."""
    shown = line_items.of_session(unit, session)
    return {
        "session": session,
        "typed": {**_quantities(session), **typed.typed},
        "ticked": typed.ticked,
        "errors": typed.errors,
        "beside": wallet.beside(typed, refusal),
        "refusal": refusal,
        "changed": changed,
        "title": _title(session, shown),
        "button": _button(session),
        "waits_for_tax": _waits_for_tax(session),
        **_sums(unit, session, shown),
        **_discount(unit, session),
        **_fields(unit, session, typed),
    }


def prefilled(unit: Unit, session: Json) -> Entry:
    """The form as a payer finds it: with what the session knows of them."""
    payer = session.get("_payer") or {}
    known = {**(session["customer_details"] or {}), **payer}
    customer = unit.find(session["customer"]) if session["customer"] else None
    address = session["_address"] or payer.get("address") or (customer or {}).get("address")
    parts = {name: known.get(name) for name in ("email", "name", "phone", "business_name")}
    tax_id = payer.get("tax_id") or {}
    return entry.known(address, **parts, tax_id=tax_id.get("value"), tax_id_type=tax_id.get("type"))


def asks_address(session: Json) -> bool:
    """True if the page asks where the payer lives."""
    required = session["billing_address_collection"] == "required"
    return required or quoting.decides_tax(session)


def offers_to_save(session: Json) -> bool:
    """True if the payer may say that a card is kept for the next time."""
    options = session["saved_payment_method_options"] or {}
    return bool(session["mode"] == "payment" and options.get("payment_method_save") == "enabled")


def saved_of(unit: Unit, session: Json) -> list[Json]:
    """The customer's saved methods that may pay this."""
    options = session["saved_payment_method_options"]
    if not options:
        return []
    shown = options["allow_redisplay_filters"] or ["always"]
    found = wallet.of_customer(unit, session["customer"], shown)
    return [body for body in found if body["type"] in session["payment_method_types"]]


def ending(session: Json) -> dict[str, str]:
    """What a complete session says to who comes again."""
    if session["payment_status"] == "no_payment_required":
        return {
            "title": "This is done",
            "text": "Nothing was to be paid. You can close this page or go on.",
        }
    if session["payment_status"] == "unpaid":
        return {
            "title": "This payment is on its way",
            "text": "It has been ordered. Nothing more is to do here.",
        }
    return {
        "title": "This is already paid",
        "text": "Nothing was charged again. You can close this page or go on.",
    }


def _title(session: Json, shown: list[Json]) -> str:
    if session["mode"] == "setup":
        return "Save a card for later"
    names = " and ".join(str(line["description"]) for line in shown[:2])
    if session["mode"] == "subscription":
        return f"{'Try' if quoting.is_trial(session) else 'Subscribe to'} {names}"
    return names if len(shown) == 1 else "Your order"


def _button(session: Json) -> str:
    if session["mode"] == "setup":
        return "Save card"
    if _waits_for_tax(session):
        return "Show total with tax"
    if completing.needs_payment(session):
        word = _PAY_WORDS.get(session["submit_type"] or "pay", "Pay")
        return f"{word} {amounts.written(session['amount_total'], session['currency'])}"
    if session["mode"] == "payment":
        return "Complete order"
    return "Start trial" if quoting.is_trial(session) else "Subscribe"


def _waits_for_tax(session: Json) -> bool:
    return bool(session["automatic_tax"]["status"] == "requires_location_inputs")


def _sums(unit: Unit, session: Json, shown: list[Json]) -> Facts:
    if session["mode"] == "setup":
        return {"total": None, "lines": [], "taxes": [], "then": []}
    currency = session["currency"]
    total = amounts.written(session["amount_total"], currency)
    lines = session["_lines"]
    found = taxes.total(line["taxes"] for line in lines)
    return {
        "total": total,
        "lines": [_line(session, line, own) for line, own in zip(shown, lines, strict=True)],
        "taxes": [(words.tax(unit, tax), words.tax_added(tax, currency)) for tax in found],
        "then": _then(unit, session, shown),
    }


def _line(session: Json, shown: Json, own: Json) -> Facts:
    free = own["recurring"] and quoting.is_trial(session)
    written = amounts.written(shown["amount_subtotal"], session["currency"])
    name = str(shown["description"])
    return {
        "field": f"quantity_{shown['id']}",
        "adjustable": own["adjustable"],
        "name": name,
        "words": words.counted(name, shown["quantity"]),
        "quantity": shown["quantity"],
        "amount": "free" if free else written,
    }


def _quantities(session: Json) -> dict[str, str]:
    return {f"quantity_{line['id']}": str(line["quantity"]) for line in session["_lines"]}


def _discount(unit: Unit, session: Json) -> Facts:
    discount = session["_discount"]
    off = (session["total_details"] or {}).get("amount_discount", 0)
    return {
        "asks_code": bool(session["allow_promotion_codes"]) and discount is None,
        "discount": words.discount(unit, discount) if discount else None,
        "off": amounts.written(-off, session["currency"]) if discount else None,
        "removable": bool(session["allow_promotion_codes"]) and discount is not None,
    }


def _fields(unit: Unit, session: Json, typed: Entry) -> Facts:
    kinds = session["payment_method_types"]
    saved = saved_of(unit, session)
    picked = typed.typed.get("saved") or (saved[0]["id"] if saved else "new")
    consents = session["consent_collection"] or {}
    adjusts = any(line["adjustable"] for line in session["_lines"])
    return {
        "hints": wallet.HINTS,
        "needs_method": completing.needs_method(session),
        "banks": wallet.debit_in(kinds) is not None,
        "saved": wallet.choices(saved),
        "picked": picked,
        "offers_to_save": offers_to_save(session),
        "asks_address": asks_address(session),
        "whole_address": session["billing_address_collection"] == "required",
        "updates": not _waits_for_tax(session) and (quoting.decides_tax(session) or adjusts),
        "asks_phone": session["phone_number_collection"]["enabled"],
        "asks_tax_id": session["tax_id_collection"]["enabled"],
        "tax_id_types": words.TAX_IDS,
        "asks_terms": consents.get("terms_of_service") == "required",
        "asks_promotions": consents.get("promotions") == "auto",
        "texts": {name: text["message"] for name, text in session["custom_text"].items() if text},
    }


def _then(unit: Unit, session: Json, shown: list[Json]) -> list[str]:
    """What will be charged later, said before the first sum is paid."""
    renewing = [line for line in shown if line["price"]["recurring"]]
    if not renewing:
        return []
    said = []
    trial = quoting.is_trial(session)
    if trial:
        said.append(f"Free until {answer.day(_trial_end(unit, session))}.")
    said.append(_price_after(unit, session, renewing[0]["price"]["recurring"], trial=trial))
    if trial and not completing.needs_method(session):
        settings = session["_data"].get("trial_settings") or {}
        behaviour = (settings.get("end_behavior") or {}).get("missing_payment_method")
        said.append(_WITHOUT_CARD.get(str(behaviour), "Without a card you get an invoice then."))
    return said


def _price_after(unit: Unit, session: Json, recurring: Json, *, trial: bool) -> str:
    every = words.rhythm(recurring) + (" plus tax" if _waits_for_tax(session) else "")
    currency = session["currency"]
    whole = amounts.written(quoting.renewal(unit, session, discounted=False), currency)
    less = amounts.written(quoting.renewal(unit, session, discounted=True), currency)
    card = ", from this card," if completing.needs_method(session) else ""
    discount = session["_discount"]
    coupon = unit.get("coupon", discount["source"]["coupon"]) if discount else {"duration": None}
    price = f"{whole} {every}"
    if coupon["duration"] == "forever":
        price = f"{less} {every}"
    elif coupon["duration"] == "repeating":
        months = coupon["duration_in_months"]
        price = f"{less} {every} for {months} months in all, and {whole} {every} after that"
    elif coupon["duration"] == "once" and trial:
        price = f"{less} for the first {recurring['interval']}, and {whole} {every} after that"
    return f"Then {price}{card} until you cancel."


def _trial_end(unit: Unit, session: Json) -> int:
    data = session["_data"]
    days = data.get("trial_period_days")
    return unit.now + int(days) * clock.DAY if days else int(data["trial_end"])
