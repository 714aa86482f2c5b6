"""Customer balance: what a customer is owed or owes, settled with the next invoice."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route
from stripe_sandbox.unit import Unit

KIND = "customer_balance_transaction"
_LINKS = ("checkout_session", "credit_note", "invoice")
_MOST = 99_999_999


def move(
    unit: Unit, customer: Json | str, amount: int, kind: str, *, currency: str, **links: object
) -> Json:
    """The balance is that much higher (the customer owes more) or, below zero, lower.

    ``links`` are checkout_session, credit_note, invoice, and description and metadata. The stored
    customer is changed; a body the caller holds is brought up to date too.
    """
    customer_id = customer if isinstance(customer, str) else customer["id"]
    before = unit.living("customer", customer_id, "customer")
    body = unit.living("customer", customer_id, "customer")
    if body["currency"] not in (None, currency):
        raise errors.invalid(
            f"The customer's balance is kept in {body['currency']}, not {currency}.",
            param="currency",
        )
    body["currency"] = currency
    body["balance"] += amount
    moved = unit.insert(
        {
            "id": ids.new_id("cbtxn"),
            "object": KIND,
            "amount": amount,
            "created": unit.now,
            "currency": currency,
            "customer": customer_id,
            "customer_account": None,
            "description": links.get("description"),
            "ending_balance": body["balance"],
            "livemode": False,
            "metadata": links.get("metadata") or {},
            "type": kind,
            **{name: links.get(name) for name in _LINKS},
        }
    )
    unit.update("customer.updated", body, before)
    if not isinstance(customer, str):
        customer.update(balance=body["balance"], currency=currency)
    return moved


def create(unit: Unit, values: Json, customer: str) -> Json:
    """The customer's balance is adjusted by hand."""
    return move(
        unit,
        customer,
        values["amount"],
        "adjustment",
        currency=values["currency"],
        description=values.get("description"),
        metadata=params.merged_metadata({}, values.get("metadata") or {}),
    )


def update(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """The entry's description and metadata are as asked; its sum never changes."""
    body = retrieve(unit, {}, customer, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if "description" in values:
        body["description"] = values["description"]
    return unit.save(body)


def retrieve(unit: Unit, values: Json, customer: str, id: str) -> Json:
    """One entry of the customer's balance."""
    unit.get("customer", customer, "customer")
    body = unit.get(KIND, id)
    if body["customer"] != customer:
        raise errors.no_such("customer balance transaction", id)
    return body


def all_of(unit: Unit, values: Json, customer: str) -> Json:
    """The entries of the customer's balance, newest first."""
    unit.get("customer", customer, "customer")
    wheres = [
        *lists.equal({**values, "customer": customer}, "customer", "invoice"),
        *lists.within(values, "created"),
    ]
    return lists.page(unit, KIND, _PATH.replace("<customer>", customer), values, wheres)


_PATH = "/v1/customers/<customer>/balance_transactions"
_CHANGEABLE: params.Fields = {"description": params.text(350), "metadata": params.metadata}
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {**_CHANGEABLE, "amount": params.integer(-_MOST, _MOST), "currency": params.currency},
        ("amount", "currency"),
    ),
    Route("GET", f"{_PATH}/<id>", retrieve),
    Route("POST", f"{_PATH}/<id>", update, _CHANGEABLE),
    Route(
        "GET",
        _PATH,
        all_of,
        {**lists.PAGING, "created": params.span, "invoice": TEXT},
    ),
)
