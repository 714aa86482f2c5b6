"""Charges: one try to take money, and how it ended."""

from stripe_sandbox import Json, cards, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import balance
from stripe_sandbox.unit import Unit

_EMPTY = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "outcome",
    "receipt_number",
    "receipt_url",
    "transfer_group",
)


def open_for(unit: Unit, intent: Json, method: Json) -> Json:
    """A new pending charge belongs to the PaymentIntent."""
    return unit.insert(
        {
            "id": ids.new_id("ch"),
            "object": "charge",
            **dict.fromkeys(_EMPTY),
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": unit.brand.upper()[:22],
            "captured": False,
            "created": unit.now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "paid": False,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": _details(method),
            "receipt_email": intent["receipt_email"],
            "refunded": False,
            "shipping": intent["shipping"],
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "pending",
        }
    )


def succeed(unit: Unit, charge: Json) -> Json:
    """The money is taken and counted in the balance."""
    moved = balance.record(
        unit, charge, kind="charge", amount=charge["amount"], fee=balance.fee_of(charge["amount"])
    )
    charge.update(
        status="succeeded",
        paid=True,
        captured=True,
        amount_captured=charge["amount"],
        balance_transaction=moved["id"],
        outcome=_outcome("authorized", "approved_by_network", None, "Payment complete."),
    )
    unit.save(charge)
    unit.emit("charge.succeeded", charge)
    return charge


def fail(unit: Unit, charge: Json, refusal: cards.Refusal) -> Json:
    """No money was taken; the charge says why."""
    charge.update(
        status="failed",
        failure_code=refusal.code,
        failure_message=refusal.message,
        outcome=_outcome(
            "issuer_declined",
            "declined_by_network",
            refusal.decline_code or refusal.code,
            "The bank did not return any further details with this decline.",
        ),
    )
    unit.save(charge)
    unit.emit("charge.failed", charge)
    return charge


def all_of(unit: Unit, values: Json) -> Json:
    """The charges, newest first."""
    wheres = [*lists.equal(values, "customer", "payment_intent"), *lists.within(values, "created")]
    return lists.page(unit, "charge", "/v1/charges", values, wheres)


def refunds_of(unit: Unit, body: Json) -> Json:
    """The refunds of the charge, for expansion."""
    rows = unit.select("refund", lists.equal({"charge": body["id"]}, "charge"))
    return lists.listed(f"/v1/charges/{body['id']}/refunds", rows)


def _details(method: Json) -> Json:
    kind = method["type"]
    if kind != "card":
        return {"type": kind, kind: method[kind]}
    kept = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    card = method["card"]
    return {
        "type": "card",
        "card": {
            **{name: card[name] for name in kept},
            "authorization_code": "123456",
            "checks": {
                **card["checks"],
                "cvc_check": "pass" if card["checks"]["cvc_check"] else None,
            },
            "installments": None,
            "mandate": None,
            "network": card["brand"],
            "three_d_secure": {"result": "authenticated"} if method["_authenticated"] else None,
            "wallet": None,
        },
    }


def _outcome(kind: str, network: str, reason: str | None, message: str) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": message,
        "type": kind,
    }


ROUTES = (
    retrieve("charge", "/v1/charges"),
    Route(
        "GET",
        "/v1/charges",
        all_of,
        {**lists.PAGING, "created": params.span, "customer": TEXT, "payment_intent": TEXT},
    ),
)
