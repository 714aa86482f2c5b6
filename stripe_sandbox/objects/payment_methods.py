"""Payment methods: the card or bank account money comes from. Card numbers are never kept."""

from datetime import UTC, datetime

from stripe_sandbox import Json, banks, cards
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import ADDRESS, TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.behaviours import BEHAVIOURS, Behaviour
from stripe_sandbox.cards import Card
from stripe_sandbox.objects import instruments, tokens
from stripe_sandbox.refusals import Refusal
from stripe_sandbox.unit import Unit

KINDS = ("card", "us_bank_account", "sepa_debit")
_BILLING = params.hash_of(
    {"address": ADDRESS, "email": TEXT, "name": TEXT, "phone": TEXT, "tax_id": TEXT}
)
_READY_MADE = ("pm_card_", "pm_usBankAccount_", "pm_sepaDebit_")
_DEBITS_IN = {"usd": ("us_bank_account",), "eur": ("sepa_debit",)}
_HOLDERS = params.choice("company", "individual")


def create(unit: Unit, values: Json) -> Json:
    """A new payment method for a test card or account exists, attached to nobody."""
    kind = values["type"]
    given = values.get(kind)
    if given is None:
        raise errors.missing_parameter(kind)
    billing = {**instruments.NO_BILLING, **(values.get("billing_details") or {})}
    body = _card_given(unit, given, billing) if kind == "card" else _account_given(given, billing)
    body.update(
        created=unit.now,
        allow_redisplay=values.get("allow_redisplay") or "unspecified",
        metadata=params.merged_metadata({}, values.get("metadata") or {}),
    )
    return unit.insert(body)


def retrieve(unit: Unit, values: Json, id: str) -> Json:
    """The payment method; under a ready-made name a new one."""
    return usable(unit, id, "id")


def update(unit: Unit, values: Json, id: str) -> Json:
    """The attached payment method is as asked."""
    before = unit.get("payment_method", id)
    body = unit.get("payment_method", id)
    if body["customer"] is None:
        raise errors.invalid(
            "You must save this PaymentMethod to a customer before you can update it."
        )
    for kind in KINDS:
        if kind not in values:
            continue
        if body["type"] != kind:
            raise errors.invalid(f"You can not pass `{kind}` for a {body['type']}.", param=kind)
        body[kind] = {**body[kind], **values[kind]}
    body["billing_details"] = {**body["billing_details"], **(values.get("billing_details") or {})}
    body["allow_redisplay"] = values.get("allow_redisplay") or body["allow_redisplay"]
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    return unit.update("payment_method.updated", body, before)


def replace_card(unit: Unit, body: Json, card: Card, expiry: tuple[int, int]) -> Json:
    """The bank has told of a new card in place of the saved one, or of its new date."""
    before = unit.get("payment_method", body["id"])
    body["card"] = {**body["card"], **instruments.printed(card, expiry)}
    body.update(
        _authenticated=BEHAVIOURS[card.behaviour].set_up,
        _behaviour=card.behaviour,
        _card=card.token,
    )
    return unit.update("payment_method.automatically_updated", body, before)


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
    unchanged, customer = (unit.get("customer", customer_id) for _ in range(2))
    if customer["invoice_settings"]["default_payment_method"] == id:
        customer["invoice_settings"]["default_payment_method"] = None
    if customer["default_source"] == id:
        customer["default_source"] = None
    unit.update("customer.updated", customer, unchanged)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The payment methods of a customer, newest first."""
    wheres = lists.equal(values, "customer", "type", "allow_redisplay")
    return lists.page(unit, "payment_method", "/v1/payment_methods", values, wheres)


def one_of(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """The payment method of the customer."""
    unit.living("customer", customer, "customer")
    body = unit.get("payment_method", id, "payment_method")
    if body["customer"] != customer:
        raise errors.no_such("payment method", id, "payment_method")
    return body


def usable(unit: Unit, method_id: str, param: str = "payment_method") -> Json:
    """The payment method with this id; a ready-made name such as pm_card_visa makes a new one."""
    if not method_id.startswith(_READY_MADE):
        return unit.get("payment_method", method_id, param)
    card, account = cards.by_token(method_id), banks.by_token(method_id)
    if card is not None:
        expiry = (12, datetime.fromtimestamp(unit.now, UTC).year + 1)
        body = instruments.card_drawn(card, expiry, dict(instruments.NO_BILLING), with_cvc=False)
    elif account is not None:
        # A debit is never made without a name and an address to write to.
        billing = {**instruments.NO_BILLING, "email": "payer@example.com", "name": "Sandbox Payer"}
        body = instruments.account_drawn(account, billing)
    else:
        raise errors.no_such("PaymentMethod", method_id, param)
    body["created"] = unit.now
    return unit.insert(body)


def kinds_for(
    currency: str, allowed: list[str] | None = None, excluded: list[str] | None = None
) -> list[str]:
    """The kinds that can pay in this currency, of those that were allowed and not excluded."""
    return [
        kind
        for kind in ("card", *_DEBITS_IN.get(currency, ()))
        if kind not in (excluded or ()) and (not allowed or kind in allowed)
    ]


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
    refusal = refused_saving(body)
    if refusal is not None:
        raise errors.card_refused(refusal_body(refusal), None)
    return bind(unit, body, customer_id)


def bind(unit: Unit, body: Json, customer_id: str) -> Json:
    """The payment method is the customer's from now on."""
    body["customer"] = customer_id
    unit.save(body)
    unit.emit("payment_method.attached", body)
    return body


