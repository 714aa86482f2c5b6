"""Payment methods: the card or bank account money comes from. Card numbers are never kept."""

from datetime import UTC, datetime

from stripe_sandbox import Json, cards, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.cards import BEHAVIOURS, Behaviour, Card, Refusal
from stripe_sandbox.unit import Unit

_BILLING = params.hash_of({"address": ADDRESS, "email": TEXT, "name": TEXT, "phone": TEXT})
NO_BILLING: Json = dict.fromkeys(("address", "email", "name", "phone", "tax_id"))


def create(unit: Unit, values: Json) -> Json:
    """A new payment method for a test card exists, attached to nobody."""
    given = values.get("card") or {}
    number = str(given.get("number") or "").replace(" ", "")
    card = cards.by_number(number)
    if card is None:
        raise errors.card_refused(refusal_body(cards.NOT_A_TEST_CARD), None)
    expiry = (given.get("exp_month") or 12, given.get("exp_year") or 2034)
    billing = {**NO_BILLING, **(values.get("billing_details") or {})}
    body = from_card(unit, card, expiry, billing, with_cvc=bool(given.get("cvc")))
    body["metadata"] = params.merged_metadata({}, values.get("metadata") or {})
    return unit.save(body)


def attach(unit: Unit, values: Json, id: str) -> Json:
    """The payment method belongs to the customer, unless its bank refused the card."""
    return attach_to(unit, id, values["customer"], "payment_method")


def detach(unit: Unit, values: Json, id: str) -> Json:
    """The payment method belongs to nobody, and nothing pays with it by default."""
    body = unit.get("payment_method", id)
    customer_id = body["customer"]
    if customer_id is None:
        raise errors.invalid(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    before = dict(body)
    body["customer"] = None
    unit.save(body)
    unit.emit("payment_method.detached", body, before)
    customer = unit.get("customer", customer_id)
    if customer["invoice_settings"]["default_payment_method"] == id:
        unchanged = unit.get("customer", customer_id)
        customer["invoice_settings"]["default_payment_method"] = None
        unit.update("customer.updated", customer, unchanged)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The payment methods of a customer, newest first."""
    wheres = lists.equal(values, "customer", "type")
    return lists.page(unit, "payment_method", "/v1/payment_methods", values, wheres)


def usable(unit: Unit, method_id: str, param: str = "payment_method") -> Json:
    """The payment method with this id; a ready-made name such as pm_card_visa makes a new one."""
    card = cards.by_token(method_id)
    if card is None:
        return unit.get("payment_method", method_id, param)
    year = datetime.fromtimestamp(unit.now, UTC).year + 1
    return from_card(unit, card, (12, year), dict(NO_BILLING), with_cvc=False)


def of_customer(unit: Unit, method_id: str, customer_id: str) -> Json:
    """The payment method, which must be attached to this customer."""
    body = unit.get("payment_method", method_id, "payment_method")
    if body["customer"] != customer_id:
        raise errors.invalid(
            f"The customer does not have a payment method with the ID {method_id}. The "
            "payment method "
            "must be attached to the customer.",
            code="resource_missing",
            param="payment_method",
        )
    return body


def attach_to(unit: Unit, method_id: str, customer_id: str, param: str) -> Json:
    """The payment method belongs to the customer; a card its bank refuses stays unattached."""
    unit.living("customer", customer_id, "customer")
    body = usable(unit, method_id, param)
    if body["customer"] == customer_id:
        return body
    if body["customer"] is not None:
        raise errors.invalid(
            "The payment method you provided has already been attached to a customer."
        )
    refusal = behaviour_of(body).refusal
    if refusal is not None and behaviour_of(body).refused_at_attach:
        raise errors.card_refused(refusal_body(refusal), None)
    body["customer"] = customer_id
    unit.save(body)
    unit.emit("payment_method.attached", body)
    return body


def from_card(
    unit: Unit, card: Card, expiry: tuple[int, int], billing: Json, *, with_cvc: bool
) -> Json:
    """A new payment method stands for the card; of the number only last digits and a print stay."""
    shown = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked" if with_cvc else None,
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": cards.fingerprint(card.number),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _made(unit, "card", shown, billing, card.behaviour)


def from_bank(unit: Unit, billing: Json, *, pays: bool) -> Json:
    """A new bank account; debiting it is promised now and decided some seconds later."""
    shown = {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": cards.fingerprint("bank"),
        "last4": "6789" if pays else "1116",
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": None,
    }
    return _made(unit, "us_bank_account", shown, billing, "pays" if pays else "declined")


def behaviour_of(method: Json) -> Behaviour:
    """What the card or account does when it is charged."""
    return BEHAVIOURS[method["_behaviour"]]


def refusal_body(refusal: Refusal) -> Json:
    """The refusal as an API error, without the objects it concerns."""
    body: Json = {"type": "card_error", "code": refusal.code, "message": refusal.message}
    if refusal.decline_code:
        body["decline_code"] = refusal.decline_code
    if refusal.field != "number":
        body["param"] = {"expiry": "exp_month", "cvc": "cvc"}[refusal.field]
    return body


def _made(unit: Unit, kind: str, shown: Json, billing: Json, behaviour: str) -> Json:
    return unit.insert(
        {
            "id": ids.new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing,
            kind: shown,
            "created": unit.now,
            "customer": None,
            "livemode": False,
            "metadata": {},
            "type": kind,
            "_behaviour": behaviour,
            "_authenticated": False,
        }
    )


ROUTES = (
    Route(
        "POST",
        "/v1/payment_methods",
        create,
        {
            "type": params.choice("card"),
            "card": params.hash_of(
                {
                    "number": TEXT,
                    "cvc": params.text(4),
                    "exp_month": params.integer(1, 12),
                    "exp_year": params.integer(2000, 2099),
                },
                ("number",),
            ),
            "billing_details": _BILLING,
            "metadata": params.metadata,
        },
        ("type", "card"),
        partly="test cards only",
    ),
    retrieve("payment_method", "/v1/payment_methods"),
    Route(
        "GET",
        "/v1/payment_methods",
        all_of,
        {**lists.PAGING, "customer": TEXT, "type": TEXT},
    ),
    Route("POST", "/v1/payment_methods/<id>/attach", attach, {"customer": TEXT}, ("customer",)),
    Route("POST", "/v1/payment_methods/<id>/detach", detach),
)
