"""Charges: one try to take money, and how it ended."""

from dataclasses import dataclass

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import SHIPPING, TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.behaviours import BEHAVIOURS
from stripe_sandbox.objects import balance
from stripe_sandbox.objects.balance import Move
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit

# Money that was only reserved is given back after this long.
HELD_SECONDS = 7 * 24 * 3600
_EMPTY = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "on_behalf_of",
    "outcome",
    "receipt_number",
    "receipt_url",
    "review",
    "source_transfer",
    "transfer_data",
)
_OF_INTENT = (
    "amount",
    "currency",
    "customer",
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_CHECKS = {
    "address_line1_check": "line1",
    "address_postal_code_check": "postal_code",
}
_KEPT_OF_CARD = (
    "brand",
    "country",
    "exp_month",
    "exp_year",
    "fingerprint",
    "funding",
    "last4",
    "regulated_status",
)


@dataclass(frozen=True)
class Try:
    """One try to take money: for what, from where, and whether its owner had to confirm.

    ``source`` is the card of the older API, which its charges show.
    """

    intent: Json
    method: Json
    authenticated: bool = False
    source: Json | None = None


def promised(unit: Unit, tried: Try) -> Json:
    """The bank was told to debit; whether it will is not known yet."""
    charge = unit.insert(_drawn(unit, tried))
    unit.emit("charge.pending", charge)
    return charge


def taken(unit: Unit, tried: Try) -> Json:
    """The card has paid."""
    charge = _drawn(unit, tried)
    _count(unit, charge, charge["amount"])
    unit.insert(charge)
    unit.emit("charge.succeeded", charge)
    return charge


def held(unit: Unit, tried: Try) -> Json:
    """The sum is reserved on the card and can be captured for a week."""
    charge = _drawn(unit, tried)
    charge.update(status="succeeded", paid=True, outcome=_approved(charge))
    charge["receipt_url"] = f"{unit.public_url}/r/{charge['id']}"
    details = charge["payment_method_details"]["card"]
    details["capture_before"] = unit.now + HELD_SECONDS
    unit.insert(charge)
    unit.emit("charge.succeeded", charge)
    return charge


def refused(unit: Unit, tried: Try, refusal: Refusal) -> Json:
    """No money was taken; the charge says why."""
    charge = _drawn(unit, tried)
    _mark_failed(charge, refusal)
    unit.insert(charge)
    unit.emit("charge.failed", charge)
    return charge


def arrive(unit: Unit, charge: Json) -> Json:
    """The promised debit has come in."""
    _count(unit, charge, charge["amount"])
    unit.save(charge)
    unit.emit("charge.succeeded", charge)
    return charge


def bounce(unit: Unit, charge: Json, refusal: Refusal) -> Json:
    """The promised debit was refused."""
    _mark_failed(charge, refusal)
    unit.save(charge)
    unit.emit("charge.failed", charge)
    return charge


def capture(unit: Unit, charge: Json, amount: int) -> Json:
    """So much of the reserved sum is taken; the caller gives back what is left."""
    before = dict(charge)
    _count(unit, charge, amount)
    charge["amount_refunded"] = charge["amount"] - amount
    unit.save(charge)
    unit.emit("charge.captured", charge, before)
    return charge


def give_back(unit: Unit, charge: Json, amount: int) -> Json:
    """So much more of the charge is given back."""
    before = dict(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    unit.save(charge)
    unit.emit("charge.refunded", charge, before)
    return charge


def take_again(unit: Unit, charge: Json, amount: int) -> Json:
    """So much less of the charge counts as given back: the refund did not arrive."""
    charge["amount_refunded"] -= amount
    charge["refunded"] = False
    return unit.save(charge)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The charge is as asked; charge.updated names what changed."""
    before = unit.get("charge", id)
    body = unit.get("charge", id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if values.get("fraud_details"):
        body["fraud_details"] = dict(values["fraud_details"])
    for name in ("customer", "description", "receipt_email", "shipping", "transfer_group"):
        if name in values:
            body[name] = values[name]
    return unit.update("charge.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The charges, newest first."""
    wheres = [
        *lists.equal(values, "customer", "payment_intent", "transfer_group"),
        *lists.within(values, "created"),
    ]
    return lists.page(unit, "charge", "/v1/charges", values, wheres)


def refunds_of(unit: Unit, body: Json) -> Json:
    """The refunds of the charge, for expansion."""
    rows = unit.select("refund", lists.equal({"charge": body["id"]}, "charge"))
    return lists.listed(f"/v1/charges/{body['id']}/refunds", rows)


def _drawn(unit: Unit, tried: Try) -> Json:
    """A pending charge, stored nowhere yet."""
    intent, method = tried.intent, tried.method
    return {
        "id": ids.new_id("ch" if method["type"] == "card" else "py"),
        "object": "charge",
        **dict.fromkeys(_EMPTY),
        **{name: intent[name] for name in _OF_INTENT},
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": unit.brand.upper()[:22],
        "captured": False,
        "created": unit.now,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(tried),
        "refunded": False,
        **({"source": tried.source} if tried.source else {}),
        "status": "pending",
        "_behaviour": method["_behaviour"],
    }


def _count(unit: Unit, charge: Json, amount: int) -> None:
    by_card = charge["payment_method_details"]["type"] == "card"
    move = Move(
        kind="charge" if by_card else "payment",
        amount=amount,
        category="charge",
        fee=balance.fee_of(amount),
        description=charge["description"],
        at_once=BEHAVIOURS[charge["_behaviour"]].available_at_once,
    )
    moved = balance.record(unit, charge, move)
    charge.update(
        status="succeeded",
        paid=True,
        captured=True,
        amount_captured=amount,
        balance_transaction=moved["id"],
        outcome=_approved(charge),
        receipt_url=f"{unit.public_url}/r/{charge['id']}",
    )


def _mark_failed(charge: Json, refusal: Refusal) -> None:
    charge.update(
        status="failed",
        failure_code=refusal.code,
        failure_message=refusal.message,
        outcome={
            **_outcome(charge),
            "advice_code": refusal.advice_code,
            "network_advice_code": refusal.network_advice_code,
            "network_decline_code": refusal.network_decline_code,
            "network_status": "not_sent_to_network" if refusal.blocked else "declined_by_network",
            "reason": "highest_risk_level"
            if refusal.blocked
            else refusal.decline_code or refusal.code,
            "seller_message": "Stripe blocked this payment as too risky."
            if refusal.blocked
            else "The bank did not return any further details with this decline.",
            "type": "blocked" if refusal.blocked else "issuer_declined",
        },
    )


def _approved(charge: Json) -> Json:
    risky = BEHAVIOURS[charge["_behaviour"]].risk[0] == "elevated"
    return {
        **_outcome(charge),
        "network_status": "approved_by_network",
        "reason": "elevated_risk_level" if risky else None,
        "seller_message": "Payment complete.",
        "type": "manual_review" if risky else "authorized",
    }


def _outcome(charge: Json) -> Json:
    codes = dict.fromkeys(("advice_code", "network_advice_code", "network_decline_code"))
    if charge["payment_method_details"]["type"] != "card":
        return {**codes, "risk_level": "not_assessed"}
    level, score = BEHAVIOURS[charge["_behaviour"]].risk
    return {**codes, "risk_level": level, "risk_score": score}


def _details(tried: Try) -> Json:
    kind = tried.method["type"]
    if kind == "card":
        return {"type": kind, "card": _card_details(tried)}
    kept: tuple[str, ...] = ("fingerprint", "last4")
    account = tried.method[kind]
    if kind == "sepa_debit":
        kept = (*kept, "bank_code", "branch_code", "country")
        more: Json = {"mandate": tried.method["_mandate"]}
    else:
        kept = (*kept, "account_holder_type", "account_type", "bank_name", "routing_number")
        more = {"payment_reference": None}
        if tried.method["_mandate"]:
            more["mandate"] = tried.method["_mandate"]
    return {"type": kind, kind: {**{name: account[name] for name in kept}, **more}}


def _card_details(tried: Try) -> Json:
    method = tried.method
    card = method["card"]
    return {
        **{name: card[name] for name in _KEPT_OF_CARD},
        "amount_authorized": tried.intent["amount"],
        "authorization_code": "123456",
        "checks": _checks(method),
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": f"sandbox{card['last4']}",
        "three_d_secure": _AUTHENTICATED if tried.authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }


def _checks(method: Json) -> Json:
    said = BEHAVIOURS[method["_behaviour"]].checks
    address = method["billing_details"]["address"] or {}
    sent = {name: address.get(part) for name, part in _CHECKS.items()}
    sent["cvc_check"] = method["card"]["checks"]["cvc_check"]
    return {name: said.get(name, "pass" if given else None) for name, given in sent.items()}


_AUTHENTICATED = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": "00000000-0000-4000-8000-000000000000",
    "version": "2.2.0",
}
ROUTES = (
    retrieve("charge", "/v1/charges"),
    Route(
        "POST",
        "/v1/charges/<id>",
        update,
        {
            "customer": TEXT,
            "description": TEXT,
            "fraud_details": params.hash_of({"user_report": params.choice("fraudulent", "safe")}),
            "metadata": params.metadata,
            "receipt_email": TEXT,
            "shipping": SHIPPING,
            "transfer_group": TEXT,
        },
    ),
    Route(
        "GET",
        "/v1/charges",
        all_of,
        {
            **lists.PAGING,
            "created": params.span,
            "customer": TEXT,
            "payment_intent": TEXT,
            "transfer_group": TEXT,
        },
    ),
)