def refused_saving(body: Json) -> Refusal | None:
    """The bank's no to saving the card, or None; a debit is refused only when it is tried."""
    behaviour = behaviour_of(body)
    refuses = behaviour.refused_at_attach and body["type"] == "card"
    return behaviour.refusal if refuses else None


def from_card(
    unit: Unit, card: Card, expiry: tuple[int, int], billing: Json, *, with_cvc: bool
) -> Json:
    """A new payment method stands for the card; of the number only last digits and a print stay."""
    body = instruments.card_drawn(card, expiry, billing, with_cvc=with_cvc)
    body["created"] = unit.now
    return unit.insert(body)


def from_account(unit: Unit, number: str, billing: Json) -> Json:
    """A new payment method stands for the test account with this number or IBAN."""
    account = banks.by_number(number)
    if account is None:
        raise AssertionError(f"no test account {number[-4:]}")
    body = instruments.account_drawn(account, billing)
    body["created"] = unit.now
    return unit.insert(body)


def behaviour_of(method: Json) -> Behaviour:
    """What the card or account does when it is charged."""
    return BEHAVIOURS[method["_behaviour"]]


def refusal_body(refusal: Refusal) -> Json:
    """The refusal as an API error, without the objects it concerns."""
    body: Json = {"type": refusal.kind, "code": refusal.code, "message": refusal.message}
    for name in ("decline_code", "advice_code", "network_decline_code", "network_advice_code"):
        if getattr(refusal, name):
            body[name] = getattr(refusal, name)
    if refusal.field != "number":
        body["param"] = {"expiry": "exp_month", "cvc": "cvc"}[refusal.field]
    return body


def _card_given(unit: Unit, given: Json, billing: Json) -> Json:
    if given.get("token"):
        card, expiry, with_cvc = tokens.spent(unit, given["token"], "card[token]")
    else:
        card, expiry, with_cvc = tokens.card_of(unit, given, "card")
    return instruments.card_drawn(card, expiry, billing, with_cvc=with_cvc)


def _account_given(given: Json, billing: Json) -> Json:
    number = str(given.get("iban") or given.get("account_number")).replace(" ", "").upper()
    if not billing["name"] or ("iban" in given and not billing["email"]):
        missing = "name" if not billing["name"] else "email"
        raise errors.missing_parameter(f"billing_details[{missing}]")
    account = banks.by_number(number)
    if account is None or banks.is_iban(number) != ("iban" in given):
        raise errors.invalid(
            "This is not one of the test accounts this sandbox knows; docs/SANDBOX.md lists them. "
            "Never send a real account number to a sandbox.",
            code="invalid_bank_account_iban" if "iban" in given else "account_number_invalid",
            param="sepa_debit[iban]" if "iban" in given else "us_bank_account[account_number]",
        )
    body = instruments.account_drawn(account, billing)
    for name in ("account_holder_type", "account_type"):
        if given.get(name):
            body["us_bank_account"][name] = given[name]
    return body


_BANK: params.Fields = {"account_holder_type": _HOLDERS}
DATA: params.Fields = {
    "allow_redisplay": params.choice("always", "limited", "unspecified"),
    "billing_details": _BILLING,
    "card": params.hash_of({**tokens.CARD, "token": TEXT}),
    "metadata": params.metadata,
    "sepa_debit": params.hash_of({"iban": TEXT}, ("iban",)),
    "type": params.choice(*KINDS),
    "us_bank_account": params.hash_of(
        {
            **_BANK,
            "account_number": TEXT,
            "account_type": params.choice("checking", "savings"),
            "routing_number": TEXT,
        },
        ("account_number", "routing_number"),
    ),
}
# What comes along with an intent and makes a payment method for it.
OF_INTENT = params.hash_of(DATA, ("type",))
_PATH = "/v1/payment_methods"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        DATA,
        ("type",),
        partly="test cards, American and European test bank accounts",
    ),
    Route("GET", f"{_PATH}/<id>", retrieve),
    Route(
        "POST",
        f"{_PATH}/<id>",
        update,
        {
            "allow_redisplay": params.choice("always", "limited", "unspecified"),
            "billing_details": _BILLING,
            "card": params.hash_of(
                {"exp_month": params.integer(1, 12), "exp_year": params.integer(2000, 2099)}
            ),
            "metadata": params.metadata,
            "us_bank_account": params.hash_of(_BANK),
        },
    ),
    Route(
        "GET",
        _PATH,
        all_of,
        {
            **lists.PAGING,
            "allow_redisplay": params.choice("always", "limited", "unspecified"),
            "customer": TEXT,
            "type": TEXT,
        },
    ),
    Route("POST", f"{_PATH}/<id>/attach", attach, {"customer": TEXT}, ("customer",)),
    Route("POST", f"{_PATH}/<id>/detach", detach),
    Route("GET", "/v1/customers/<customer>/payment_methods/<id>", one_of),
)
